# shellcheck shell=sh
# Standard input: the corosync.conf that the master serves to the cluster's nodes from now on.
find_home || fail 'this Puppet master does not serve the cluster yet (fab puppet.master.config)'
path=$home/files/corosync.conf
new=$(mktemp "$path.XXXXXX")
trap 'rm -f "$new"' EXIT
cat >"$new"
if ! cmp -s "$new" "$path"; then
  chmod 640 "$new"
  chgrp puppet "$new"
  mv -f "$new" "$path"
fi
