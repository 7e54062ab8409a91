# shellcheck shell=sh
# Prints the checksum of the version that a node has in use; nothing if it has none, or has not finished taking it.
#   root   where versions are unpacked
now=$(readlink "$root/current") || exit 0
if tail -n 1 "$root/uses" 2>/dev/null | grep -q " ${now##*/}$"; then echo "${now##*/}"; fi
