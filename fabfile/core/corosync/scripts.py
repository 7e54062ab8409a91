"""What a node does to take a corosync.conf: scripts for `sh`, run as root, one transaction over all nodes.

    stage     on every node    the new file beside the old; corosync there finds it sound
    commit    on every node    rename(2): the old file stays as `corosync.conf.rollback-TXN`
    reload    on one node      every corosync of the cluster reads its file again
    verify    on every node    it has taken that version, is quorate, and sees the members
    finish    on every node    nothing of the transaction is left
    rollback  on every node    instead, when a step failed: the old file is back; then reload once more

Each may be cut off at any point: the next `stage` mends what it finds.  A corosync that cannot parse its file
keeps what it has and does not even set config.reload_status, so the version is what tells (exec/cfg.c of 3.1.7
and 3.1.9).  What the scripts print on standard output are lines of key=value; parse_status() reads them.

Man pages: corosync(8), corosync-cfgtool(8), corosync-cmapctl(8), corosync-quorumtool(8), cmap_keys(7).
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ClusterError

KEY_BYTES = 256  # what corosync-keygen(8) makes

# `fail` says why and ends.  Uptime, since the clock of a node may be set while a script waits.
_BASE = r"""
set -eu
export LC_ALL=C
fail() { printf '%s\n' "$*" >&2; exit 1; }
uptime() { read -r up rest </proc/uptime; printf '%s\n' "${up%%.*}"; }
cd /etc/corosync 2>/dev/null && command -v corosync >/dev/null || fail 'corosync is not installed'
"""

_STATUS = r"""
status() {
  if map=$(corosync-cmapctl 2>/dev/null); then echo active=yes; else echo active=no; return; fi
  printf '%s\n' "$map" | sed -n \
    -e 's/^totem\.config_version (u64) = /version=/p' \
    -e 's/^config\.reload_status (i32) = /reload_status=/p' \
    -e 's/^runtime\.votequorum\.this_node_id (u32) = /node_id=/p' \
    -e 's/^nodelist\.node\.[0-9]*\.nodeid (u32) = /configured=/p'
  corosync-quorumtool -s 2>/dev/null | sed -n \
    -e 's/^Quorate: *Yes.*/quorate=yes/p' \
    -e 's/^Quorate: *No.*/quorate=no/p' \
    -e 's/^Ring ID: */ring=/p' \
    -e 's/^ *\([0-9][0-9]*\)  *[0-9][0-9]* .*/member=\1/p'
  corosync-cfgtool -n 2>/dev/null | awk '
    /^nodeid:/ { node = $2 }
    $1 == "LINK:" { print "link=" node, $2, / connected/ ? "up" : "down" }'
}
"""

# What corosync said against a reload since $since, in seconds of the clock.  The reason is in cmap for few errors,
# and only from 3.1.9 on; the journal has it once it is synchronized.
_COMPLAINT = r"""
complaint() {
  corosync-cmapctl -g config.reload_error_message 2>/dev/null | sed 's/.* = //' | grep . && return
  journalctl --sync 2>/dev/null || :
  journalctl -u corosync -n 40 -o cat --no-pager --since "@$since" 2>/dev/null |
    grep -E 'Cannot configure|Unable to reload|not valid|different (address|knet)' | sed 's/^ *//' | tail -n 2
}
"""

# First mends: where a transaction was cut off after its rename and what runs is the old file, that one is back.
# With `to_stderr: no` most complaints of `corosync -t` reach the journal alone, so it is asked again, aloud.
_STAGE = r"""
version() { sed -n 's/^[[:space:]]*config_version:[[:space:]]*//p' "$1" 2>/dev/null; }
running=$(corosync-cmapctl -g totem.config_version 2>/dev/null | sed 's/.* = //') || :
for cut in corosync.conf.rollback-*; do
  [ -s "$cut" ] && [ "$running" ] && [ "$running" = "$(version "$cut")" ] || continue
  [ "$running" = "$(version corosync.conf)" ] || mv -f "$cut" corosync.conf
