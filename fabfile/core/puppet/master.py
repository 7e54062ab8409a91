"""A Puppet master: the content of its files, and the scripts that put them in place.

A master that serves others too: shared.py.  Agents: agent.py and runs.py.
Puppet documentation: "Config files: environment.conf", "External node classifiers", "SSL configuration:
autosigning certificate requests".
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import yaml

from ..spec.cluster import ClusterSpec
from ..spec.node import MASTER_NAME, certname, node_name
from ..spec.types import DEFAULT
from ..templates import render, script
from .files import MARK, File, Folder, Layout, Secrets, mount

MODULE = "sirikata_cluster"
# What a script on a master begins with: one at a time; with Puppet's server there; with `find_home`, which
# needs `cluster` and `id`.
LOCKED = ("puppet/environment.sh", "puppet/master-lock.sh")
INSTALL = ("puppet/install.sh.j2", "puppet/master-install.sh")
FOUND = (*LOCKED, "puppet/master-find.sh")
START_TIMEOUT = 300  # seconds for the server to answer; a start takes 14 to 27 s of CPU

# One JRuby and the first compiler only: half the start-up time, half the memory.  No TLS session tickets:
# agents wait 30 s for them at their first run.
_JAVA_ARGS = (
    "-Xms512m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "
    "-Djdk.tls.server.newSessionTicketCount=0 "
    "-Djruby.logger.class=com.puppetlabs.jruby_utils.jruby.Slf4jLogger"
)
_SERVER_CONF = """# Managed by sirikata-cluster
jruby-puppet: { max-active-instances: 1 }
profiler: { enabled: false }
"""


def own_certname(spec: ClusterSpec) -> str:
    """The certname of a master that is a machine of the cluster: `puppet.demo`."""
    return certname(MASTER_NAME, spec.name)


def cluster_files(
    spec: ClusterSpec, layout: Layout, secrets: Secrets, corosync_conf: str | None, data: Mapping[str, bytes]
) -> list[File]:
    """What one cluster needs on a master; none of it needs a restart of the server.

    `corosync_conf` is None as long as there are no nodes that it could name.
    `data` is the tree of data/puppet, by relative path.
    """
    here, environment = layout.clusters(spec.name), f"{layout.environments}/{spec.environment}"
    files = [
        File(path=f"{here}/cluster", content=f"{spec.id}\n".encode()),
        File(path=f"{here}/environment", content=f"{spec.environment}\n".encode()),
        File(path=f"{here}/folder", content=f"{environment}\n".encode()),
        _private(f"{here}/token", f"{secrets.token}\n".encode()),
        _private(f"{here}/files/authkey", secrets.authkey),
        *(
            [_private(f"{here}/files/corosync.conf", corosync_conf.encode())]
            if corosync_conf is not None
            else []
        ),
        File(path=f"{environment}/data/cluster.yaml", content=hiera_data(spec).encode()),
    ]
    for path, content in sorted(data.items()):
        if path.startswith("environment/"):
            files.append(File(path=f"{environment}/{path.removeprefix('environment/')}", content=content))
        elif path.startswith(f"modules/{MODULE}/"):
            files.append(File(path=f"{environment}/{path}", content=content))
    return files


def _private(path: str, content: bytes) -> File:
    """A file that only root and the server may read."""
    return File(path=path, content=content, mode=0o640, group="puppet")


def cluster_folders(spec: ClusterSpec, layout: Layout) -> list[Folder]:
    """The folders whose modes protect the secrets; the other folders are created for their files."""
    return [
        Folder(path=layout.clusters()),
        Folder(path=layout.clusters(spec.name)),
        Folder(path=layout.clusters(spec.name, "files")),
    ]


def hiera_data(spec: ClusterSpec) -> str:
    """The cluster's specification as Hiera data of the module."""
    values: dict[str, object] = {"provider": spec.provider}
    if types := {node_name(index): kind for index, kind in enumerate(spec.types) if kind != DEFAULT}:
        values["types"] = types
    if workdirs := {
        node_name(index): host.workdir for index, host in enumerate(spec.adhoc.hosts) if host.workdir
    }:
        values["workdirs"] = workdirs
    if spec.sirikata_url:
        values |= {"sirikata_url": spec.sirikata_url, "sirikata_sha256": spec.sirikata_sha256}
        if spec.sirikata_before_sha256:
            values["sirikata_before_sha256"] = spec.sirikata_before_sha256
    text = yaml.safe_dump({f"{MODULE}::{key}": value for key, value in values.items()}, width=1000)
    return f"---\n# {MARK}.\n{text}"


