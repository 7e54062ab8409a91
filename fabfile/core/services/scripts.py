"""What a member does to add, move and remove a service: scripts for `sh`, run as root on any one member.

Each changes the configuration at once, as `cib_scripts` does it.  On failure the last words on standard error are what the
resource agent said, where it said something.
"""

import shlex
from collections.abc import Sequence

from ..pacemaker.scripts import EXISTS, WATCH, any_of, changing, named, script, several

# Seconds for a service to start, or to stop, on slow nodes: the operations' own timeouts end sooner.
TIMEOUT = 90

_ADD = r"""
cat >"$dir/add.xml"
add() {
  if has "//resources//*[$named]"; then
    for id in $ids; do
      ! has "//resources//*[@id='$id']" || fail "the cluster already has a resource $id"
    done
  fi
  id="what was left of $ids"
  erase "//rsc_location[$of_them]"
  said=$(cibadmin --modify --allow-create --scope configuration --xml-file "$dir/add.xml" 2>&1) ||
    fail "the cluster refuses $ids: $(last "$said")"
}
change add
"""

# Constraints first: 2.1.5 refuses a configuration in which one names a resource that is not there.  Last what the
# service told of its place: tools/places.py on the nodes.
_REMOVE = r"""
remove() {
  id=$ids
  erase "//constraints/*[$constrained]"
  erase "//resources//primitive[$named]"
  erase "//cluster_property_set[@id='sirikata.places']/nvpair[$placed]"
  erase "//cluster_property_set[@id='sirikata.places'][not(nvpair)]"
}
present=
for id in $ids; do
  ! exists || { present="$present $id"; told Stopped; }
done
end=$(( $(uptime) + seconds ))
for id in $present; do
  while [ "$(active)" ]; do
    ! given_up || broken "$id does not stop on $(active)"
    sleep 0.2
  done
done
for id in $present; do crm_resource --cleanup --resource "$id" >/dev/null 2>&1 || :; done
change remove
"""

_TELL_STOP = r"""
for id in $ids; do
  ! exists || told Stopped
done
"""

# Pacemaker waits for a start that is in flight.  The agent gives up as soon as its unit ends, once the probe that it
# waits for has ended.  Several rounds, since it may just be about to ask the next one.
_ABORT = r"""
abort() {
  starting='' probes=''
  for file in $(grep -lzx "OCF_RESOURCE_INSTANCE=$id" /proc/[0-9]*/environ 2>/dev/null); do
    process=${file#/proc/} process=${process%/environ}
    case $({ tr '\0' ' ' <"/proc/$process/cmdline"; } 2>/dev/null) in
      *'/sirikata/service start '*) starting=yes ;;
      'timeout --kill-after=1 '*) probes="$probes $process" ;;
    esac
  done
  [ "$starting" ] || return 1
  systemctl stop --no-block "sirikata-service-$id" 2>/dev/null || :
  [ -z "$probes" ] || kill $probes 2>/dev/null || :
}
for id in $ids; do
  for round in 1 2 3 4 5 6 7 8 9 10; do
    abort || break
    sleep 0.2
  done
done
"""

_MOVE = r"""
online=$(crm_mon -1 --output-as=text --include=none,nodes 2>/dev/null | sed -n 's/.*Online: \[ *\(.*[^ ]\) *\].*/\1/p')
case " $online " in *" $node "*) ;; *) fail "$node is not online (online: ${online:-none})" ;; esac
release() { crm_resource --clear --resource "$id" >/dev/null 2>&1 || :; }
trap release EXIT
trap 'exit 1' HUP INT TERM PIPE
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

# Whatever happens, the word that it shall stop is taken back, and so is what makes it start where it was.
_RESTART = r"""
release() {
  crm_resource --resource "$id" --meta --delete-parameter target-role >/dev/null 2>&1 || :
  crm_resource --clear --resource "$id" >/dev/null 2>&1 || :
}
trap release EXIT
trap 'exit 1' HUP INT TERM PIPE
stay=$(where)
told Stopped
end=$(( $(uptime) + seconds ))
while [ "$(active)" ]; do
  ! given_up || broken "$id does not stop on $(active)"
  sleep 0.2
done
crm_resource --cleanup --resource "$id" >/dev/null 2>&1 || :
crm_resource --clear --resource "$id" >/dev/null 2>&1 || :
[ -z "$stay" ] ||
  crm_resource --move --resource "$id" --node "$stay" --lifetime PT15M >/dev/null 2>&1 || :
