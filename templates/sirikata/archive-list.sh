# shellcheck shell=sh
# Prints `SIZE CHECKSUM` of each archive that the master serves to the cluster.
find_home || exit 0
folder=$home/files/sirikata
[ ! -d "$folder" ] || find "$folder" -maxdepth 1 -type f ! -name '.*' -printf '%s %f\n'
