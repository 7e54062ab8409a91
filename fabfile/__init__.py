"""sirikata-cluster: every task a user can type, and nothing else."""

from invoke.collection import Collection

from .tasks import cluster, corosync, ec2, local, members, nodes, puppet, service, up

cluster_tasks = Collection.from_module(cluster)
cluster_tasks.add_collection(Collection.from_module(nodes))
cluster_tasks.add_collection(Collection.from_module(members))

ns = Collection(up.up, up.down)
ns.add_collection(cluster_tasks)
ns.add_collection(Collection.from_module(corosync))
ns.add_collection(Collection.from_module(ec2))
ns.add_collection(Collection.from_module(local))
ns.add_collection(Collection.from_module(puppet))
ns.add_collection(Collection.from_module(service))
