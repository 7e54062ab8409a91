# shellcheck shell=sh
# The daemons of a member and what they have on disk.  $formed is the file that says that this node has been given its
# place in a cluster.
command -v pacemakerd >/dev/null || fail 'pacemaker is not installed'
cib=/var/lib/pacemaker/cib

# active UNIT: yes or no.
active() {
  now=$(unit_state "$1") || exit 1
  case $now in active | reloading) echo yes ;; *) echo no ;; esac
}

# resources: prints their number in the configuration on this node's disk.
resources() {
  [ -e "$cib/cib.xml" ] || { echo 0; return; }
  code=0
  said=$(CIB_file=$cib/cib.xml cibadmin --query --xpath '//resources//primitive' --node-path 2>&1) || code=$?
  case $code in
    0) printf '%s\n' "$said" | grep -c /primitive ;;
    105) echo 0 ;;
    *) fail "the Pacemaker configuration on this node cannot be read: $(printf '%s\n' "$said" | tail -n 1)" ;;
  esac
}

# A node that was never given its place may hold what the package's own first start has left: a cluster of one.
# Its configuration could be the newer one, and win.  One with resources belongs to another cluster, and stays.
clear_configuration() {
  held=$(resources) || fail "empty $cib first, unless it is needed"
  [ "$held" = 0 ] || fail 'this node already has a Pacemaker configuration with resources: empty it first'
  systemctl stop pacemaker corosync
  rm -f "$cib"/cib*
}

# Not `systemctl enable`: with the packages' init scripts it takes 3 s, for the same two links.
start_daemons() {
  mkdir -p "${formed%/*}"
  : >"$formed"
  sync "${formed%/*}"
  systemctl is-enabled --quiet corosync pacemaker 2>/dev/null ||
    systemctl --quiet add-wants multi-user.target corosync.service pacemaker.service
  # Once more: the first may have failed as a question, where systemd executed itself anew.
  if ! systemctl start corosync pacemaker 2>/dev/null && ! { sleep 1; systemctl start corosync pacemaker; }; then
    journalctl -u corosync -u pacemaker -n 20 -o cat --no-pager | grep -iE 'error|crit|exiting' | tail -n 4 >&2
    fail 'corosync or pacemaker did not start'
  fi
}
