"""Instances that were launched otherwise, made nodes of a cluster: checked, set up over SSH, then tagged."""

import re
from collections.abc import Sequence
from dataclasses import replace

from ...core.cloud_init import adopt_script
from ...core.errors import NodeError, UsageError
from ...core.spec.node import Node
from ...effects.providers.base import HostKeys, Importer, able
from ...effects.ssh.known_hosts import known_keys, remove_host, set_key
from ...effects.ssh.runner import Remote
from ..session import Session
from . import credentials, hosts


def take_in(session: Session, ids: Sequence[str], *, user: str = "", pem: str = "") -> list[Node]:
    """Make these instances the cluster's next nodes, in their order; they are terminated with it.

    `user` is the account that can be logged in to now and may use sudo; none: the cluster's administrator.
    Raises UsageError with every problem before anything is changed.  Run again after an interruption, it goes on.
    """
    provider = able(session.provider, Importer)
    indexes = _places(session, ids)
    if problems := provider.import_problems(indexes):
        raise UsageError(problems)
    nodes = provider.outsiders(indexes, user or session.spec.user)
    remote = session.with_key(pem).remote
    _trust(session, nodes)
    _check(session, remote, nodes, user)
    credentials.make(session)
    with session.report.step("set up"):
        remote.fan_out(nodes, "set up", lambda node: _set_up(session, remote, node))
    provider.take_in(indexes)
    keyed = session.store.state().keyed
    session.store.update_state(keyed=keyed | {node.id: node.host_pattern for node in nodes})
    return [replace(node, user=session.spec.user) for node in nodes]


def _places(session: Session, ids: Sequence[str]) -> dict[str, int]:
    """The index of each instance: the one that it has, or the next that is free."""
    problems = [
        f"{one!r} is no id of an instance, for example 'i-0123456789abcdef0'"
        for one in ids
        if not _is_id(one)
    ]
    problems += [f"{one} is given {ids.count(one)} times" for one in sorted(set(ids)) if ids.count(one) > 1]
    if not ids:
        problems.append(
            "give the ids of the instances, for example 'i-0123456789abcdef0 i-0fedcba9876543210'"
        )
    if problems:
        raise UsageError(problems)
    have = {node.id: node.index for node in session.members()}
    free = [index for index in range(session.spec.size) if index not in have.values()]
    new = [one for one in ids if one not in have]
    if len(new) > len(free):
        raise UsageError(
            f"{session.spec.name!r} has room for {len(free)} more of its {session.spec.size} nodes, not for {len(new)}"
        )
    places = have | dict(zip(new, free, strict=False))
    return {one: places[one] for one in ids}


def _is_id(text: str) -> bool:
    return bool(re.fullmatch(r"i-[0-9a-f]{8,17}", text))


def _trust(session: Session, nodes: Sequence[Node]) -> None:
    """Know their host keys: from their consoles, or from the person's own known_hosts.  Raises UsageError for the others."""
    shown = session.remote.fan_out(nodes, "host keys", able(session.provider, HostKeys).host_keys)
    keys = {node.name: shown[node.name] or known_keys(node.ssh_host, node.ssh_port) for node in nodes}
    if unknown := [node for node in nodes if not keys[node.name]]:
        raise UsageError(
            [
                f"{node.id}: its host key is not known: EC2 has none on its console, and ~/.ssh/known_hosts none of "
                f"{node.ssh_host}. Compare the key that 'ssh {node.ssh_host}' shows with the machine's own, and accept it there"
                for node in unknown
            ]
        )
    for node in nodes:
        remove_host(session.store.known_hosts, node.host_pattern)
        for key in keys[node.name]:
            set_key(session.store.known_hosts, node.host_pattern, key)


def _check(session: Session, remote: Remote, nodes: Sequence[Node], user: str) -> None:
    """Ask each what would keep it from being a node.  Raises UsageError with all that they say."""

    def ask(node: Node) -> list[str]:
        try:
            return remote.sudo(node, _LACKS, stdin=session.spec.name.encode(), timeout=60).out.splitlines()
        except NodeError as error:
            other = (
                "" if user else ". Another account can log in to many images: --user=debian, --user=ubuntu"
            )
            return [error.problem + other]

    with session.report.step("check the instances"):
        said = remote.fan_out(nodes, "check", ask)
    problems = [f"{node.id} ({node.ssh_host}): {problem}" for node in nodes for problem in said[node.name]]
    if problems:
        raise UsageError(problems)


def _set_up(session: Session, remote: Remote, node: Node) -> None:
    """What user-data does for a machine that we launch."""
    spec, store = session.spec, session.store
    script = adopt_script(spec.user, node.name)
    session.report.node(node.name, "account and name")
    remote.sudo(node, script, stdin=(store.secret("ssh_key.pub") or b"").strip() + b"\n")
    hosts.set_up_agent(session, remote, node)


# Standard input: the cluster's name.  Output: a line for each thing that is in the way.
_LACKS = """set -eu
name=$(cat)
command -v apt-get >/dev/null || echo 'it is no Debian or Ubuntu: there is no apt-get'
[ -d /run/systemd/system ] || echo 'systemd does not run there'
conf=/etc/corosync/corosync.conf
if [ -e "$conf" ] && systemctl --quiet is-active corosync; then
  other=$(sed -n 's/^[[:space:]]*cluster_name:[[:space:]]*//p' "$conf" | head -n 1)
  [ "$other" = "$name" ] || echo "it is a member of the cluster '$other': take it out there first"
fi
"""
