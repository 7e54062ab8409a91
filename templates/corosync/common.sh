# shellcheck shell=sh
# The start of every script about corosync: it works in the folder of corosync.conf.
cd /etc/corosync 2>/dev/null && command -v corosync >/dev/null || fail 'corosync is not installed'
