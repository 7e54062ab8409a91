# shellcheck shell=sh
# Removes what this transaction, and any before it, has left beside corosync.conf.
rm -f corosync.conf.new-* corosync.conf.rollback-*
