# shellcheck shell=sh
# Prints `yes` and the corosync.conf of this node, or `no` where there is none.
[ -e corosync.conf ] || { echo no; exit 0; }
[ -f corosync.conf ] || fail "$PWD/corosync.conf is not a file: remove it"
echo yes
cat corosync.conf
