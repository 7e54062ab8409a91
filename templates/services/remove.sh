# shellcheck shell=sh
# Waits for $seconds until the services that are marked, and were told to stop, run nowhere, then removes them, their
# constraints and what they have published of their places (tools/places.py on the nodes).
# Constraints first: 2.1.5 refuses a configuration in which one names a resource that is not there.
take
remove() {
  mark
  erase "//constraints/*[@rsc=$marked or @with-rsc=$marked or @first=$marked or @then=$marked]"
  erase "//resources//primitive[@id=$marked]"
  places="//cluster_property_set[@id='sirikata.places']"
  erase "$places/nvpair[substring-after(@name,'sirikata-place-')=$marked]"
  erase "$places/nvpair[substring-after(substring-after(@value,' '),' ')=$marked]"
  erase "${places}[not(nvpair)]"
  unmark
}
grep -o ' name="[^"]*"' "$dir/marks.xml" | sed 's/^ name="//; s/"$//' >"$dir/ids" || :
# among: of the ids on standard input those that are marked.
among() { grep -Fxf "$dir/ids" || :; }
# find_active: sets id to the first of them that is active somewhere; what cannot be asked now is asked again.
find_active() {
  while ! crm_mon --output-as=xml --include=none,resources --inactive >"$dir/status.xml" 2>"$dir/said"; do
    [ "$(uptime)" -lt "$end" ] || fail "the cluster does not answer: $(tail -n 1 "$dir/said")"
    sleep 0.5
  done
  id=$(sed -n 's/^ *<resource id="\([^"]*\)".* active="true".*/\1/p' "$dir/status.xml" | among | head -n 1)
}
end=$(( $(uptime) + seconds ))
find_active
while [ "$id" ]; do
  ! given_up || broken "$id does not stop on $(active)"
  sleep 0.2
  find_active
done
# Counts of failures outlive a resource; the rest of the history of many is left to Pacemaker, which takes its time.
with_history() {
  if [ "$(wc -l <"$dir/ids")" -le 20 ]; then cat "$dir/ids"; return; fi
  cibadmin --query --xpath "//nvpair[starts-with(@name,'fail-count-')]" 2>/dev/null |
    sed -n 's/^.* name="fail-count-\([^"#]*\)#.*$/\1/p' | sort -u | among
}
with_history | while read -r id; do crm_resource --cleanup --resource "$id" >/dev/null 2>&1 || :; done
change remove
