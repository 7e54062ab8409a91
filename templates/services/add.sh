# shellcheck shell=sh
# Adds the resources $ids, whose configuration is on standard input, with their constraints, in one change.
#   named, of_them    conditions of an XPath: elements with one of these ids; constraints of theirs
cat >"$dir/add.xml"
add() {
  if has "//resources//*[$named]"; then
    for id in $ids; do
      ! has "//resources//*[@id='$id']" || fail "the cluster already has a resource $id"
    done
  fi
  id="what was left of $ids"
  erase "//rsc_location[$of_them]"
  said=$(cibadmin --modify --allow-create --scope configuration --xml-file "$dir/add.xml" 2>&1) ||
    fail "the cluster refuses $ids: $(last "$said")"
}
change add
