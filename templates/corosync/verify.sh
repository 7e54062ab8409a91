# shellcheck shell=sh
# Waits until corosync runs with $version, is quorate and sees the node ids in $wanted, by default those that its
# configuration names; prints its status.  After $seconds it fails, and says what is missing.
missing() {
  case $1 in active=no*) echo 'corosync does not run'; return;; esac
  printf '%s\n' "$1" | awk -F= -v version="$version" -v wanted="$wanted" '
    $1 == "member" { seen[$2] = 1 }
    $1 == "configured" { named = named " " $2 }
    { value[$1] = $2 }
    END {
      running = value["version"] == "" ? "none" : value["version"]
      if (running != version) print "corosync runs with version " running ", not " version
      if (value["reload_status"] > 1) print "its last reload failed with " value["reload_status"]
      if (value["quorate"] != "yes") print "no quorum"
      count = split(wanted == "" ? named : wanted, ids, " ")
      for (i = 1; i <= count; i++) if (!(ids[i] in seen)) print "node id " ids[i] " is not in the membership"
    }'
}
since=$(( $(date +%s) - 15 ))  # the reload came just before
end=$(( $(uptime) + seconds ))
while :; do
  now=$(status)
  lack=$(missing "$now")
  if [ -z "$lack" ]; then printf '%s\n' "$now"; exit 0; fi
  if [ "$(uptime)" -ge "$end" ]; then
    printf '%s\n' "$now"
    complaint >&2 || :
    fail "$lack"
  fi
  sleep 0.2
done