crm_resource --resource "$id" --meta --delete-parameter target-role >/dev/null
calm=0
"""

_CLEANUP = r"""
said=$(crm_resource --cleanup --resource "$id" 2>&1) || fail "$(last "$said")"
"""


# What goes is told to stop in the change that adds and alters the rest; `remove_services_script` then takes it away.
_APPLY = r"""
cat >"$dir/wanted.xml"
apply() {
  others="[not(@provider='sirikata' and @type='service')]"
  if [ "$ids" ] && has "//resources//*[$named]$others"; then
    for id in $ids; do
      ! has "//resources//*[@id='$id']$others" ||
        fail "the cluster already has a resource $id, which is no service of ours"
    done
  fi
  id='what changes'
  [ -z "$stale" ] || erase "$stale"
  said=$(cibadmin --modify --allow-create --scope configuration --xml-file "$dir/wanted.xml" 2>&1) ||
    fail "the cluster refuses the services: $(last "$said")"
  for id in $going; do
    ! exists || told Stopped || fail "cannot tell $id to stop"
  done
}
change apply
"""

_LINES = r"""
lines() {
  %s
}
change lines
"""

_SETTLE = r"""
end=$(( $(uptime) + seconds ))
until given_up; do sleep 0.2; done
"""


def add_services_script(service_ids: Sequence[str], *, seconds: int = TIMEOUT) -> str:
    """Add the services whose configuration, services_xml(), is on standard input, with their constraints, in one change.

    Fails when the cluster already has a resource of one of those ids, and when others changed it for `seconds` on end.
    """
    words = f"named={named(service_ids)} of_them={named(service_ids, 'rsc')}\n"
    return several(service_ids, changing(seconds), words, _ADD)


def remove_services_script(service_ids: Sequence[str], *, seconds: int = TIMEOUT) -> str:
    """Stop the services, wait until they run nowhere, then remove them with their constraints and their history.

    May be repeated; a service that the cluster does not have is removed already.
    """
    told = [
        f"@name='sirikata-place-{one}' or contains(concat(@value, ' '), ' {one} ')" for one in service_ids
    ]
    words = (
        f"named={named(service_ids)} constrained={named(service_ids, 'rsc', 'with-rsc', 'first', 'then')} "
        f"placed={any_of(told)} seconds={seconds:d}\n"
    )
    return several(service_ids, changing(seconds), WATCH, words, _REMOVE)


def tell_stop_script(service_ids: Sequence[str]) -> str:
    """Tell the services to stop, and wait for nothing; those that the cluster does not have are left out."""
    return several(service_ids, _TELL_STOP)


def abort_script(service_ids: Sequence[str]) -> str:
    """Have starts of these services that are in flight on this very node fail; run it on every node.

    Without one it does nothing.  A service that was not told to stop is started again.
    """
    return several(service_ids, _ABORT)


def restart_script(service_id: str, *, seconds: int = TIMEOUT) -> str:
    """Stop the service, and what runs after it, then start it again; prints where it runs as node=NAME.

    Its failures are forgotten, and so is the word that it shall be stopped, whoever gave it.
    """
    return script(service_id, EXISTS, WATCH, f"seconds={seconds:d}\n", _RESTART, _WAIT_RUNNING)


def move_script(service_id: str, node: str, *, seconds: int = TIMEOUT) -> str:
    """Move the service to that node, by name, and let it stay there; prints where it runs as node=NAME.

    The constraint that moves it is taken back in the end, also when this fails or is interrupted; should the
    machine die meanwhile, it expires.  Fails when the node is not online, and when the service does not start
    there; then it may run where it was before.
    """
    return script(service_id, EXISTS, WATCH, f"node={shlex.quote(node)} seconds={seconds:d}\n", _MOVE)


def wait_running_script(service_id: str, *, seconds: int = TIMEOUT) -> str:
    """Wait until the service runs; prints where as node=NAME.

    Fails at once when the cluster has come to rest without it, and after `seconds`, with what its agent said.
    """
    return script(service_id, EXISTS, WATCH, f"seconds={seconds:d}\n", _WAIT_RUNNING)


def cleanup_script(service_id: str, *, seconds: int = TIMEOUT) -> str:
    """Forget the failures of the service on all nodes, so that it is started again; prints where as node=NAME."""
    return script(service_id, EXISTS, WATCH, f"seconds={seconds:d}\n", _CLEANUP, _WAIT_RUNNING)


def apply_services_script(
    service_ids: Sequence[str], going: Sequence[str], stale: str, *, seconds: int = TIMEOUT
) -> str:
    """Add and alter services, and tell those that are `going` to stop, in one change: all of it or nothing.

    service_change.change_xml() is on standard input; `stale` is an XPath to what goes of what is altered, or empty.
    Fails when another kind of resource has one of the ids, and when others changed the cluster for `seconds` on end.
    """
    words = f"going={shlex.quote(' '.join(going))} stale={shlex.quote(stale)} named={named(service_ids)}\n"
    return several(service_ids, changing(seconds), words, _APPLY)


def change_script(commands: Sequence[str]) -> str:
    """Change the configuration by those commands, which CIB_file leads to a copy of it: all of them or nothing."""
    tries = (f"{command} >/dev/null || fail 'the cluster refuses: {command}'" for command in commands)
    return script("", changing(TIMEOUT), _LINES % "\n  ".join(tries))


def settle_script(*, seconds: int = TIMEOUT) -> str:
    """Wait until the cluster has come to rest after a change, for `seconds` at most; never fails for that."""
    return script("", WATCH, f"seconds={seconds:d}\n", _SETTLE)
