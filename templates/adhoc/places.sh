# shellcheck shell=sh
# Where this tool, Puppet or the packages put something on a host.  What was there before is copied and comes back; what was
# not goes, apart from files of packages that stay.  Patterns of the shell, without spaces.
units='puppet corosync pacemaker corosync-notifyd corosync-qdevice pacemaker_remote puppetserver puppet-master pxp-agent
  redis-server nginx sirikata-names'
places='
  /etc/sirikata-cluster /usr/lib/sirikata-cluster /usr/local/lib/sirikata-cluster /usr/lib/ocf/resource.d/sirikata
  /opt/sirikata /var/lib/sirikata /var/log/sirikata /run/sirikata /run/sirikata-cluster/maps /run/sirikata-cluster.apt-lists
  /run/sirikata-cluster-run.* /run/sirikata-cluster-puppet.lock /etc/hosts.sirikata
  /etc/needrestart/conf.d/sirikata-cluster.conf /etc/cloud/cloud.cfg.d/99_sirikata_*.cfg
  /etc/systemd/system/redis.service /etc/sudoers.d/90-sirikata-cluster /etc/systemd/system/*.d/*sirikata* /etc/systemd/system/sirikata-*
  /etc/corosync /etc/pacemaker /etc/puppet /etc/puppetlabs /etc/facter
  /var/lib/corosync /var/lib/pacemaker /var/lib/puppet /var/lib/puppetserver /var/lib/heartbeat /var/lib/resource-agents
  /var/cache/puppet /var/cache/pacemaker /var/cache/puppetserver
  /var/log/corosync /var/log/cluster /var/log/pacemaker /var/log/pacemaker.log /var/log/puppet /var/log/puppetserver
  /var/log/puppetlabs /tmp/hsperfdata_puppet /run/adduser /run/crm /run/corosync /run/puppet /run/puppetserver /run/puppetlabs /run/resource-agents
  /var/lib/sgml-base/supercatalog.old /root/.puppetlabs /root/.puppet /var/cache/debconf/tmp.ci'
for unit in $units; do
  places="$places /etc/default/$unit /etc/systemd/system/$unit.service /etc/systemd/system/$unit.service.d
    /etc/systemd/system/*.wants/$unit.service /etc/systemd/system/*.requires/$unit.service /etc/rc?.d/[SK]??$unit
    /var/lib/systemd/deb-systemd-helper-*/$unit.service* /var/lib/systemd/deb-systemd-helper-*/*.wants/$unit.service"
done
# The makers' own packages are big, and keep what changes apart.
if [ -e /opt/puppetlabs ] && ! grep -sqx /opt/puppetlabs "$before/absent"; then
  places="$places /opt/puppetlabs/puppet/cache /opt/puppetlabs/facter"
else
  places="$places /opt/puppetlabs"
fi
# Those of them that are there.
present() {
  for place in $places; do
    if [ -e "$place" ] || [ -L "$place" ]; then printf '%s\n' "$place"; fi
  done | sort -u
}
