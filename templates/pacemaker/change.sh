# shellcheck shell=sh
# change COMMAND...: runs it with CIB_file set to a copy of the configuration in $dir, and applies what it changed there
# as one patch, which the cluster refuses when the configuration is another one by then; then it starts anew.
# Every result of an operation anywhere is a new version, too, though of the same configuration: the patch is given that
# version and tried again.  What is refused though nothing was changed is given twenty tries.  crm_diff(8)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
change() {
  over=$(( $(uptime) + seconds )) tries=0 before=
  while :; do
    cibadmin --query >"$dir/old.xml" 2>"$dir/said" || fail "the cluster does not answer: $(tail -n 1 "$dir/said")"
    cp "$dir/old.xml" "$dir/new.xml"
    (export CIB_file="$dir/new.xml" && "$@") || exit 1
    code=0
    crm_diff --cib --original "$dir/old.xml" --new "$dir/new.xml" >"$dir/patch.xml" 2>"$dir/said" || code=$?
    case $code in 0) return 0 ;; 1) ;; *) fail "crm_diff: $(tail -n 1 "$dir/said")" ;; esac
    epoch=$(number epoch <"$dir/old.xml")
    while now=$(cibadmin --query --no-children 2>&1) || fail "the cluster does not answer: $(last "$now")"
      [ "$(printf '%s\n' "$now" | number epoch)" = "$epoch" ]
    do
      updates=$(printf '%s\n' "$now" | number num_updates)
      sed "s/\(<source [^>]*num_updates=\"\)[0-9]*/\1$updates/; s/ digest=\"[^\"]*\"//" "$dir/patch.xml" >"$dir/now.xml"
      ! cibadmin --patch --sync-call --xml-file "$dir/now.xml" 2>"$dir/said" || return 0
      [ "$now" = "$before" ] || tries=0
      before=$now tries=$((tries + 1))
      [ "$tries" -lt 20 ] && [ "$(uptime)" -lt "$over" ] || fail "the cluster refuses the change: $(tail -n 1 "$dir/said")"
      sleep 0.05
    done
    [ "$(uptime)" -lt "$over" ] || fail 'the cluster refuses the change: others change it all the time'
  done
}
# number NAME: of a part of the version on the first line of standard input.
number() { sed -n "1s/.* $1=\"\([0-9]*\)\".*/\1/p"; }
# erase XPATH: removes whatever matches.
erase() {
  code=0
  said=$(cibadmin --delete-all --force --xpath "$1" 2>&1) || code=$?
  case $code in 0 | 105) ;; *) fail "cannot remove ${id:-what the cluster has}: $(last "$said")" ;; esac
}
# put FILE: adds and alters what the file holds of the configuration.
put() {
  said=$(cibadmin --modify --allow-create --scope configuration --xml-file "$1" 2>&1) ||
    fail "the cluster refuses the services: $(last "$said")"
}
# take: standard input is a line of marks, as pacemaker/marks.py writes them, then what `put "$dir/wanted.xml"` puts in.
take() {
  cat >"$dir/input"
  head -n 1 "$dir/input" >"$dir/marks.xml"
  sed 1d "$dir/input" >"$dir/wanted.xml"
}
# mark, unmark: put the marks into the copy, for expressions with $marked and $kept, and take them out again.
marked='/cib/configuration/crm_config/cluster_property_set[@id="sirikata.marked"]/nvpair/@name'
kept='/cib/configuration/crm_config/cluster_property_set[@id="sirikata.kept"]/nvpair/@name'
mark() { put "$dir/marks.xml"; }
unmark() { erase '//crm_config/cluster_property_set[@id="sirikata.marked" or @id="sirikata.kept"]'; }
# names XPATH: the ids of a few of the resources that match, with commas between them.
names() {
  cibadmin --query --xpath "$1" --node-path 2>/dev/null | sed -n "s/^.*\[@id='\([^']*\)'\]$/\1/p" | head -n 5 |
    paste -sd, - | sed 's/,/, /g'
}
