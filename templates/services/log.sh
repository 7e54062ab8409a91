# shellcheck shell=sh
# Prints what a service wrote on this node: its unit's journal as JSON, then, where it has a log file, a line of $mark and
# the file's inode, size and time of change, and the file's own lines.  journalctl(1)
#   unit          the service's unit
#   log           the log file, or empty
#   lines         prints the last so many of each; empty: everything after what has been read
#   cursor        has been read of the journal; empty: nothing
#   inode, past   have been read of the file: so many bytes, where it still is the file of that inode
set -- --unit="$unit" --output=json --no-pager --quiet --output-fields=MESSAGE,SYSLOG_IDENTIFIER
[ -z "$cursor" ] || set -- "$@" --after-cursor="$cursor"
[ -z "$lines" ] || set -- "$@" --lines="$lines"
journalctl "$@" 2>/dev/null || :
[ "$log" ] && found=$(stat -L -c '%i %s %Y' -- "$log" 2>/dev/null) || exit 0
size=${found#* }
size=${size% *}
# A file that is another one now, or that was cut, is read from its start.
[ "${found%% *}" = "$inode" ] && [ "$size" -ge "$past" ] || past=0
printf '%s%s\n' "$mark" "$found"
head -c "$size" -- "$log" | if [ "$lines" ]; then tail -n "$lines"; else tail -c "+$((past + 1))"; fi
