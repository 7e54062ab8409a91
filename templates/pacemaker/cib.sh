# shellcheck shell=sh
# Functions about the resource $id in the cluster's configuration, the CIB.  cibadmin(8), crm_resource(8)
command -v cibadmin >/dev/null || fail 'pacemaker is not installed'
last() { printf '%s\n' "$1" | tail -n 1; }
# has XPATH: whether something in the configuration matches.  A question that fails is not taken for a no.
has() {
  code=0
  said=$(cibadmin --query --xpath "$1" --node-path 2>&1) || code=$?
  case $code in 0) return 0 ;; 105) return 1 ;; *) fail "the cluster does not answer: $(last "$said")" ;; esac
}
exists() { has "//resources//primitive[@id='$id']"; }
require() { exists || fail "the cluster has no resource $id"; }
# set_role Stopped: tells the cluster to stop it.
set_role() { crm_resource --resource "$id" --meta --set-parameter target-role --parameter-value "$1" >/dev/null; }
# surely COMMAND...: repeats it until it succeeds, for some seconds.
surely() {
  for try in 1 2 3 4 5 6 7 8 9 10; do
    ! "$@" >/dev/null 2>&1 || return 0
    sleep 0.5
  done
  return 1
}
