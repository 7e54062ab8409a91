"""Puppet agents: the scripts that make a machine one.

puppet-agent(8), puppet.conf(5); Puppet documentation, "CSR attributes and certificate extensions".
"""

import shlex

from ..adhoc.survey import HOME
from ..spec.cluster import ClusterSpec
from ..templates import render


def agent_setup(spec: ClusterSpec, *, server: str, token: str, name: str = "") -> str:
    """A POSIX sh script that makes a machine an agent of the cluster's Puppet master.

    It holds the token, so the file it is written to must be readable by root only.  The certname is the machine's host
    name, up to the first dot, and the cluster's; `name` takes the place of the host name.
    """
    return render(
        "puppet/agent-setup.sh.j2",
        cluster_name=spec.name,
        server=shlex.quote(server),
        token=token,
        name=shlex.quote(name) if name else "",
        own_master=spec.own_master,
        ready_made=spec.provider == "adhoc",
        home=HOME,
    )


def install_script() -> str:
    """The first part of `agent_setup`, which needs to know nothing of the cluster: installs the agent where there is none."""
    return render("puppet/agent-install.sh.j2")


def reset_certificates_script() -> str:
    """Removes the agent's keys and certificates; its next run requests a new certificate."""
    return render("puppet/agent-reset.sh.j2")
