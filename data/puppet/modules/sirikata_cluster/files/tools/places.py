"""Where the cluster's services are, kept in Pacemaker's configuration.

A service that moves has another address.  Nothing floats here that would carry it along: an address that moves needs one
Ethernet, which clouds do not give.  So a service tells its address where all members can read it, and each of them
makes of it what programs know: names in /etc/hosts, and Sirikata's server maps as files.  Pacemaker's configuration is
that place, since every member has it on its disk, in one order of changes, and it outlives any node and a power cut of
all of them.  What is told there is an option of the cluster in a set of its own, which Pacemaker itself does not read:

    sirikata-place-ID       the address of the service ID
    sirikata-public-NODE    how the world outside calls a node
    sirikata-map-MAP-N      server N of a server map: `HOST:PORT HOST:PORT [ID]`, as seen from inside and from outside,
                            and which service it is

Measured on three machines of two busy cores: an announcement takes 0.1 to 0.3 s, and 0.2 s later all nodes know the name.

Man pages: cibadmin(8), crm_attribute(8), hosts(5).
"""

import fcntl
import os
import re
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ET

# With a dot, which no id of a service can have.
SET = "sirikata.places"
FOLDER = "/run/sirikata-cluster/maps"
HOSTS = "/etc/hosts"
BEGIN, END = "# sirikata-cluster's services begin", "# sirikata-cluster's services end"

# Where a service is known to all nodes by its name.
NAME = "{id}.service.{cluster}"
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|[0-9A-Fa-f:]+")
_MAP = re.compile(r"sirikata-map-([a-z]+)-([1-9][0-9]*)")


class Unanswered(Exception):
    """Pacemaker did not answer; the text says what it said."""


class Places:
    """What the configuration tells, at one moment."""

    def __init__(self, configuration):
        root = ET.fromstring(configuration)
        pairs = root.iterfind("crm_config/cluster_property_set/nvpair")
        self.options = {pair.get("name"): pair.get("value", "") for pair in pairs}
        self.cluster = self.options.get("cluster-name", "")
        self.services = {primitive.get("id") for primitive in root.iterfind("resources//primitive")}

    @classmethod
    def read(cls):
        """Ask Pacemaker.  Raises Unanswered."""
        return cls(_ask("cibadmin", "--query", "--local", "--scope", "configuration"))

    def names(self):
        """Lines of /etc/hosts, for services that exist: one that was removed leaves its announcement."""
        told = {key.removeprefix("sirikata-place-"): value for key, value in self.options.items()}
        known = sorted(one for one in self.services if f"sirikata-place-{one}" in self.options)
        return [
            f"{told[one]} {NAME.format(id=one, cluster=self.cluster)}"
            for one in known
            if HOST.fullmatch(told[one])
        ]

    def servers(self, name):
        """A server map, {number: (internal, external, service)}; the service is empty where it is none of ours."""
        found = {}
        for key, value in self.options.items():
            match, words = _MAP.fullmatch(key), [*value.split(), ""][:3]
            if match and match.group(1) == name and len(words) == 3 and words[2] in ("", *self.services):
                found[int(match.group(2))] = tuple(words)
        return found

    def public(self, node, address):
        """How the world outside calls a node."""
        return self.options.get(f"sirikata-public-{node}", "") or address

    def files(self):
        """The server maps as files, {name: text}, line n for server n (Sirikata takes no comment and no empty line)."""
        names = sorted({match.group(1) for match in map(_MAP.fullmatch, self.options) if match})
        texts = {}
        for name in names:
            servers = self.servers(name)
            for side, suffix in enumerate(("", ".external")):
                lines = [
                    self._line(servers.get(number), side) for number in range(1, max(servers, default=0) + 1)
                ]
                texts[name + suffix] = "".join(f"{line}\n" for line in lines)
        return texts

    @staticmethod
    def _line(server, side):
        if server is None:
            return "::"
        ports = [end.rpartition(":")[2] for end in server[:2]]
        return f"{server[side].rpartition(':')[0]}:{ports[0]}:{ports[1]}"


def tell(key, value):
    """Write one option into the configuration, unless it is there already.  Raises Unanswered.

    Asked first, as every change makes Pacemaker think about all services anew.
    """
    if Places.read().options.get(key) == value:
        return
    said = None
    for pause in (0.2, 0.5, 1, 2, 0):
        try:
            _ask("crm_attribute", "--type", "crm_config", "--set-name", SET, "--name", key, "--update", value)
            return
        except Unanswered as error:
            said = error
            time.sleep(pause)
    raise said


def spread(places):
    """Put names and maps into this node's files, where they are not there yet."""
    os.makedirs(FOLDER, exist_ok=True)
    # One at a time: a service that starts does this too.
    with open(f"{FOLDER}/.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name, text in places.files().items():
            _replace(f"{FOLDER}/{name}", text)
        with open(HOSTS) as file:
            kept = re.sub(f"^{BEGIN}\n.*?^{END}\n", "", file.read(), flags=re.DOTALL | re.MULTILINE)
        lines = places.names()
        block = "".join(f"{line}\n" for line in (BEGIN, *lines, END)) if lines else ""
        _replace(HOSTS, kept + ("" if not kept or kept.endswith("\n") else "\n") + block)


def _replace(path, text):
    """Give a file that content, whole or not at all."""
    try:
        with open(path) as file:
            if file.read() == text:
                return
    except FileNotFoundError:
        pass
    handle, new = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".new-")
    with open(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(handle)
    os.chmod(new, 0o644)
    os.replace(new, path)


def _ask(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unanswered(f"{command[0]}: {error}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Unanswered(f"{command[0]}: {said[-1] if said else f'exit status {done.returncode}'}")
    return done.stdout
