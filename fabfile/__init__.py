"""sirikata-cluster: every task a user can type (`ns`), and the same from Python (`Cluster`).

For a fabfile of your own: `task` makes tasks whose errors are sentences, as ours are, and `reporter` shows
progress.
"""

from invoke.collection import Collection

from .console import hooks as hooks  # first: what fails while the rest is imported is a sentence, too
from .core.adhoc.host import Host
from .core.ec2.options import Ec2Options
from .core.errors import ClusterError, NodeError, NodeFailures, NotFound, Preflight, StoreError, UsageError
from .core.preview import Preview, Step
from .core.services.service import Service
from .library import Cluster, clusters, preview
from .tasks import (
    adhoc,
    cluster,
    corosync,
    ec2,
    local,
    machines,
    members,
    puppet,
    services,
    sirikata,
    task,
    up,
)
from .tasks.show.progress import reporter

# The one place of the version: packaging reads it from here.
__version__ = "1.0.0"

cluster_tasks = Collection.from_module(cluster)
cluster_tasks.add_collection(Collection.from_module(machines, name="nodes"))
cluster_tasks.add_collection(Collection.from_module(members))

ns = Collection(up.up, up.down)
ns.add_collection(Collection.from_module(adhoc))
ns.add_collection(cluster_tasks)
ns.add_collection(Collection.from_module(corosync))
ns.add_collection(Collection.from_module(ec2))
ns.add_collection(Collection.from_module(local))
ns.add_collection(Collection.from_module(puppet))
ns.add_collection(Collection.from_module(services, name="service"))
ns.add_collection(sirikata.collection())

__all__ = [
    "Cluster",
    "ClusterError",
    "Ec2Options",
    "Host",
    "NodeError",
    "NodeFailures",
    "NotFound",
    "Preflight",
    "Preview",
    "Service",
    "Step",
    "StoreError",
    "UsageError",
    "clusters",
    "ns",
    "preview",
    "reporter",
    "task",
]
