# shellcheck shell=sh
# Takes a tar stream from standard input and puts its `new`, a $kind, at $dst in $parent, whole or not at all.
#
# $work, beside $dst, is the lock, too: it goes with the process.  A folder cannot be replaced in one step by rename(2): where
# mv lacks --exchange (coreutils 9.5), the old one waits in $work for a moment.  Whatever a killed script left there is put
# back, or removed, by the next one.  $work must be our own: in a folder like /tmp, others could have made it.
umask 077
exists() { [ -e "$1" ] || [ -L "$1" ]; }
discard() { if exists "$1"; then chmod -R u+rwX "$1" 2>/dev/null || :; rm -rf "$1"; fi; }
restore() { if exists "$work/old" && ! exists "$dst"; then mv -T "$work/old" "$dst"; fi; }
discard_all() { discard "$work/old"; discard "$work/new"; rm -f "$work/checksums"; }
clean() { restore || return; discard_all; rmdir "$work" 2>/dev/null || :; }

[ -d "$parent" ] || fail "there is no folder $parent. Make it first, with mkdir -p by cluster.nodes.run"
[ -w "$parent" ] || fail "$(id -un) may not write into $parent (--sudo writes as root)"
mkdir -p "$work"
{ [ ! -L "$work" ] && [ -O "$work" ]; } || fail "$work does not belong to $(id -un): remove it"
exec 9<"$work"
flock -w 15 9 || fail "another process is writing $dst"
# shellcheck disable=SC3013 # dash and bash have -ef
[ "$work" -ef /proc/self/fd/9 ] || fail "another process has just written $dst: run this again"
trap clean EXIT
trap 'exit 1' HUP INT TERM PIPE
restore
discard_all

if [ "$kind" = file ]; then
  [ ! -d "$dst" ] || fail "$dst is a folder: end it with a slash to put the file into it"
  if exists "$dst" && [ ! -L "$dst" ] && [ ! -f "$dst" ]; then
    fail "$dst is neither a file nor a folder but a $(stat -c %F "$dst"): it is not replaced"
  fi
elif exists "$dst"; then
  [ -d "$dst" ] || fail "$dst is a file: a folder does not replace it"
  into="End it with a slash to put the folder into it"
  [ "$parent" != / ] || fail "$dst is a folder of the system: it is not replaced. $into"
  for home in "$HOME" "$(getent passwd "${SUDO_USER:-root}" | cut -d: -f6)"; do
    case "$(readlink -f -- "$home")/" in
      "$(readlink -f -- "$dst")"/*) fail "$dst holds the home folder $home: it is not replaced. $into" ;;
    esac
  done
fi

tar -x -f - -C "$work" -p --no-same-owner || fail "the transfer was incomplete; nothing was changed"
{ exists "$work/new" && [ -f "$work/checksums" ]; } || fail "the transfer was incomplete; nothing was changed"
cd "$work" || exit
if [ -s checksums ]; then
  sha256sum --check --quiet --strict checksums >&2 || fail "the checksums do not match; nothing was changed"
fi
cd /

if [ "$kind" = file ]; then
  sync "$work/new"
  mv -fT "$work/new" "$dst"
else
  sync -f "$work/new"
  mode=$(stat -c %a "$work/new")
  chmod u+rwx "$work/new"  # a folder that moves is written to: its '..'
  if ! exists "$dst"; then
    mv -T "$work/new" "$dst"
  elif ! { mv -T --exchange "$work/new" "$dst" 2>/dev/null && [ -d "$work/new" ]; }; then
    trap '' HUP INT TERM PIPE
    mv -T "$dst" "$work/old"
    mv -T "$work/new" "$dst"
  fi
  chmod "$mode" "$dst"
fi
sync "$parent"
