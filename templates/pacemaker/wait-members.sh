# shellcheck shell=sh
# Waits until the cluster has quorum and a coordinator and the nodes in $names are online; prints crm_mon's XML.
# After $seconds it prints it all the same, and fails with what is missing.
missing() {
  said=$(crm_mon -1 --output-as=text --include=none,dc,nodes 2>&1) ||
    { printf '%s\n' "$said" | tail -n 1; return; }
  case $said in
    *'with quorum'*) ;;
    *'Current DC: NONE'*) echo 'no coordinator'; return ;;
    *) echo 'no quorum' ;;
  esac
  online=" $(printf '%s\n' "$said" | sed -n 's/.*Online: \[ *\(.*\) *\].*/\1/p') "
  for name in $names; do
    case $online in *" $name "*) ;; *) echo "$name is not online" ;; esac
  done
}
end=$(( $(uptime) + seconds ))
while lack=$(missing); [ "$lack" ]; do
  [ "$(uptime)" -lt "$end" ] || break
  sleep 0.2
done
crm_mon --output-as=xml || :
[ -z "$lack" ] || fail "$lack"
