# shellcheck shell=sh
# Stops the service $id, within $seconds, and whatever runs after it, and has it start again where it ran.
# Whatever happens, the target role is removed in the end, and so is the constraint that brings it back to its node.
require
forget_role() {
  surely crm_resource --resource "$id" --meta --delete-parameter target-role
  # What held the role, where nothing else is in it.
  cibadmin --delete-all --force --xpath "//primitive[@id='$id']/meta_attributes[not(*)]" >/dev/null 2>&1 || :
}
release() {
  forget_role || :
  surely crm_resource --clear --resource "$id" || :
}
trap release EXIT
trap 'exit 1' HUP INT TERM PIPE
stay=$(where)
set_role Stopped
end=$(( $(uptime) + seconds ))
while now=$(active) || exit 1; [ "$now" ]; do
  ! given_up || broken "$id does not stop on $now"
  sleep 0.2
done
crm_resource --cleanup --resource "$id" >/dev/null 2>&1 || :
crm_resource --clear --resource "$id" >/dev/null 2>&1 || :
[ -z "$stay" ] ||
  crm_resource --move --resource "$id" --node "$stay" --lifetime PT15M >/dev/null 2>&1 || :
forget_role
calm=0
