# shellcheck shell=sh
# Prints those of the services on a node that were started from another version than the one in use, an id a line.
#   root   where versions are unpacked
#   ids    ids of services
# The time of their start is compared, and not /proc/PID/exe, since the program may be an interpreter; the file `uses` says
# when the node took which version.  Within one second a service counts as started before.
now=$(readlink "$root/current")
for id in $ids; do
  started=$(systemctl show --timestamp=unix --property=InactiveExitTimestamp --value "sirikata-service-$id.service")
  from=$(awk -v started="${started#@}" '$1 < started + 0 { from = $2 } END { print from }' "$root/uses")
  [ "$from" = "${now##*/}" ] || printf '%s\n' "$id"
done
