# shellcheck shell=sh
# Makes the configuration say what nodes have, in one change.
#   changes   three words for each: NODE ATTRIBUTE true, or `none` to remove the attribute
set_attributes() {
  set -- $changes
  while [ $# -gt 0 ]; do
    case $3 in none) action=--delete ;; *) action="--update $3" ;; esac
    command="crm_attribute --quiet --node $1 --name $2 $action"
    $command >/dev/null || fail "the cluster refuses: $command"
    shift 3
  done
}
change set_attributes
