# shellcheck shell=sh
# Stops the services $ids, waits for $seconds until they run nowhere, then removes them and their constraints.
#   named, constrained, placed    conditions of an XPath: elements with one of these ids; constraints that name one;
#                                 what one has published of its place (tools/places.py on the nodes)
# Constraints first: 2.1.5 refuses a configuration in which one names a resource that is not there.
remove() {
  id=$ids
  erase "//constraints/*[$constrained]"
  erase "//resources//primitive[$named]"
  erase "//cluster_property_set[@id='sirikata.places']/nvpair[$placed]"
  erase "//cluster_property_set[@id='sirikata.places'][not(nvpair)]"
}
present=
for id in $ids; do
  ! exists || { present="$present $id"; set_role Stopped; }
done
end=$(( $(uptime) + seconds ))
for id in $present; do
  while [ "$(active)" ]; do
    ! given_up || broken "$id does not stop on $(active)"
    sleep 0.2
  done
done
for id in $present; do crm_resource --cleanup --resource "$id" >/dev/null 2>&1 || :; done
change remove
