"""sirikata-cluster: every task a user can type, and nothing else."""

from invoke.collection import Collection

from .tasks import apply, cluster, corosync, ec2, local, members, nodes, puppet, service, sirikata, up

cluster_tasks = Collection.from_module(cluster)
cluster_tasks.add_collection(Collection.from_module(nodes))
cluster_tasks.add_collection(Collection.from_module(members))

service_tasks = Collection.from_module(service)
for each in Collection.from_module(apply).tasks.values():
    service_tasks.add_task(each)

ns = Collection(up.up, up.down)
ns.add_collection(cluster_tasks)
ns.add_collection(Collection.from_module(corosync))
ns.add_collection(Collection.from_module(ec2))
ns.add_collection(Collection.from_module(local))
ns.add_collection(Collection.from_module(puppet))
ns.add_collection(service_tasks)
ns.add_collection(sirikata.collection())