done
rm -f corosync.conf.rollback-* corosync.conf.new-*
umask 022
cat >"$new"
sync "$new"
if ! said=$(corosync -t -c "$PWD/$new" 2>&1); then
  printf 'logging {\nto_stderr: yes\n}\n' >>"$new"
  [ "$said" ] || said=$(corosync -t -c "$PWD/$new" 2>&1) || :
  rm -f "$new"
  said=$(printf '%s\n' "$said" | grep -v -e NOTICE -e 'exiting with' | sed 's/.*\[MAIN *\] //' | tail -n 2)
  fail "corosync refuses the new corosync.conf: $said"
fi
status
"""

_COMMIT = r"""
[ -e "$new" ] || { [ -e "$old" ] && exit 0; fail 'no corosync.conf is staged'; }
if [ -e corosync.conf ]; then ln -f corosync.conf "$old"; else : >"$old"; fi
mv -f "$new" corosync.conf
sync .
"""

_ROLLBACK = r"""
if [ -s "$old" ]; then mv -f "$old" corosync.conf; elif [ -e "$old" ]; then rm -f corosync.conf "$old"; fi
rm -f "$new"
sync .
"""

_RELOAD = r"""
systemctl is-active --quiet corosync || fail 'corosync does not run here'
code=0
since=$(date +%s)
said=$(corosync-cfgtool -R 2>&1) || code=$?
case $code,$said in 0,*Done*) exit 0;; esac
why=$(complaint) || :
fail "corosync refuses to reload: ${why:-$(printf '%s\n' "$said" | tail -n 1)}"
"""

_VERIFY = r"""
missing() {
  case $1 in active=no*) echo 'corosync does not run'; return;; esac
  printf '%s\n' "$1" | awk -F= -v version="$version" -v wanted="$wanted" '
    $1 == "member" { seen[$2] = 1 }
    $1 == "configured" { named = named " " $2 }
    { value[$1] = $2 }
    END {
      running = value["version"] == "" ? "none" : value["version"]
      if (running != version) print "corosync runs with version " running ", not " version
      if (value["reload_status"] > 1) print "its last reload failed with " value["reload_status"]
      if (value["quorate"] != "yes") print "no quorum"
      count = split(wanted == "" ? named : wanted, ids, " ")
      for (i = 1; i <= count; i++) if (!(ids[i] in seen)) print "node id " ids[i] " is not in the membership"
    }'
}
since=$(( $(date +%s) - 15 ))  # the reload came just before
end=$(( $(uptime) + seconds ))
while :; do
  now=$(status)
  lack=$(missing "$now")
  if [ -z "$lack" ]; then printf '%s\n' "$now"; exit 0; fi
  if [ "$(uptime)" -ge "$end" ]; then
    printf '%s\n' "$now"
    complaint >&2 || :
    fail "$lack"
  fi
  sleep 0.2
done
"""

_INSTALL_KEY = r"""
umask 077
cat >"$key"
size=$(wc -c <"$key")
[ "$size" -eq "$bytes" ] || { rm -f "$key"; fail "the key has $size bytes, not $bytes"; }
chmod 0400 "$key"
sync "$key"
mv -f "$key" authkey
sync .
"""


# Not from the file: after a reload that corosync refused, the two differ.
_ADDRESSES = r"""
corosync-cmapctl nodelist.node. 2>/dev/null | sed -n 's/^nodelist\.node\.\([0-9]*\)\.\(name\|ring0_addr\) (str) = /\1 \2 /p' |
  awk '{ value[$1, $2] = $3; seen[$1] = 1 } END { for (n in seen) print value[n, "name"], value[n, "ring0_addr"] }'
"""


@dataclass(frozen=True)
class Link:
    """A knet link to another member: its node id, the link's number, whether it is connected."""

    node_id: int
    number: int
    connected: bool


@dataclass(frozen=True, kw_only=True)
class MemberStatus:
    """What corosync on one node says of itself.

    active         whether it runs; everything else is empty when it does not
    version        the config_version that it runs with
    configured     node ids that its configuration names
    members        node ids that it sees in its membership
    reload_status  of the last reload: 1 is CS_OK; None before the first
    ring           the number of the membership, for example `1.1f`; equal on all members of one membership
    """

    active: bool
    node_id: int | None = None
    version: int | None = None
    reload_status: int | None = None
    quorate: bool = False
    ring: str = ""
    configured: tuple[int, ...] = ()
    members: tuple[int, ...] = ()
    links: tuple[Link, ...] = ()


