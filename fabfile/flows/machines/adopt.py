"""Adoption of a cluster whose files are lost, by its machines' tags; its keys come from the machines."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ...core.corosync.config import config_version
from ...core.errors import ClusterError, NodeFailures, NotFound, Problem, StoreError, UsageError, named
from ...core.pacemaker.attributes import parse_capabilities, types_in
from ...core.pacemaker.cib import parse_services
from ...core.preview import Step
from ...core.report import Report
from ...core.spec.cluster import ClusterSpec
from ...core.spec.node import Node
from ...core.templates import script
from ...effects import dry_run, keys
from ...effects.files.text import whole
from ...effects.providers import provider_for
from ...effects.providers.base import Ec2Account, HostKeys, able
from ...effects.providers.ec2 import FoundCluster, found_clusters
from ...effects.ssh.access import Pem
from ...effects.ssh.known_hosts import known_keys, set_key
from ...effects.ssh.options import SshOptions
from ...effects.ssh.private_keys import check_pem
from ...effects.store.home import HOME_VARIABLE, names
from ...effects.store.store import Store
from .. import session
from ..corosync import distribute
from ..pacemaker import cib, member
from ..session import Session
from . import credentials


def adopt(
    files: Store,
    report: Report,
    *,
    region: str = "",
    cluster_id: str = "",
    pem: str = "",
    options: SshOptions | None = None,
) -> list[str]:
    """Recover a cluster on EC2 whose files are not on this machine; what was recovered.

    Its specification comes from the tags.  With a key that its machines accept (`pem`, the agent's, ~/.ssh)
    also its secrets, its corosync.conf and its services, from the machines; without one it can only be shown,
    terminated and destroyed.  Raises NotFound, which lists the clusters on EC2, and UsageError when the
    cluster is known here.
    """
    if pem:
        check_pem(Pem(Path(whole(pem)), named("pem")), passphrase=options.passphrase if options else "")
    spec = _known(files, cluster_id) if files.exists else _found(files.name, region, cluster_id)
    if not files.exists:
        # Later launches must not use a client token that the lost state has used.
        files.update_state(attempts=keys.number())
    # The path of a key on the machine that launched it means nothing here.
    found = replace(spec, ec2=replace(spec.ec2, region=region or spec.ec2.region, pem=whole(pem)))
    dry_run.plan(Step(spec.name, f"save the specification of {spec.id}"))
    files.save_spec(provider_for(found, files).pinned())
    opened = session.reading(files.name, report, options)
    return [f"the specification of {spec.id}", *_recover(opened)]


def _known(files: Store, cluster_id: str) -> ClusterSpec:
    """The specification of an earlier adoption that got no keys.

    Raises UsageError for any other cluster of that name.
    """
    spec = files.spec()
    on_ec2 = isinstance(provider_for(spec, files), Ec2Account)
    if not on_ec2 or files.secret("authkey") is not None or cluster_id not in ("", spec.id):
        raise UsageError(
            f"{files.name!r} exists here as {spec.id}: fab cluster.show {files.name}. To adopt another "
            f"cluster of that name, set {HOME_VARIABLE} to another folder"
        )
    return spec


def lost(region: str = "") -> list[FoundCluster]:
    """The clusters on EC2 that have machines but no specification here."""
    known = set()
    for name in names():
        with suppress(StoreError):  # a damaged file is reported elsewhere
            known.add(Store(name).spec().id)
    return [found for found in found_clusters(region) if found.id not in known]


def _found(name: str, region: str, cluster_id: str) -> ClusterSpec:
    clusters = found_clusters(region)
    matching = [found for found in clusters if found.name == name and cluster_id in ("", found.id)]
    if not matching:
        known = ", ".join(f"{found.name} ({found.id})" for found in clusters) or "none"
        text = f"no machines of a cluster {name!r} on EC2 in that region (clusters there: {known})"
        raise NotFound(Problem("", "name", text))
    if len(matching) > 1:
        ids = ", ".join(found.id for found in matching)
        text = f"{len(matching)} clusters are named {name!r}: choose one with {named('id')} ({ids})"
        raise UsageError(Problem("", "id", text))
    if matching[0].spec is None:
        raise ClusterError(f"{matching[0].id}: {matching[0].problem}")
    return matching[0].spec


def _recover(opened: Session) -> list[str]:
    """Fetch what only the machines have.

    Raises ClusterError where that fails; the cluster stays adopted without it.
    """
    machines = [node for node in opened.machines() if node.running]
    try:
        if not machines:
            raise ClusterError("none of its machines is running")
        with opened.report.step("host keys"):
            _learn_host_keys(opened, machines)
        with opened.report.step("keys and configuration"):
            return _fetch(opened, machines)
    except ClusterError as error:
        name = opened.spec.name
        partly = ClusterError(
            f"{error}\nThe specification of {opened.spec.id} is recovered, but not its keys: {name} can only "
            f"be shown and terminated. To try again: fab cluster.adopt {name} --pem=FILE"
        )
        partly.exit_code = NodeFailures.exit_code_partly
        raise partly from error


def _learn_host_keys(opened: Session, machines: Sequence[Node]) -> None:
    """Save the host keys that EC2 shows on the machines' consoles, or that the user's known_hosts has.

    One call for each machine: EC2 shows only one console a call.
    """
    shown = opened.remote.fan_out(machines, "host keys", able(opened.provider, HostKeys).host_keys)
    options = opened.remote.access.options
    for node in machines:
        for key in shown[node.name] or known_keys(node.ssh_host, node.ssh_port, options=options):
            set_key(opened.store.known_hosts, node.host_pattern, key)
    opened.store.update_state(keyed={node.id: node.host_pattern for node in machines})


def _fetch(opened: Session, machines: Sequence[Node]) -> list[str]:
    opened.remote.check()
    dry_run.stop(
        *(Step(node.name, f"add a new key to those that {node.user} accepts") for node in machines),
        Step(opened.spec.name, "fetch the keys, corosync.conf and the services from the nodes and save them"),
    )
    files = opened.store
    credentials.make_login_key(files)
    line = (files.secret("ssh_key.pub") or b"").strip() + b"\n"
    remote, authorize = opened.remote, script("ec2/authorize.sh")
    remote.fan_out(machines, "install the new key", lambda node: remote.run(node, authorize, stdin=line))
    nodes = [node for node in machines if node.role == "node"]
    if not (conf := distribute.in_force(opened, nodes)):
        raise ClusterError(f"no node of {opened.spec.name!r} has a corosync.conf that can be read")
    xml = cib.query(opened, nodes)
    found, types = parse_services(xml, nodes), types_in(parse_capabilities(xml), opened.spec.size)
    files.save_text("corosync.conf", conf)
    files.update_state(
        config_version=config_version(conf), certified=tuple(sorted(node.id for node in machines))
    )
    files.save_spec(replace(opened.spec, types=types, services=tuple(found.values())))
    # Last, since its presence means that everything was fetched.
    key = member.run(opened, nodes, "od -An -v -tx1 /etc/corosync/authkey")
    files.save_secret("authkey", bytes.fromhex("".join(key.split())))
    return ["its keys and corosync.conf", *(f"the service {service}" for service in found)]
