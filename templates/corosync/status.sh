# shellcheck shell=sh
# status: prints what corosync on this node runs with and sees, as lines of key=value.
# cmap_keys(7), corosync-quorumtool(8), corosync-cfgtool(8)
status() {
  code=0
  map=$(cmap) || code=$?
  case $code in 0) echo active=yes ;; 1) echo active=no; return ;; *) exit "$code" ;; esac
  printf '%s\n' "$map" | sed -n \
    -e 's/^totem\.config_version (u64) = /version=/p' \
    -e 's/^config\.reload_status (i32) = /reload_status=/p' \
    -e 's/^runtime\.votequorum\.this_node_id (u32) = /node_id=/p' \
    -e 's/^nodelist\.node\.[0-9]*\.nodeid (u32) = /configured=/p'
  corosync-quorumtool -s 2>/dev/null | sed -n \
    -e 's/^Quorate: *Yes.*/quorate=yes/p' \
    -e 's/^Quorate: *No.*/quorate=no/p' \
    -e 's/^Ring ID: */ring=/p' \
    -e 's/^ *\([0-9][0-9]*\)  *[0-9][0-9]* .*/member=\1/p'
  corosync-cfgtool -n 2>/dev/null | awk '
    /^nodeid:/ { node = $2 }
    $1 == "LINK:" { print "link=" node, $2, / connected/ ? "up" : "down" }'
}
