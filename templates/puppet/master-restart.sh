# shellcheck shell=sh
# Restarts the cluster's own server if a file that it reads at its start has changed, and waits until it is up.  Prints
# `restarted` if it does.
before=
if [ -e "$pending" ] || { [ "$state" != active ] && [ "$state" != activating ]; }; then
  echo restarted
  before=$(show MainPID)
  systemctl daemon-reload
  systemctl --quiet enable puppetserver
  systemctl reset-failed puppetserver 2>/dev/null || true
  # It has nothing to finish: only this cluster's agents use it.
  if [ "$before" != 0 ]; then systemctl kill -s KILL puppetserver; fi
  systemctl restart --no-block puppetserver
  # From here on it starts with what is in place now, also if this script is killed.
  rm -f "$pending"
fi
responds() { bash -c 'exec 3<>/dev/tcp/127.0.0.1/8140' 2>/dev/null && [ "$(show MainPID)" != "$before" ]; }
await responds
