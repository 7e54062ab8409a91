# shellcheck shell=sh
# Puts the corosync.conf from standard input beside the one in use as $new, has corosync check it, prints the status.
# First it repairs: where a transaction was cut off after its rename and what runs is the old file, that one is put back.
version() { sed -n 's/^[[:space:]]*config_version:[[:space:]]*//p' "$1" 2>/dev/null; }
code=0
running=$(cmap -g totem.config_version) || code=$?
[ "$code" -lt 2 ] || exit "$code"
running=${running##* = }
for cut in corosync.conf.rollback-*; do
  [ -s "$cut" ] && [ "$running" ] && [ "$running" = "$(version "$cut")" ] || continue
  [ "$running" = "$(version corosync.conf)" ] || mv -f "$cut" corosync.conf
done
rm -f corosync.conf.rollback-* corosync.conf.new-*
# What would keep the commit from replacing it, such as an attribute or a mount, is found before anything is changed.
if [ -e corosync.conf ] && ! said=$(ln -f corosync.conf "$new" 2>&1); then
  case $(lsattr -d corosync.conf 2>/dev/null) in
    [!\ ]*[ia]*\ *) said="remove its attribute: chattr -i -a $PWD/corosync.conf" ;;
  esac
  fail "corosync.conf cannot be replaced: $(printf '%s\n' "$said" | tail -n 1)"
fi
rm -f "$new"
umask 022
cat >"$new"
sync "$new"
# With `to_stderr: no` most complaints of `corosync -t` reach the journal only, so it checks once more, aloud.
if ! said=$(corosync -t -c "$PWD/$new" 2>&1); then
  printf 'logging {\nto_stderr: yes\n}\n' >>"$new"
  [ "$said" ] || said=$(corosync -t -c "$PWD/$new" 2>&1) || :
  rm -f "$new"
  said=$(printf '%s\n' "$said" | grep -v -e NOTICE -e 'exiting with' | sed 's/.*\[MAIN *\] //' | tail -n 2)
  fail "corosync refuses the new corosync.conf: $said"
fi
status
