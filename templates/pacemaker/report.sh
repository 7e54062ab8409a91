# shellcheck shell=sh
# Prints what this node has of a cluster, as lines of key=value.
if [ -e "$formed" ]; then echo formed=yes; else echo formed=no; fi
echo corosync="$(active corosync)"
echo pacemaker="$(active pacemaker)"
echo resources="$(resources)"
pacemakerd --features | sed -n \
  -e 's/^Pacemaker \([0-9.]*\).*/version=\1/p' \
  -e 's/^ *Supporting v\([0-9.]*\).*/feature_set=\1/p'
