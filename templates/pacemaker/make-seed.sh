# shellcheck shell=sh
# Prints a cib.xml with the configuration in $settings and this node's feature set; changes nothing here.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export CIB_file="$dir/cib.xml"
cibadmin --empty >"$CIB_file"
cibadmin --modify --allow-create --scope configuration --xml-text "$settings"
cat "$CIB_file"
