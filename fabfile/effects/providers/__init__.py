"""The kinds of machine, behind one interface (base.Provider)."""

from typing import assert_never

from ...core.spec.cluster import ClusterSpec
from ..ssh.options import SshOptions
from ..store.store import Store
from .adhoc import AdhocProvider
from .base import Provider
from .ec2 import Ec2Provider
from .local.provider import LocalProvider


def provider_for(spec: ClusterSpec, store: Store, options: SshOptions | None = None) -> Provider:
    """The provider of the kind that a specification names, for that cluster.

    `options`: how the user reaches hosts that exist already.
    """
    match spec.provider:
        case "local":
            return LocalProvider(spec, store.secret_path("ssh_key"))
        case "ec2":
            return Ec2Provider(spec, store)
        case "adhoc":
            return AdhocProvider(spec, store, options or SshOptions())
        case unknown:
            assert_never(unknown)
