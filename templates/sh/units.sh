# shellcheck shell=sh
# unit_state UNIT: prints its state, such as active.  A connection to systemd breaks when systemd executes itself anew,
# which is not an answer: the question is repeated.
unit_state() {
  asked=0
  until found=$(systemctl show --property=ActiveState --value "$1" 2>/dev/null) && [ "$found" ]; do
    asked=$((asked + 1))
    [ "$asked" -lt 20 ] || fail 'systemd does not respond'
    sleep 0.5
  done
  printf '%s\n' "$found"
}
