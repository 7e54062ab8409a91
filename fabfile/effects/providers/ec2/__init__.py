"""Machines on Amazon EC2, through boto3, the only door to it."""

from ....core.ec2.instances import FoundCluster as FoundCluster
from . import instances as look
from .api import Api
from .provider import Ec2Provider as Ec2Provider


def found_clusters(region: str = "") -> list[FoundCluster]:
    """Every cluster that has living machines in the account and the region, by their tags alone."""
    return look.found_clusters(Api(region))
