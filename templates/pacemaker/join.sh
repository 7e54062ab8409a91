# shellcheck shell=sh
# Starts corosync and pacemaker; a new member without any configuration, so that it takes the living cluster's.
[ -e "$formed" ] || clear_configuration
start_daemons
