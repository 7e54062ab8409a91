# shellcheck shell=sh
# Functions about the resource $id in the cluster's configuration, the CIB.  cibadmin(8), crm_resource(8)
command -v cibadmin >/dev/null || fail 'pacemaker is not installed'
last() { printf '%s\n' "$1" | tail -n 1; }
# has XPATH: whether something in the configuration matches.
has() { cibadmin --query --xpath "$1" >/dev/null 2>&1; }
exists() { has "//resources//primitive[@id='$id']"; }
require() { exists || fail "the cluster has no resource $id"; }
# set_role Stopped: tells the cluster to stop it.
set_role() { crm_resource --resource "$id" --meta --set-parameter target-role --parameter-value "$1" >/dev/null; }
