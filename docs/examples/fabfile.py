"""A fabfile that uses sirikata-cluster as a library: fab --list, fab deploy demo

Install the library first: pip install PATH_OF_THIS_REPOSITORY
"""

from pathlib import Path

import sirikata_cluster
from invoke import Collection
from sirikata_cluster import Cluster, Service, reporter, task

SITE = Path(__file__).with_name("site")


@task(help={"name": "the cluster's name"})
def deploy(c, name):
    """Bring a cluster up and run a web site on it."""
    cluster = Cluster(name, report=reporter())
    cluster.up()
    publish(c, name)


@task(help={"name": "the cluster's name"})
def publish(c, name):
    """Copy the site to every node and run its web server."""
    cluster = Cluster(name, report=reporter())
    cluster.put(str(SITE), "/srv/site", sudo=True)
    site = Service(
        id="site",
        command="/usr/bin/python3 -m http.server 8090 --directory /srv/site",
        ready="tcp:8090",
    )
    cluster.apply_services([site], keep=True)
    where = cluster.service("site", wait=30).node
    print(f"the site is on {where}")


@task(help={"name": "the cluster's name"})
def load(c, name):
    """Print the load of each node."""
    for node, result in Cluster(name).run("cat /proc/loadavg").items():
        print(node, result.out.split()[0])


@task(help={"name": "the cluster's name"})
def look(c, name):
    """Fetch the site from a node, through a connection of Fabric's; print each node's kernel."""
    cluster = Cluster(name, config=c.config)
    node = int(cluster.service("site").node.removeprefix("node"))
    with cluster.connection(node).forward_local(8090):
        c.run("curl -fsS http://localhost:8090")
    for connection, result in cluster.connections().run("uname -r", hide=True).items():
        print(connection.host, result.stdout.strip())


@task(help={"name": "the cluster's name"})
def withdraw(c, name):
    """Stop the site and forget it."""
    Cluster(name, report=reporter()).remove_service("site")


ns = Collection(deploy, publish, load, look, withdraw)
ns.add_collection(sirikata_cluster.ns, name="cluster-tool")
ns.configure({"sirikata_cluster": {"ec2": {"instance_type": "t3.large"}}})
