# shellcheck shell=sh
# Standard input: an archive that the master serves to the cluster's nodes from now on.
#   sha256   its checksum; with any other, nothing changes
find_home || fail 'this Puppet master does not serve the cluster yet (fab puppet.master.config)'
folder=$home/files/sirikata
install -d -m 750 -o root -g puppet "$folder"
# Left by a transfer that was killed: this one holds the lock.
rm -f "$folder"/.new.*
new=$(mktemp "$folder/.new.XXXXXX")
trap 'rm -f "$new"' EXIT
trap 'exit 129' HUP INT TERM PIPE
cat >"$new"
sum=$(sha256sum <"$new")
[ "${sum%% *}" = "$sha256" ] || fail 'the archive arrived incomplete or damaged'
chmod 640 "$new"
chgrp puppet "$new"
sync "$new"
mv -f "$new" "$folder/$sha256"
