# shellcheck shell=sh
# Adds the resources that are marked, whose configuration is on standard input, with their constraints, in one change.
take
add() {
  mark
  ! has "//resources//*[@id=$marked]" || fail "the cluster already has a resource $(names "//resources//*[@id=$marked]")"
  # What was left of resources of these names.
  erase "//rsc_location[@rsc=$marked]"
  put "$dir/wanted.xml"
  unmark
}
change add
