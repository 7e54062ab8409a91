"""Machines on Amazon EC2, through boto3."""

from ....core.ec2.instances import FoundCluster as FoundCluster
from . import instances
from .api import Api
from .api import is_configured as is_configured
from .provider import Ec2Provider as Ec2Provider


def found_clusters(region: str = "") -> list[FoundCluster]:
    """Every cluster that has living machines in the account and the region, by their tags alone."""
    return instances.found_clusters(Api(region))
