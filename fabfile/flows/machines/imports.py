"""Existing instances become nodes of a cluster: checked, set up over SSH, then tagged."""

import re
from collections.abc import Sequence
from dataclasses import replace

from ...core.cloud_init import adopt_script
from ...core.errors import NodeError, Problem, UsageError, named, shown
from ...core.preview import Step
from ...core.spec.names import is_login_user
from ...core.spec.node import Node
from ...core.templates import script
from ...effects import dry_run
from ...effects.providers.base import HostKeys, Importer, able
from ...effects.ssh.known_hosts import known_keys, remove_host, set_key
from ...effects.ssh.runner import Remote
from ..session import Session
from . import credentials, hosts


def import_nodes(session: Session, ids: Sequence[str], *, user: str = "", pem: str = "") -> list[Node]:
    """Make these instances the cluster's next nodes, in their order; they are terminated with it.

    `user`: the account to log in to now, which may use sudo; empty: the cluster's administrator.  Raises
    UsageError with every problem before anything is changed.  A repeated run resumes after an interruption.
    """
    importer = able(session.provider, Importer)
    indexes = _indexes(session, ids, _user_problems(user))
    if problems := importer.import_problems(indexes):
        raise UsageError(problems)
    nodes = importer.import_candidates(indexes, user or session.spec.user)
    remote = session.with_key(pem).remote
    _learn_host_keys(session, nodes)
    _check(session, remote, nodes, user)
    done = "set up the account, the host name and the Puppet agent, then tag it as the cluster's"
    dry_run.stop(*(Step(node.name, f"{done} ({node.id})") for node in nodes))
    credentials.make(session)
    with session.report.step("set up"):
        remote.fan_out(nodes, "set up", lambda node: _set_up(session, remote, node))
    importer.import_nodes(indexes)
    keyed = session.store.state().keyed
    session.store.update_state(keyed=keyed | {node.id: node.host_pattern for node in nodes})
    return [replace(node, user=session.spec.user) for node in nodes]


def _user_problems(user: str) -> list[Problem]:
    if not user or is_login_user(user):
        return []
    return [Problem("", "user", f"{named('user')} must be the name of a Linux account, got {shown(user)}")]


def _indexes(session: Session, ids: Sequence[str], problems: Sequence[Problem]) -> dict[str, int]:
    """The index of each instance: the one that it has, or the next free one.

    Raises UsageError, with the other problems of the command.
    """
    texts = [
        f"invalid instance id {each!r}, for example i-0123456789abcdef0" for each in ids if not _is_id(each)
    ]
    texts += [f"{each} is given {ids.count(each)} times" for each in sorted(set(ids)) if ids.count(each) > 1]
    if not ids:
        texts.append("no instance ids given, for example 'i-0123456789abcdef0 i-0fedcba9876543210'")
    if texts or problems:
        raise UsageError([*(Problem("", "ids", text) for text in texts), *problems])
    have = {node.id: node.index for node in session.members()}
    free = [index for index in range(session.spec.size) if index not in have.values()]
    new = [each for each in ids if each not in have]
    if len(new) > len(free):
        text = (
            f"{session.spec.name!r} lacks {len(free)} of its {session.spec.size} nodes, so it cannot take "
            f"{len(new)} more"
        )
        raise UsageError(Problem("", "ids", text))
    indexes = have | dict(zip(new, free, strict=False))
    return {each: indexes[each] for each in ids}


def _is_id(text: str) -> bool:
    return bool(re.fullmatch(r"i-[0-9a-f]{8,17}", text))


def _learn_host_keys(session: Session, nodes: Sequence[Node]) -> None:
    """Save their host keys: from their consoles, or from the user's known_hosts.

    Raises UsageError for the others.
    """
    shown = session.remote.fan_out(nodes, "host keys", able(session.provider, HostKeys).host_keys)
    options = session.remote.access.options
    keys = {
        node.name: shown[node.name] or known_keys(node.ssh_host, node.ssh_port, options=options)
        for node in nodes
    }
    if unknown := [node for node in nodes if not keys[node.name]]:
        raise UsageError(_unknown_host_key(node) for node in unknown)
    for node in nodes:
        remove_host(session.store.known_hosts, node.host_pattern)
        for key in keys[node.name]:
            set_key(session.store.known_hosts, node.host_pattern, key)


def _unknown_host_key(node: Node) -> Problem:
    text = (
        f"the host key of {node.id} is unknown: it is neither on its console on EC2 nor, for "
        f"{node.ssh_host}, in ~/.ssh/known_hosts. Compare the key that 'ssh {node.ssh_host}' shows with the "
        "machine's own, and accept it there"
    )
    return Problem("", "ids", text)


def _check(session: Session, remote: Remote, nodes: Sequence[Node], user: str) -> None:
    """Check on each instance whether it can be a node.  Raises UsageError with everything found."""
    check = script("ec2/import-check.sh", cluster=session.spec.name)

    def found_on(node: Node) -> list[str]:
        try:
            return remote.sudo(node, check, timeout=60).out.splitlines()
        except NodeError as error:
            other = f". Many images have another account: {named('user')}=debian, {named('user')}=ubuntu"
            return [error.problem + ("" if user else other)]

    with session.report.step("check the instances"):
        found = remote.fan_out(nodes, "check", found_on)
    problems = [
        Problem(f"{node.id} ({node.ssh_host})", "ids", text) for node in nodes for text in found[node.name]
    ]
    if problems:
        raise UsageError(problems)


def _set_up(session: Session, remote: Remote, node: Node) -> None:
    """What user-data does on a machine that we launch."""
    spec, store = session.spec, session.store
    set_up = adopt_script(spec.user, node.name)
    session.report.node(node.name, "account and name")
    remote.sudo(node, set_up, stdin=(store.secret("ssh_key.pub") or b"").strip() + b"\n")
    hosts.set_up_agent(session, remote, node)
