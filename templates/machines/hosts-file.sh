# shellcheck shell=sh
# Replaces our block in /etc/hosts by the lines of the standard input.
replace_hosts() {
  {
    sed -e '/^# sirikata-cluster begin/,/^# sirikata-cluster end/d' -e '$a\' /etc/hosts
    echo '# sirikata-cluster begin'
    cat
    echo '# sirikata-cluster end'
  } >/etc/hosts.sirikata
  chmod 644 /etc/hosts.sirikata
  mv /etc/hosts.sirikata /etc/hosts
}