def stage_script(txn: str) -> str:
    """Put the corosync.conf from standard input beside the one in use, and let corosync check it.

    `txn` names the transaction.  Fails with corosync's own complaint.  Prints the status of the corosync that
    runs.  First mends what a transaction that was cut off has left.
    """
    return _script(txn, _STATUS, _STAGE)


def commit_script(txn: str) -> str:
    """Make the staged file the one in use, in one step, and keep the old one.  May be repeated."""
    return _script(txn, _COMMIT)


def rollback_script(txn: str) -> str:
    """Put the old file back, where the transaction got that far.  May be repeated."""
    return _script(txn, _ROLLBACK)


def finish_script() -> str:
    """Remove what this transaction, and any before it, has left beside corosync.conf."""
    return _BASE + "rm -f corosync.conf.new-* corosync.conf.rollback-* authkey.new-*\n"


def reload_script() -> str:
    """Let every corosync of the cluster read its file again; run it on one node where corosync runs.

    Fails when the corosync of *this* node refuses; the others are asked by verify_script().  The exit status of
    corosync-cfgtool is not enough: 3.1.9 answers 0 where a reload failed, and only leaves out "Done".
    """
    return _BASE + _COMPLAINT + _RELOAD


def verify_script(version: int, members: Sequence[int] = (), *, seconds: int = 15) -> str:
    """Wait until corosync here runs with that version, is quorate and sees those members; print its status.

    `members` are node ids; none: whoever its configuration names.  Polls every 0.2 s.  After `seconds` it prints
    the status all the same, says on standard error what is missing, and exits with 1.
    """
    wanted = shlex.quote(" ".join(str(member) for member in sorted(members)))
    values = f"version={version:d} wanted={wanted} seconds={seconds:d}\n"
    return _BASE + _STATUS + _COMPLAINT + values + _VERIFY


def status_script() -> str:
    """Print the status of corosync, running or not."""
    return _BASE + _STATUS + "status\n"


def addresses_script() -> str:
    """Print `NAME ADDRESS` of each member that the corosync that runs here knows; nothing where none runs."""
    return _ADDRESSES


def install_key_script(txn: str) -> str:
    """Put the key from standard input into place, readable by root alone; refuse one of another length.

    Where corosync runs, it takes the key with the next reload; every node must have it by then.
    """
    return _script(txn, f"bytes={KEY_BYTES}\n", _INSTALL_KEY)


def parse_status(text: str) -> MemberStatus:
    """What the status, stage and verify scripts print.  Raises ClusterError when that is something else."""
    values: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, separator, value = line.partition("=")
        if not separator:
            raise ClusterError(f"cannot read what a node says of corosync: {line!r}")
        values.setdefault(key, []).append(value.strip())
    try:
        return MemberStatus(
            active=values.get("active") == ["yes"],
            node_id=_number(values, "node_id"),
            version=_number(values, "version"),
            reload_status=_number(values, "reload_status"),
            quorate=values.get("quorate") == ["yes"],
            ring=values.get("ring", [""])[0],
            configured=tuple(sorted(int(value) for value in values.get("configured", ()))),
            members=tuple(sorted(int(value) for value in values.get("member", ()))),
            links=tuple(_link(value) for value in values.get("link", ())),
        )
    except ValueError as error:
        raise ClusterError(f"cannot read what a node says of corosync: {error}") from error


def _script(txn: str, *parts: str) -> str:
    files = {
        "new": f"corosync.conf.new-{txn}",
        "old": f"corosync.conf.rollback-{txn}",
        "key": f"authkey.new-{txn}",
    }
    return _BASE + "".join(f"{name}={shlex.quote(file)}\n" for name, file in files.items()) + "".join(parts)


def _number(values: dict[str, list[str]], key: str) -> int | None:
    return int(values[key][0]) if key in values else None


def _link(text: str) -> Link:
    node_id, number, state = text.split()
    return Link(int(node_id.rstrip(":")), int(number.rstrip(":")), state == "up")
