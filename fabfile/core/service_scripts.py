"""What a member does to add, move and remove a service: scripts for `sh`, run as root on any one member.

A change of the configuration is made on a copy and applied as one patch, which the cluster refuses when something
was changed meanwhile (its version is not the copy's); then it is made anew.  So it is whole or not at all.
On failure the last words on standard error are what the resource agent said, where it said something.

Man pages: cibadmin(8), crm_diff(8), crm_resource(8), crm_mon(8), crmadmin(8).
"""

import shlex

# Seconds for a service to start, or to stop, on slow nodes: the operations' own timeouts end sooner.
TIMEOUT = 90

_BASE = r"""
set -eu
export LC_ALL=C
fail() { printf '%s\n' "$*" >&2; exit 1; }
uptime() { read -r up rest </proc/uptime; printf '%s\n' "${up%%.*}"; }
command -v cibadmin >/dev/null || fail 'pacemaker is not installed'
last() { printf '%s\n' "$1" | tail -n 1; }
has() { cibadmin --query --xpath "$1" >/dev/null 2>&1; }
exists() { has "//resources//primitive[@id='$id']"; }
"""

_EXISTS = r"""
exists || fail "the cluster has no resource $id"
"""

# change COMMAND...: runs it with CIB_file set to a copy of the configuration, and applies what it changed there.
# Twenty tries, since every result of an operation anywhere is a new version too.
_CHANGE = r"""
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
change() {
  for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    cibadmin --query >"$dir/old.xml" 2>"$dir/said" || fail "the cluster does not answer: $(tail -n 1 "$dir/said")"
    cp "$dir/old.xml" "$dir/new.xml"
    (export CIB_file="$dir/new.xml" && "$@") || exit 1
    code=0
    crm_diff --cib --original "$dir/old.xml" --new "$dir/new.xml" >"$dir/patch.xml" 2>"$dir/said" || code=$?
    case $code in 0) return 0 ;; 1) ;; *) fail "crm_diff: $(tail -n 1 "$dir/said")" ;; esac
    cibadmin --patch --sync-call --xml-file "$dir/patch.xml" 2>"$dir/said" && return 0
    sleep 0.1
  done
  fail "the cluster refuses the change: $(tail -n 1 "$dir/said")"
}
erase() {
  ! has "$1" || said=$(cibadmin --delete-all --force --xpath "$1" 2>&1) || fail "cannot remove $id: $(last "$said")"
}
"""

# where: the node that runs it, soundly.  settled: nothing has been under way in the cluster for a moment, so that
# waiting on is of no use.  The coordinator needs a moment to notice a change, hence three looks.
_WATCH = r"""
calm=0
where() {
  crm_mon -1 --output-as=text --include=none,resources 2>/dev/null |
    sed -n "s/^.*\* ${id}[[:space:]].*:[[:space:]]*Started \([^ ]*\).*/\1/p"
}
active() { crm_resource --quiet --locate --resource "$id" 2>/dev/null || :; }
reasons() {
  crm_mon -1 --output-as=text --include=none,failures 2>/dev/null |
    grep -F "* $id " | sed 's/^ *\* //' | tail -n 3
}
settled() {
  dc=$(crmadmin --quiet --dc_lookup 2>/dev/null) || dc=
  case $(crmadmin --quiet --status "${dc:-none}" 2>/dev/null) in *S_IDLE*) calm=$((calm + 1)) ;; *) calm=0 ;; esac
  [ "$calm" -ge 3 ]
}
given_up() { [ "$(uptime)" -ge "$end" ] || settled; }
broken() { said=$(reasons); fail "$1${said:+: $said}"; }
"""

_ADD = r"""
cat >"$dir/add.xml"
add() {
  ! has "//resources//*[@id='$id']" || fail "the cluster already has a resource $id"
  erase "//rsc_location[@rsc='$id']"
  said=$(cibadmin --modify --allow-create --scope configuration --xml-file "$dir/add.xml" 2>&1) ||
    fail "the cluster refuses $id: $(last "$said")"
}
change add
"""

