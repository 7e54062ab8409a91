# shellcheck shell=sh
# Reloads a server that serves others too, only if a file that it reads at its start has changed (Puppet Server
# documentation, "Restarting"); starts it if it does not run.  Prints `restarted` if it does either.
if [ "$state" != active ] && [ "$state" != reloading ]; then
  echo restarted
  systemctl --quiet enable puppetserver
  systemctl reset-failed puppetserver 2>/dev/null || true
  systemctl start --no-block puppetserver
  started() { [ "$(systemctl is-active puppetserver || true)" = active ]; }
  await started
elif [ -e "$pending" ]; then
  echo restarted
  systemctl reload puppetserver || give_up 'the Puppet server does not come back from a reload'
fi
rm -f "$pending"
