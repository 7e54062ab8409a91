# shellcheck shell=sh
# cmap ARGUMENT...: corosync-cmapctl(8).  Returns 1 where corosync does not run or has no such key; one that runs and does
# not answer, as for a moment at its start, is asked again, and ends the script in the end.
# shellcheck disable=SC2120 # without an argument it prints everything
cmap() {
  silent=0
  until corosync-cmapctl "$@" 2>/dev/null; do
    [ "$(unit_state corosync)" = active ] || return 1
    ! corosync-cmapctl -g totem.version >/dev/null 2>&1 || return 1
    silent=$((silent + 1))
    [ "$silent" -lt 20 ] || { echo 'corosync runs and does not answer' >&2; exit 2; }
    sleep 0.5
  done
}
