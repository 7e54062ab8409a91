# shellcheck shell=sh
# Removes the cluster's files from a master that stays.
if find_home; then
  read -r folder <"$home/folder" && rm -rf "$folder"
  rm -rf "$home"
fi
