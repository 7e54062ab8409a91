"""The three kinds of machine, behind one interface (base.Provider)."""

from ...core.spec.cluster import ClusterSpec
from ..store.store import Store
from .adhoc import AdhocProvider
from .base import Provider
from .ec2 import Ec2Provider
from .local.provider import LocalProvider


def provider_for(spec: ClusterSpec, store: Store) -> Provider:
    """The provider of the kind that a specification names, for that cluster."""
    if spec.provider == "local":
        return LocalProvider(spec, store.secret_path("ssh_key"))
    if spec.provider == "ec2":
        return Ec2Provider(spec, store)
    return AdhocProvider(spec, store)
