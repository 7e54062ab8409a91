# shellcheck shell=sh
# Waits until the cluster has settled after a change, for $seconds at most.
end=$(( $(uptime) + seconds ))
until given_up; do sleep 0.2; done
