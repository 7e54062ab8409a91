"""The cluster's configuration, read from a live member."""

from fabfile.flows.pacemaker import cib
from tests.builders import service
from tests.flows.simulated import Cluster


def test_services_are_those_of_the_configuration() -> None:
    web = service("web", on=1)
    cluster = Cluster().with_services(web)
    assert cib.services(cluster.session, cluster.machines) == {"web": web}
