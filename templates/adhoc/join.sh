# shellcheck shell=sh
# Before an ad-hoc host is changed: records its state, and leaves a program that restores it.  Prints `joined`, or `member`
# where it was one already.
#   home      the folder of these records; `before` is the one of the state
#   cluster   the id of the cluster
#   node      the host's name there
#   program   the text of the program
# Then follow places.sh, which depends on what this leaves, and record.sh.
umask 077
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
exec 9>/run/sirikata-cluster-host.lock
flock -w 500 9 || fail 'another process is joining or releasing this host'
if [ -e "$home/cluster" ]; then
  is=$(head -n 1 "$home/cluster")
  [ "$is" = "$cluster" ] || fail "it is a member of the cluster $is"
  { [ -d "$before" ] && [ ! -e "$home/leaving" ]; } || fail "its release was interrupted; finish that first: sudo sh $home/take-off"
  echo member
  exit 0
fi
# Replaces a file: MODE FILE <content.
put() {
  cat >"$2.new"
  chmod "$1" "$2.new"
  sync "$2.new"
  mv -f "$2.new" "$2"
}
if [ ! -d "$home" ]; then mkdir -m 0755 "$home"; fi
# Until the marker is there nothing else is changed, so that a record without it can be made anew.
rm -rf "$before" "$before.new" "$home/packages" "$home/names"
mkdir -m 0700 "$before.new"
