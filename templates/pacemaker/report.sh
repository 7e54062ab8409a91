# shellcheck shell=sh
# Prints what this node has of a cluster, as lines of key=value.
if [ -e "$formed" ]; then echo formed=yes; else echo formed=no; fi
corosync=$(active corosync)
pacemaker=$(active pacemaker)
# One that cannot be read is replaced by Pacemaker with the cluster's.
resources=$( (resources) 2>/dev/null) || resources=0
printf '%s\n' "corosync=$corosync" "pacemaker=$pacemaker" "resources=$resources"
pacemakerd --features | sed -n \
  -e 's/^Pacemaker \([0-9.]*\).*/version=\1/p' \
  -e 's/^ *Supporting v\([0-9.]*\).*/feature_set=\1/p'
