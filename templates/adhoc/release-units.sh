# shellcheck shell=sh
# UNIT: stops it, by force if need be.
stop_unit() {
  state=$(systemctl is-active "$1" 2>/dev/null)
  case $state in inactive | failed | unknown | '') return ;; esac
  if ! timeout 180 systemctl stop "$1"; then
    systemctl kill -s KILL "$1"
    systemctl stop "$1"
  fi
  echo "stopped $1"
}

installed_before() { awk -v name="$1" '{ sub(/:.*/, "", $1) } $1 == name && $3 == "installed" { found = 1 } END { exit !found }' "$before/packages"; }

stop_all() {
  # Without it nothing starts the daemons again.
  rm -f "$home/formed"
  # First what would restore things: the agent, and its run, which does not end with its daemon.
  stop_unit puppet.service
  for lock in /var/lib/puppet/state/agent_catalog_run.lock /var/cache/puppet/state/agent_catalog_run.lock \
    /opt/puppetlabs/puppet/cache/state/agent_catalog_run.lock; do
    pid=$(cat "$lock" 2>/dev/null)
    case $pid in '' | *[!0-9]*) continue ;; esac
    if grep -qsa puppet "/proc/$pid/cmdline"; then kill "$pid" && sleep 1; fi
  done
  stop_unit sirikata-names.service
  # Its services move to the other members.
  stop_unit pacemaker.service
  for unit in $(systemctl list-units --all --plain --no-legend 'sirikata-service-*' | awk '{ print $1 }'); do
    stop_unit "$unit"
    systemctl reset-failed "$unit" 2>/dev/null
  done
  stop_unit corosync.service
  if ! installed_before puppetserver; then stop_unit puppetserver.service; fi
}
