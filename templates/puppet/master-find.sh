# shellcheck shell=sh
# find_home: where the server keeps the cluster; sets `home`.  Another cluster of the same name does not count.
#   cluster id   the cluster's name and its id
find_home() {
  for confdir in /etc/puppet /etc/puppetlabs/puppet ask; do
    if [ "$confdir" = ask ]; then
      command -v puppet >/dev/null || return 1
      confdir=$(puppet config print --section server confdir) || fail 'Puppet does not say where its server keeps its files'
    fi
    home=$confdir/clusters/$cluster
    if [ "$(cat "$home/cluster" 2>/dev/null)" = "$id" ]; then return 0; fi
  done
  return 1
}
