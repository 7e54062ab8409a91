# shellcheck shell=sh
# One change of the master at a time, of any cluster and any user; the lock ends with the process.
export DEBIAN_FRONTEND=noninteractive
exec 9>/run/sirikata-cluster-puppet.lock
flock 9
