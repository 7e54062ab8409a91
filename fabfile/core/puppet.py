"""Puppet: what a master's files should hold, what a master that serves others too may stand in the way with, and the
scripts that put things in place.  Agents and their runs: puppet_agent.py.

Puppet documentation: "Config files: puppet.conf", "fileserver.conf", "environment.conf", "External node classifiers",
"SSL configuration: autosigning certificate requests".
"""

import base64
import io
import re
import shlex
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import yaml

from .puppet_agent import AgentRun as AgentRun
from .puppet_agent import Change as Change
from .puppet_agent import agent_setup as agent_setup
from .puppet_agent import explain as explain
from .puppet_agent import parse_run as parse_run
from .puppet_agent import run_script as run_script
from .render import render
from .spec import MASTER_NAME, ClusterSpec

MARK = "Managed by sirikata-cluster"
MODULE = "sirikata_cluster"
START_TIMEOUT = 300  # seconds for the server to answer; a start takes 20 to 60 s of CPU

# One JRuby and the first compiler only: half the start, half the memory.  No TLS session tickets: agents wait 30 s on
# them at their first run.
_JAVA_ARGS = (
    "-Xms512m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "
    "-Djdk.tls.server.newSessionTicketCount=0 "
    "-Djruby.logger.class=com.puppetlabs.jruby_utils.jruby.Slf4jLogger"
)
_SERVER_CONF = """# Managed by sirikata-cluster
jruby-puppet: { max-active-instances: 1 }
profiler: { enabled: false }
"""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where a server keeps its files; Debian's own packages by default."""

    confdir: str = "/etc/puppet"
    environments: str = "/etc/puppet/code/environments"
    fileserver: str = "/etc/puppet/fileserver.conf"
    ruby: str = "/usr/bin/ruby"

    def clusters(self, *below: str) -> str:
        """A path among what is kept per cluster, outside of the code."""
        return "/".join([self.confdir, "clusters", *below])

    def tool(self, *below: str) -> str:
        """A path among what all clusters of the server share."""
        return "/".join([self.confdir, "sirikata-cluster", *below])


@dataclass(frozen=True)
class Secrets:
    """What a cluster's nodes must have and nobody else may: the token of their requests, corosync's key."""

    token: str
    authkey: bytes

    def __repr__(self) -> str:
        return "Secrets(...)"


@dataclass(frozen=True, kw_only=True)
class File:
    """A file on the master.  `restart`: the server takes it in only when it starts."""

    path: str
    content: bytes
    mode: int = 0o644
    group: str = "root"
    restart: bool = False


@dataclass(frozen=True, kw_only=True)
class Folder:
    path: str
    mode: int = 0o750
    group: str = "puppet"


@dataclass(frozen=True)
class Look:
    """What `look_script` found: the server's settings, and the texts of the files that matter."""

    settings: Mapping[str, str]
    files: Mapping[str, str]

    @property
    def layout(self) -> Layout:
        confdir = self.settings["confdir"]
        ruby = "/opt/puppetlabs/puppet/bin/ruby" if confdir.startswith("/etc/puppetlabs/") else Layout.ruby
        return Layout(
            confdir=confdir,
            environments=self.settings["environmentpath"].split(":")[0],
            fileserver=self.settings["fileserverconfig"],
            ruby=ruby,
        )


def own_certname(spec: ClusterSpec) -> str:
    """The certname of a master that is a machine of the cluster: `puppet.demo`."""
    return f"{MASTER_NAME}.{spec.name}"


# What a master should hold ---------------------------------------------------------------------------------------


def cluster_files(
    spec: ClusterSpec, layout: Layout, secrets: Secrets, corosync_conf: str, data: Mapping[str, bytes]
) -> list[File]:
    """What one cluster needs on a master; none of it needs a restart of the server.

    `data` is the tree of data/puppet, by relative path.
    """
    environment = f"{layout.environments}/{spec.environment}"
    files = [
        File(path=layout.clusters(spec.name, "cluster"), content=f"{spec.id}\n".encode()),
        File(path=layout.clusters(spec.name, "environment"), content=f"{spec.environment}\n".encode()),
        File(path=layout.clusters(spec.name, "folder"), content=f"{environment}\n".encode()),
        File(
            path=layout.clusters(spec.name, "token"),
            content=f"{secrets.token}\n".encode(),
            mode=0o640,
            group="puppet",
        ),
        File(
            path=layout.clusters(spec.name, "files", "authkey"),
            content=secrets.authkey,
            mode=0o640,
            group="puppet",
        ),
        File(
            path=layout.clusters(spec.name, "files", "corosync.conf"),
            content=corosync_conf.encode(),
            mode=0o640,
            group="puppet",
        ),
        File(path=f"{environment}/data/cluster.yaml", content=hiera_data(spec).encode()),
    ]
    for path, content in sorted(data.items()):
        if path.startswith("environment/"):
            files.append(File(path=f"{environment}/{path.removeprefix('environment/')}", content=content))
        elif path.startswith(f"modules/{MODULE}/"):
            files.append(File(path=f"{environment}/{path}", content=content))
    return files


