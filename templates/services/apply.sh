# shellcheck shell=sh
# Adds and alters the services $ids, whose configuration is on standard input, and tells those in $going to stop, in one
# change; remove.sh then takes them out.
#   named    the condition of an XPath: elements with one of the ids
#   stale    an XPath to what goes of what is altered, or empty
cat >"$dir/wanted.xml"
apply() {
  others="[not(@provider='sirikata' and @type='service')]"
  if [ "$ids" ] && has "//resources//*[$named]$others"; then
    for id in $ids; do
      ! has "//resources//*[@id='$id']$others" ||
        fail "the cluster already has a resource $id, which is not a service of this tool"
    done
  fi
  id='what changes'
  [ -z "$stale" ] || erase "$stale"
  said=$(cibadmin --modify --allow-create --scope configuration --xml-file "$dir/wanted.xml" 2>&1) ||
    fail "the cluster refuses the services: $(last "$said")"
  for id in $going; do
    ! exists || set_role Stopped || fail "cannot tell $id to stop"
  done
}
change apply
