# shellcheck shell=sh
# Prints the status of corosync, running or not.
status
