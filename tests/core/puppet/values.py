"""Values that the tests of Puppet share."""

from fabfile.core.puppet.files import Secrets
from fabfile.core.spec.cluster import ClusterSpec
from tests.paths import ROOT

DATA = ROOT / "data" / "puppet"
SECRETS = Secrets("5ec2e7" * 10, bytes(range(256)))


def spec(**changes: object) -> ClusterSpec:
    return ClusterSpec(**{"name": "web-1", "uid": "3f2a", "size": 3, **changes})  # type: ignore[arg-type]