# Constraints first: 2.1.5 refuses a configuration in which one names a resource that is not there.
_REMOVE = r"""
remove() {
  erase "//constraints/*[@rsc='$id' or @with-rsc='$id' or @first='$id' or @then='$id']"
  erase "//resources//primitive[@id='$id']"
}
if exists; then
  crm_resource --resource "$id" --meta --set-parameter target-role --parameter-value Stopped >/dev/null
  end=$(( $(uptime) + seconds ))
  while [ "$(active)" ]; do
    ! given_up || broken "$id does not stop on $(active)"
    sleep 0.2
  done
  crm_resource --cleanup --resource "$id" >/dev/null 2>&1 || :
fi
change remove
"""

_MOVE = r"""
online=$(crm_mon -1 --output-as=text --include=none,nodes 2>/dev/null | sed -n 's/.*Online: \[ *\(.*[^ ]\) *\].*/\1/p')
case " $online " in *" $node "*) ;; *) fail "$node is not online (online: ${online:-none})" ;; esac
release() { crm_resource --clear --resource "$id" >/dev/null 2>&1 || :; }
trap release EXIT
trap 'exit 1' HUP INT TERM
end=$(( $(uptime) + seconds ))
release
if [ "$(where)" != "$node" ]; then
  crm_resource --cleanup --resource "$id" --node "$node" >/dev/null 2>&1 || :
  said=$(crm_resource --move --resource "$id" --node "$node" --lifetime PT15M 2>&1) || fail "$(last "$said")"
  while now=$(where); [ "$now" != "$node" ]; do
    ! given_up || broken "$id does not run on $node, but on ${now:-no node}"
    sleep 0.2
  done
fi
release
calm=0
until given_up; do sleep 0.1; done
now=$(where)
[ "$now" = "$node" ] || broken "$id did not stay on $node: it runs on ${now:-no node}"
printf 'node=%s\n' "$now"
"""

_WAIT_RUNNING = r"""
end=$(( $(uptime) + seconds ))
while now=$(where); [ -z "$now" ]; do
  ! given_up || broken "$id does not run"
  sleep 0.2
done
printf 'node=%s\n' "$now"
"""

_CLEANUP = r"""
said=$(crm_resource --cleanup --resource "$id" 2>&1) || fail "$(last "$said")"
"""


def add_service_script(service_id: str) -> str:
    """Add the service whose configuration, service_xml(), is on standard input, at once with its constraint.

    Fails when the cluster already has a resource of that id.
    """
    return _script(service_id, _CHANGE, _ADD)


def remove_service_script(service_id: str, *, seconds: int = TIMEOUT) -> str:
    """Stop the service, wait until it runs nowhere, then remove it with its constraints and its history.

    May be repeated; a service that the cluster does not have is removed already.
    """
    return _script(service_id, _CHANGE, _WATCH, f"seconds={seconds:d}\n", _REMOVE)


def move_script(service_id: str, node: str, *, seconds: int = TIMEOUT) -> str:
    """Move the service to that node, by name, and let it stay there; prints where it runs as node=NAME.

    The constraint that moves it is taken back in the end, also when this fails or is interrupted; should the
    machine die meanwhile, it expires.  Fails when the node is not online, and when the service does not start
    there; then it may run where it was before.
    """
    return _script(service_id, _EXISTS, _WATCH, f"node={shlex.quote(node)} seconds={seconds:d}\n", _MOVE)


def wait_running_script(service_id: str, *, seconds: int = TIMEOUT) -> str:
    """Wait until the service runs; prints where as node=NAME.

    Fails at once when the cluster has come to rest without it, and after `seconds`, with what its agent said.
    """
    return _script(service_id, _EXISTS, _WATCH, f"seconds={seconds:d}\n", _WAIT_RUNNING)


def cleanup_script(service_id: str) -> str:
    """Forget the failures of the service on all nodes, so that it is started again."""
    return _script(service_id, _EXISTS, _CLEANUP)


def _script(service_id: str, *parts: str) -> str:
    return _BASE + f"id={shlex.quote(service_id)}\n" + "".join(parts)
