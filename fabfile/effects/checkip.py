"""The public address of this machine, from a service on the Internet."""

import ipaddress
import os
import urllib.request

from ..core.errors import ClusterError

VARIABLE = "SIRIKATA_CLUSTER_CHECKIP"
# Amazon's own service for this (Amazon EC2 User Guide, "Security group rules for different use cases").
SERVICE = "https://checkip.amazonaws.com"
_TIMEOUT = 10.0  # seconds


def own_network() -> str:
    """The network that holds this machine's public address alone, a /32 or a /128.

    SIRIKATA_CLUSTER_CHECKIP names another service, which returns the address as plain text.  Raises
    ClusterError.
    """
    service = os.environ.get(VARIABLE) or SERVICE
    try:
        if not service.startswith(("http://", "https://")):
            raise ValueError("not an http or https address")
        with urllib.request.urlopen(service, timeout=_TIMEOUT) as answer:
            return str(ipaddress.ip_network(answer.read(100).decode("ascii").strip()))
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"cannot look up this machine's public address at {service} ({getattr(error, 'reason', error)}). "
            "Name the network that may reach SSH instead: --ssh-from=203.0.113.7/32"
        ) from error