def cluster_folders(spec: ClusterSpec, layout: Layout) -> list[Folder]:
    """The folders whose modes keep the secrets; the other folders come with their files."""
    return [
        Folder(path=layout.clusters()),
        Folder(path=layout.clusters(spec.name)),
        Folder(path=layout.clusters(spec.name, "files")),
    ]


def hiera_data(spec: ClusterSpec) -> str:
    """The cluster's specification, as the module takes it."""
    values: dict[str, str] = {"provider": spec.provider}
    if spec.sirikata_url:
        values |= {"sirikata_url": spec.sirikata_url, "sirikata_sha256": spec.sirikata_sha256}
    text = yaml.safe_dump({f"{MODULE}::{key}": value for key, value in values.items()}, width=1000)
    return f"---\n# {MARK}.\n{text}"


def program_files(layout: Layout, data: Mapping[str, bytes]) -> list[File]:
    """The two programs that the server calls: whether to sign a request, which environment a node has."""
    autosign = data["master/autosign"].replace(b"#!/usr/bin/ruby", f"#!{layout.ruby}".encode(), 1)
    return [
        File(path=layout.tool("autosign"), content=autosign, mode=0o755),
        File(path=layout.tool("classify"), content=data["master/classify"], mode=0o755),
    ]


def own_files(spec: ClusterSpec, layout: Layout) -> list[File]:
    """The settings of a server that is the cluster's own."""
    conf = render("puppet/puppet.conf.j2", certname=own_certname(spec), confdir=layout.confdir)
    environment = f"# {MARK}\nJAVA_ARGS='{_JAVA_ARGS}'\n"
    unit = f"# {MARK}\n[Service]\nEnvironmentFile={layout.tool('puppetserver.env')}\nTimeoutStartSec=600\n"
    return [
        File(path=f"{layout.confdir}/puppet.conf", content=conf.encode(), restart=True),
        File(path=layout.fileserver, content=_mount(layout).encode(), restart=True),
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


def shared_files(look: Look) -> list[File]:
    """The settings of a server that serves others too: what it has, with as little as possible added."""
    layout = look.layout
    conf = look.files.get("puppet.conf", "")
    section = "master" if "[master]" in conf and "[server]" not in conf else "server"
    ours = {
        "autosign": layout.tool("autosign"),
        "node_terminus": "exec",
        "external_nodes": layout.tool("classify"),
    }
    missing = {key: value for key, value in ours.items() if look.settings.get(key) != value}
    files = [File(path=layout.tool("shared"), content=f"# {MARK}\n".encode())]
    if missing:
        text = set_ini(conf, section, missing)
        files.append(File(path=f"{layout.confdir}/puppet.conf", content=text.encode(), restart=True))
    mounts = look.files.get("fileserver.conf", "")
    if not _mount_path(mounts):
        text = f"{mounts.rstrip()}\n\n{_mount(layout)}".lstrip()
        files.append(File(path=layout.fileserver, content=text.encode(), restart=True))
    return files


def _mount(layout: Layout) -> str:
    # %d is the domain of the name in the node's certificate: no node can ask for another cluster's files.
    return f"# {MARK}\n[cluster]\n  path {layout.clusters('%d', 'files')}\n"


def _mount_path(fileserver_conf: str) -> str:
    """Where the mount [cluster] points to; empty when there is none."""
    section = re.search(r"^[ \t]*\[cluster\][ \t]*\n((?:[^\[\n]*\n?)*)", fileserver_conf, re.MULTILINE)
    path = re.search(r"^[ \t]*path[ \t]+(\S+)", section.group(1), re.MULTILINE) if section else None
    return path.group(1) if path else ("?" if section else "")


def set_ini(text: str, section: str, values: Mapping[str, str]) -> str:
    """A puppet.conf with these settings in that section; everything else stays as it is."""
    block = [f"# {MARK}", *(f"{key} = {value}" for key, value in values.items())]
    lines = text.splitlines()
    headers = [i for i, line in enumerate(lines) if line.strip() == f"[{section}]"]
    if headers:
        lines[headers[0] + 1 : headers[0] + 1] = block
    else:
        lines += ["", f"[{section}]", *block] if lines else [f"[{section}]", *block]
    return "\n".join(lines) + "\n"


# A master that serves others too ---------------------------------------------------------------------------------


def look_script(spec: ClusterSpec) -> str:
    """Prints how a server is set up; installs it where there is none."""
    return render("puppet/master-look.sh.j2", cluster=shlex.quote(spec.name), environment=spec.environment)


def parse_look(text: str) -> Look:
    """What `look_script` printed."""
    settings, files = {}, {}
    for line in text.splitlines():
        if line.startswith("file "):
            _, name, content = (line + " ").split(" ", 2)
            files[name] = base64.b64decode(content).decode(errors="replace")
        elif " = " in line:
            key, value = line.split(" = ", 1)
            settings[key.strip()] = value.strip()
    return Look(settings, files)


def problems(look: Look, spec: ClusterSpec, host: str) -> list[str]:
    """Everything that a server already uses for something else, a sentence each with what to do."""
    found, settings, layout = [], look.settings, look.layout
    conf = f"{host}:{layout.confdir}/puppet.conf"
    terminus, nodes = settings.get("node_terminus", ""), settings.get("external_nodes", "")
    if terminus != "plain" and not (terminus == "exec" and nodes == layout.tool("classify")):
        found.append(f"{conf} classifies nodes already (node_terminus = {terminus}, external_nodes = {nodes})")
    autosign = settings.get("autosign", "")
    default = f"{layout.confdir}/autosign.conf"
    names = [line for line in look.files.get("autosign", "").splitlines() if line.strip() and line[0] != "#"]
    if autosign not in (default, layout.tool("autosign")):
        found.append(f"{conf} decides already which requests are signed (autosign = {autosign})")
    elif autosign == default and names:
        found.append(f"{host}:{default} names nodes whose requests are signed ({names[0]} ...)")
    mount = _mount_path(look.files.get("fileserver.conf", ""))
    if mount not in ("", layout.clusters("%d", "files")):
        found.append(f"{host}:{layout.fileserver} has a mount [cluster] already, for {mount}")
    other = look.files.get("cluster", "").strip()
    if other and other != spec.id:
        found.append(f"{host} serves another cluster of the name {spec.name!r} ({other}): choose another name")
    environment = look.files.get("environment.conf", "")
    if environment and MARK not in environment:
        found.append(f"{host} has an environment {spec.environment!r} that is not this tool's")
    if found:
        found.append("Take these settings away, or give the cluster a master of its own: leave the master's host out.")
    return found


# Scripts ---------------------------------------------------------------------------------------------------------


def put_script(spec: ClusterSpec, layout: Layout, *, own: bool) -> str:
    """Puts what `pack` made in its place, and starts, restarts or reloads the server if that is needed.

    Prints `changed PATH` for each file that was another before, and `restarted`.
    """
    return render(
        "puppet/master-put.sh.j2",
        cluster=spec.name,
        confdir=shlex.quote(layout.confdir),
        environments=shlex.quote(layout.environments),
        module=shlex.quote(module_folder(spec, layout)),
        own=own,
        timeout=START_TIMEOUT,
    )


def parse_put(out: str) -> tuple[tuple[str, ...], bool]:
    """What `put_script` printed: the paths that changed, and whether the server was (re)started."""
    lines = out.splitlines()
    changed = tuple(line.removeprefix("changed ") for line in lines if line.startswith("changed "))
    return changed, "restarted" in lines


def module_folder(spec: ClusterSpec, layout: Layout) -> str:
    """The module's folder in the cluster's environment: clusters may be of different versions of this tool."""
    return f"{layout.environments}/{spec.environment}/modules/{MODULE}"


def forget_script(certnames: Sequence[str]) -> str:
    """Forgets certificates and requests of those names, the unknown ones among them."""
    return render("puppet/master-forget.sh.j2", names=shlex.quote(",".join(certnames)))


def publish_script(spec: ClusterSpec) -> str:
    """Takes a corosync.conf from its standard input for the cluster's nodes; prints `changed PATH` if it is another."""
    return render("puppet/master-publish.sh.j2", cluster=shlex.quote(spec.name), id=shlex.quote(spec.id))


def remove_script(spec: ClusterSpec) -> str:
    """Takes away what the cluster has on a master."""
    return render("puppet/master-remove.sh.j2", cluster=shlex.quote(spec.name), id=shlex.quote(spec.id))


def pack(files: Iterable[File], folders: Iterable[Folder] = ()) -> bytes:
    """A tar for the standard input of `put_script`, the same bytes for the same files."""
    files = list(files)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        listed = "".join(f"{folder.mode:o} root {folder.group} {folder.path}\n" for folder in folders)
        _add(tar, "folders", listed.encode())
        _add(tar, "files", "".join(f"{file.path}\n" for file in files).encode())
        _add(tar, "restart", "".join(f"{file.path}\n" for file in files if file.restart).encode())
        for file in files:
            _add(tar, f"root{PurePosixPath(file.path)}", file.content, file.mode, file.group)
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o600, group: str = "root") -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.uname, member.gname = len(content), mode, "root", group
    tar.addfile(member, io.BytesIO(content))
