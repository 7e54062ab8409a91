"""A Puppet master that serves others too: how it is set up, what is in the way, and the little that is added.

Puppet documentation: "Config files: puppet.conf", "Config files: fileserver.conf", "External node
classifiers".
"""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..adhoc.membership import HOME
from ..errors import Problem, named
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
        """Whether this tool installed it on one of the cluster's hosts, so that nothing else uses it."""
        return self.settings.get("made_here") == "yes"

    @property
    def layout(self) -> Layout:
        """Where the server keeps its files."""
        confdir = self.settings["confdir"]
        ruby = "/opt/puppetlabs/puppet/bin/ruby" if confdir.startswith("/etc/puppetlabs/") else Layout.ruby
        return Layout(
            confdir=confdir,
            environments=self.settings["environmentpath"].split(":")[0],
            fileserver=self.settings["fileserverconfig"],
            ruby=ruby,
        )


def look_script(spec: ClusterSpec, *, install: bool = True) -> str:
    """Prints how a server is set up; with `install`, installs it if there is none."""
    return script(
        *((*LOCKED, *INSTALL) if install else LOCKED[:1]),
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


def problems(look: Look, spec: ClusterSpec, host: str) -> list[Problem]:
    """Every setting of a server that is in the way, with its file, and what to do."""
    layout = look.layout
    found = [
        *_settings_problems(look, f"{host}:{layout.confdir}/puppet.conf"),
        *_autosign_problems(look, host),
    ]
    mount = _mount_path(look.files.get("fileserver.conf", ""))
    if mount not in ("", layout.clusters("%d", "files")):
        found.append(
            Problem(f"{host}:{layout.fileserver}", "", f"it has a mount [cluster] already, for {mount}")
        )
    other = look.files.get("cluster", "").strip()
    if other and other != spec.id:
        text = f"it serves another cluster named {spec.name!r} ({other}): choose another name"
        found.append(Problem(host, "name", text))
    environment = look.files.get("environment.conf", "")
    if environment and MARK not in environment:
        text = f"it has an environment {spec.environment!r} that this tool did not create"
        found.append(Problem(host, "", text))
    if found:
        text = (
            "Remove these settings, or give the cluster a Puppet master of its own: leave"
            f" {named('puppet_master')} out."
        )
        found.append(Problem("", "puppet_master", text))
    return found


def _settings_problems(look: Look, conf: str) -> Iterator[Problem]:
    """Settings in puppet.conf that decide which node is what, and which requests are signed."""
    settings, layout = look.settings, look.layout
    terminus, nodes = settings.get("node_terminus", ""), settings.get("external_nodes", "")
    if terminus != "plain" and not (terminus == "exec" and nodes == layout.tool("classify")):
        text = f"it classifies nodes already (node_terminus = {terminus}, external_nodes = {nodes})"
        yield Problem(conf, "", text)
    autosign = settings.get("autosign", "")
    if autosign not in (f"{layout.confdir}/autosign.conf", layout.tool("autosign")):
        yield Problem(conf, "", f"it decides already which requests are signed (autosign = {autosign})")


def _autosign_problems(look: Look, host: str) -> Iterator[Problem]:
    """Names in autosign.conf, whose requests a server with default settings signs."""
    path = f"{look.layout.confdir}/autosign.conf"
    lines = look.files.get("autosign", "").splitlines()
    names = [line for line in lines if line.strip() and line[0] != "#"]
    if look.settings.get("autosign") == path and names:
        yield Problem(f"{host}:{path}", "", f"it names nodes whose requests are signed ({names[0]} ...)")


def shared_files(look: Look) -> list[File]:
    """The settings of a server that serves others too: the present ones, with as little as possible added."""
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
    """The path of the mount [cluster]; empty if there is none."""
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
