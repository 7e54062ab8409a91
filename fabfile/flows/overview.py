"""All clusters: those with a specification here, and those that EC2 has machines of."""

from typing import Any

from ..core.errors import ClusterError
from ..core.report import Report
from ..core.spec.node import members
from ..effects.providers import ec2, provider_for
from ..effects.providers.base import Ec2Account, Provider
from ..effects.providers.ec2 import FoundCluster
from ..effects.ssh.options import SshOptions
from ..effects.store import home
from ..effects.store.store import Store
from .machines import adopt


def overview(report: Report, options: SshOptions) -> list[dict[str, Any]]:
    """Every cluster: name, provider, size, running nodes, and the problem with it where there is one.

    EC2 is searched for clusters that are unknown here where the user has it: a specification or the
    environment says so.  When it does not answer, that is a warning.
    """
    rows, regions = list[dict[str, Any]](), {""} if ec2.is_configured() else set[str]()
    for name in home.names():
        row, provider = _row(name, options)
        rows.append(row)
        if isinstance(provider, Ec2Account):
            regions.add(provider.region())
    found: dict[str, FoundCluster] = {}
    for region in sorted(regions):
        try:
            found |= {cluster.id: cluster for cluster in adopt.lost(region)}
        except ClusterError as error:
            report.warn(f"EC2 could not be searched for clusters that are not known here: {error}")
    return rows + [_lost_row(cluster) for cluster in found.values()]


def _lost_row(found: FoundCluster) -> dict[str, Any]:
    taken = f", whose name is used here, into another folder ({home.HOME_VARIABLE})"
    where = taken if found.name in home.names() else ""
    return {
        "name": found.name,
        "provider": "ec2",
        "size": found.spec.size if found.spec else found.nodes,
        "running": found.running,
        "problem": (
            f"{found.id} is not known here. To adopt it{where}: fab cluster.adopt {found.name}"
            f" --id={found.id}"
        ),
    }


def _row(name: str, options: SshOptions) -> tuple[dict[str, Any], Provider | None]:
    row: dict[str, Any] = {"name": name, "provider": "", "size": None, "running": 0, "problem": ""}
    provider = None
    try:
        spec = Store(name).spec()
        row |= {"provider": spec.provider, "size": spec.size}
        provider = provider_for(spec, Store(name), options)
        nodes = members(provider.nodes())
        row["running"] = sum(node.running for node in nodes)
    except ClusterError as error:
        row |= {"problem": str(error), "running": None}
    return row, provider
