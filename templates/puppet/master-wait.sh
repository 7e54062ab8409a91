# shellcheck shell=sh
# Waiting for the server: what master-restart.sh and master-reload.sh share.
#   timeout   seconds until the server must be up
state=$(unit_state puppetserver)
show() { systemctl show -p "$1" --value puppetserver; }
# The log of the process that runs now, or ran last.
logged() { journalctl -q -o cat --no-pager "_SYSTEMD_INVOCATION_ID=$(show InvocationID)"; }
# Like `fail`, with the last lines of the server's log.
give_up() {
  words=$(logged | grep -E '^(Caused by|Exception)|ERROR' | cut -c1-300 | tail -n 3)
  [ -n "$words" ] || words=$(logged | tail -n 3)
  fail "$1
$words"
}
# await COMMAND: until it succeeds; fails if the server has failed.
await() {
  looks=0
  until "$1"; do
    looks=$((looks + 1))
    [ "$looks" -lt $((timeout * 5)) ] || give_up "the Puppet server is not up after $timeout s"
    if [ $((looks % 10)) = 0 ]; then
      if [ "$(systemctl is-active puppetserver || true)" = failed ]; then give_up 'the Puppet server does not start'; fi
      # A server that failed may stay as a process, which systemd waits for until its own timeout.
      if logged | grep -q '^Exception in thread "main"'; then
        systemctl kill -s KILL puppetserver
        systemctl stop puppetserver
        give_up 'the Puppet server does not start'
      fi
    fi
    sleep 0.2
  done
}
