"""A cluster whose files are lost, found again by the tags of its machines; its keys fetched from the machines themselves."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ...core.corosync.config import config_version
from ...core.errors import ClusterError, NodeFailures, NotFound, StoreError, UsageError, named
from ...core.pacemaker.attributes import parse_capabilities, types_in
from ...core.pacemaker.cib import parse_services
from ...core.report import Report
from ...core.spec.cluster import ClusterSpec
from ...core.spec.node import Node
from ...effects import keys
from ...effects.files.text import whole
from ...effects.providers import provider_for
from ...effects.providers.base import HostKeys, able
from ...effects.providers.ec2 import FoundCluster, found_clusters
from ...effects.ssh.access import Pem
from ...effects.ssh.known_hosts import known_keys, set_key
from ...effects.ssh.private_keys import check_pem
from ...effects.store.home import HOME_VARIABLE, names
from ...effects.store.store import Store
from .. import session
from ..pacemaker import cib, member
from ..session import Session
from . import credentials


def adopt(
    files: Store, report: Report, *, region: str = "", cluster_id: str = "", pem: str = ""
) -> list[str]:
    """Take a cluster on EC2 back that this machine knows nothing of any more.  Answers what was recovered.

    Its specification comes from the tags.  With a key that its machines accept (`pem`, the agent's, ~/.ssh) also its
    secrets, its corosync.conf and its services, from the machines; without one it can be looked at, terminated and
    destroyed.  Raises NotFound, which lists what is there, and UsageError when the cluster is known here.
    """
    if pem:
        check_pem(Pem(Path(whole(pem)), named("pem")))
    spec = _known(files, cluster_id) if files.exists else _found(files.name, region, cluster_id)
    if not files.exists:
        # Launches to come must not use a client token that the lost state has used.
        files.update_state(attempts=keys.number())
    # The path of a key on whatever machine launched it says nothing here.
    found = replace(spec, ec2=replace(spec.ec2, region=region or spec.ec2.region, pem=whole(pem)))
    files.save_spec(provider_for(found, files).pinned())
    opened = session.reading(files.name, report)
    return [f"the specification of {spec.id}", *_recover(opened)]


def _known(files: Store, cluster_id: str) -> ClusterSpec:
    """The specification of an adoption that got no keys.  Raises UsageError for any other cluster of that name."""
    spec = files.spec()
    if spec.provider != "ec2" or files.secret("authkey") is not None or cluster_id not in ("", spec.id):
        raise UsageError(
            f"{files.name!r} is {spec.id} here: fab cluster.show {files.name}. Another cluster of that name can be adopted "
            f"into a home of its own, by {HOME_VARIABLE}"
        )
    return spec


def lost(region: str = "") -> list[FoundCluster]:
    """The clusters on EC2 that have machines and no specification here."""
    known = set()
    for name in names():
        with suppress(StoreError):  # a damaged file is told of elsewhere
            known.add(Store(name).spec().id)
    return [found for found in found_clusters(region) if found.id not in known]


def _found(name: str, region: str, cluster_id: str) -> ClusterSpec:
    there = found_clusters(region)
    named = [one for one in there if one.name == name and cluster_id in ("", one.id)]
    if not named:
        known = ", ".join(f"{one.name} ({one.id})" for one in there) or "none"
        raise NotFound(f"no machines of a cluster {name!r} on EC2 in that region (clusters there: {known})")
    if len(named) > 1:
        raise UsageError(
            f"{len(named)} clusters are called {name!r}: choose by --id={' or --id='.join(c.id for c in named)}"
        )
    if named[0].spec is None:
        raise ClusterError(f"{named[0].id}: {named[0].problem}")
    return named[0].spec


def _recover(opened: Session) -> list[str]:
    """Fetch what the machines know.  Raises ClusterError where that cannot be had; the cluster stays adopted without it."""
    machines = [node for node in opened.provider.nodes() if node.running]
    try:
        if not machines:
            raise ClusterError("none of its machines runs")
        with opened.report.step("host keys"):
            _trust(opened, machines)
        with opened.report.step("keys and configuration"):
            return _fetch(opened, machines)
    except ClusterError as error:
        name = opened.spec.name
        partly = ClusterError(
            f"{error}\nThe specification of {opened.spec.id} is here again. Without its keys {name} can only be looked at and "
            f"terminated. To try again: fab cluster.adopt {name} --pem=FILE"
        )
        partly.exit_code = NodeFailures.exit_code_partly
        raise partly from error


def _trust(opened: Session, machines: Sequence[Node]) -> None:
    """Take over the host keys that EC2 shows on the machines' consoles, or that the person's own known_hosts has.

    A call a machine, as for nothing else: consoles can only be asked for one by one.
    """
    shown = opened.remote.fan_out(machines, "host keys", able(opened.provider, HostKeys).host_keys)
    for node in machines:
        for key in shown[node.name] or known_keys(node.ssh_host, node.ssh_port):
            set_key(opened.store.known_hosts, node.host_pattern, key)
    opened.store.update_state(keyed={node.id: node.host_pattern for node in machines})


def _fetch(opened: Session, machines: Sequence[Node]) -> list[str]:
    files = opened.store
    credentials.make_login_key(files)
    line = (files.secret("ssh_key.pub") or b"").strip() + b"\n"
    remote = opened.remote
    remote.fan_out(machines, "install the new key", lambda node: remote.run(node, _AUTHORIZE, stdin=line))
    nodes = [node for node in machines if node.role == "node"]
    conf = member.run(opened, nodes, "cat /etc/corosync/corosync.conf")
    xml = cib.query(opened, nodes)
    found, types = parse_services(xml, nodes), types_in(parse_capabilities(xml), opened.spec.size)
    files.save_text("corosync.conf", conf)
    files.update_state(
        config_version=config_version(conf), certified=tuple(sorted(node.id for node in machines))
    )
    files.save_spec(replace(opened.spec, types=types, services=tuple(found.values())))
    # Last: it says that everything was fetched.
    key = member.run(opened, nodes, "od -An -v -tx1 /etc/corosync/authkey")
    files.save_secret("authkey", bytes.fromhex("".join(key.split())))
    return ["its keys and corosync.conf", *(f"the service {service}" for service in found)]


# Standard input: a public key for the account that runs this.
_AUTHORIZE = """set -eu
umask 077
mkdir -p ~/.ssh
read -r key
grep -qxF "$key" ~/.ssh/authorized_keys 2>/dev/null || printf '%s\\n' "$key" >>~/.ssh/authorized_keys
"""
