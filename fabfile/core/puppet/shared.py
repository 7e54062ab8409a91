"""A Puppet master that serves others too: how it is set up, what stands in the way, and the little that is added.

Puppet documentation: "Config files: puppet.conf", "Config files: fileserver.conf", "External node classifiers".
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..adhoc.survey import HOME
from ..spec.cluster import ClusterSpec
from ..templates import script
from .files import MARK, File, Layout, mount
from .master import INSTALL, LOCKED


@dataclass(frozen=True)
class Look:
    """What `look_script` found: the server's settings, and the texts of the files that matter."""

    settings: Mapping[str, str]
    files: Mapping[str, str]

    @property
    def made_here(self) -> bool:
        """Whether this tool installed it on one of the cluster's hosts, so that nobody else's is slowed or restarted."""
        return self.settings.get("made_here") == "yes"

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


def look_script(spec: ClusterSpec) -> str:
    """Prints how a server is set up; installs it where there is none."""
    return script(
        *LOCKED,
        *INSTALL,
        "puppet/master-look.sh",
        cluster=spec.name,
        environment=spec.environment,
        before=f"{HOME}/before/packages",
    )


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
        found.append(
            f"{conf} classifies nodes already (node_terminus = {terminus}, external_nodes = {nodes})"
        )
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
        found.append(
            f"{host} serves another cluster of the name {spec.name!r} ({other}): choose another name"
        )
    environment = look.files.get("environment.conf", "")
    if environment and MARK not in environment:
        found.append(f"{host} has an environment {spec.environment!r} that is not this tool's")
    if found:
        found.append(
            "Take these settings away, or give the cluster a master of its own: leave the master's host out."
        )
    return found


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
        text = f"{mounts.rstrip()}\n\n{mount(layout)}".lstrip()
        files.append(File(path=layout.fileserver, content=text.encode(), restart=True))
    return files


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
