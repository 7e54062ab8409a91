"""Puppet agents: the scripts that make a machine one.

puppet-agent(8), puppet.conf(5); Puppet documentation, "CSR attributes and certificate extensions".
"""

from ..spec.cluster import ClusterSpec
from ..templates import script


def agent_setup(spec: ClusterSpec, *, server: str, token: str, name: str = "", own: str = "") -> str:
    """A script that makes a machine an agent of the cluster's Puppet master, whose certname is `server`.

    It holds the token, so the file that it is written to must be readable by root only.  The certname is the
    machine's host name, up to the first dot, and the cluster's name; `name` takes the place of the host name.
    `own` is a folder for the agent's certificates, on a host that may use Puppet for other things; empty:
    where Puppet keeps them.
    """
    return script(
        *_INSTALL,
        "puppet/agent-find.sh",
        "puppet/agent-setup.sh",
        cluster=spec.name,
        server=server,
        token=token,
        node=name,
        own=own,
        own_master="yes" if spec.own_master else "",
    )


def install_script() -> str:
    """The first part of `agent_setup`, which knows nothing of the cluster: installs a missing agent."""
    return script(*_INSTALL)


def reset_certificates_script() -> str:
    """Removes the agent's keys and certificates; its next run requests a new certificate."""
    return script("puppet/environment.sh", "puppet/agent-reset.sh")


_INSTALL = ("puppet/environment.sh", "puppet/install.sh.j2", "puppet/agent-install.sh")
