# shellcheck shell=sh
# Removes the archives that the master serves to the cluster.
#   kept   checksums of those that stay
find_home || exit 0
folder=$home/files/sirikata
set --
for sha256 in $kept; do set -- "$@" ! -name "$sha256"; done
[ ! -d "$folder" ] || find "$folder" -maxdepth 1 -type f "$@" -delete
