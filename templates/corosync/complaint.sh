# shellcheck shell=sh
# complaint: prints why corosync refused a reload since $since, in seconds of the clock; fails where it finds nothing.
# The reason is in cmap for few errors, and only from 3.1.9 on; the journal has it once it is synchronized.
complaint() {
  corosync-cmapctl -g config.reload_error_message 2>/dev/null | sed 's/.* = //' | grep . && return
  journalctl --sync 2>/dev/null || :
  journalctl -u corosync -n 40 -o cat --no-pager --since "@$since" 2>/dev/null |
    grep -E 'Cannot configure|Unable to reload|not valid|different (address|knet)' | sed 's/^ *//' | tail -n 2
}
