# shellcheck shell=sh
# Waits until the service $id runs, for $seconds at most.
require
end=$(( $(uptime) + seconds ))
while now=$(where); [ -z "$now" ]; do
  ! given_up || broken "$id does not run"
  sleep 0.2
done
