# shellcheck shell=sh
# Prints a line for each reason why this instance cannot be a node of the cluster named $cluster.
command -v apt-get >/dev/null || echo 'apt-get not found: the instance must run Debian or Ubuntu'
[ -d /run/systemd/system ] || echo 'systemd is not running'
conf=/etc/corosync/corosync.conf
if [ -e "$conf" ] && systemctl --quiet is-active corosync; then
  other=$(sed -n 's/^[[:space:]]*cluster_name:[[:space:]]*//p' "$conf" | head -n 1)
  [ "$other" = "$cluster" ] || echo "it is a member of the cluster '$other': remove it there first"
fi
