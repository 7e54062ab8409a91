# shellcheck shell=sh
# Installs the cib.xml from standard input and starts corosync and pacemaker for the first time.
[ ! -e "$formed" ] || fail 'this node is a member already'
clear_configuration
install -o hacluster -g haclient -m 0600 /dev/null "$cib/new.xml"
cat >"$cib/new.xml"
[ -s "$cib/new.xml" ] || fail 'no configuration was given'
sync "$cib/new.xml"
mv "$cib/new.xml" "$cib/cib.xml"
start_daemons