def program_files(layout: Layout, data: Mapping[str, bytes]) -> list[File]:
    """The programs with which the server signs requests and chooses the environment of a node."""
    autosign = data["master/autosign"].replace(b"#!/usr/bin/ruby", f"#!{layout.ruby}".encode(), 1)
    return [
        File(path=layout.tool("autosign"), content=autosign, mode=0o755),
        File(path=layout.tool("classify"), content=data["master/classify"], mode=0o755),
    ]


def own_files(spec: ClusterSpec, layout: Layout) -> list[File]:
    """The settings of a server of the cluster's own."""
    conf = render("puppet/puppet.conf.j2", certname=own_certname(spec), confdir=layout.confdir)
    return [
        File(path=f"{layout.confdir}/puppet.conf", content=conf.encode(), restart=True),
        File(path=layout.fileserver, content=mount(layout).encode(), restart=True),
        *tuned_files(layout),
    ]


def tuned_files(layout: Layout) -> list[File]:
    """What makes a server that serves one small cluster start fast and stay small."""
    environment = f"# {MARK}\nJAVA_ARGS='{_JAVA_ARGS}'\n"
    unit = f"# {MARK}\n[Service]\nEnvironmentFile={layout.tool('puppetserver.env')}\nTimeoutStartSec=600\n"
    return [
        File(path=layout.tool("puppetserver.env"), content=environment.encode(), restart=True),
        File(
            path=f"{layout.confdir}/puppetserver/conf.d/sirikata-cluster.conf",
            content=_SERVER_CONF.encode(),
            restart=True,
        ),
        File(
            path="/etc/systemd/system/puppetserver.service.d/sirikata-cluster.conf",
            content=unit.encode(),
            restart=True,
        ),
    ]


def server_setup() -> str:
    """A script that installs Puppet's server if there is none, while other machines boot.

    It holds no secret.
    """
    return script(*LOCKED, *INSTALL)


def put_script(spec: ClusterSpec, layout: Layout, *, own: bool) -> str:
    """Puts what `pack` made in its place, and starts, restarts or reloads the server if that is needed.

    Prints `changed PATH` for each file that differed, and `restarted`.
    """
    return script(
        *LOCKED,
        *(INSTALL if own else ()),
        "puppet/master-put.sh",
        "sh/units.sh",
        "puppet/master-wait.sh",
        "puppet/master-restart.sh" if own else "puppet/master-reload.sh",
        cluster=spec.name,
        confdir=layout.confdir,
        environments=layout.environments,
        module=module_folder(spec, layout),
        timeout=START_TIMEOUT,
    )


def differing_script() -> str:
    """Prints the paths of files that differ from those of `listing`, its standard input."""
    return script("puppet/master-differing.sh")


def listing(files: Iterable[File]) -> bytes:
    """Checksums of files, as sha256sum(1) checks them."""
    return "".join(f"{hashlib.sha256(file.content).hexdigest()}  {file.path}\n" for file in files).encode()


def installed_script() -> str:
    """Exits with 0 where Puppet's server is installed."""
    return script(LOCKED[0], "puppet/master-installed.sh")


def parse_put(out: str) -> tuple[tuple[str, ...], bool]:
    """What `put_script` printed: the changed paths; whether the server started, restarted or reloaded."""
    lines = out.splitlines()
    changed = tuple(line.removeprefix("changed ") for line in lines if line.startswith("changed "))
    return changed, "restarted" in lines


def module_folder(spec: ClusterSpec, layout: Layout) -> str:
    """The module's folder in the cluster's environment: each cluster may have another version of it."""
    return f"{layout.environments}/{spec.environment}/modules/{MODULE}"


def forget_script(certnames: Sequence[str]) -> str:
    """Forgets certificates and requests of those names, whether the master knows them or not."""
    return script(*LOCKED, "puppet/master-forget.sh", names=",".join(certnames))


def publish_script(spec: ClusterSpec) -> str:
    """Takes a corosync.conf for the cluster's nodes from its standard input."""
    return script(*FOUND, "puppet/master-publish.sh", cluster=spec.name, id=spec.id)


def remove_script(spec: ClusterSpec) -> str:
    """Removes what the cluster has on a master."""
    return script(*FOUND, "puppet/master-remove.sh", cluster=spec.name, id=spec.id)
