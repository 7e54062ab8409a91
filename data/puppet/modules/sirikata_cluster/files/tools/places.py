"""Where the cluster's services are, kept in Pacemaker's configuration.

A service that moves gets another address.  There is no floating address: that needs one Ethernet segment,
which clouds do not provide.  So a service publishes its address where all members can read it, and each of
them derives what programs use: names in /etc/hosts, and Sirikata's server maps as files.  It is published in
Pacemaker's configuration, since every member has that on its disk, with changes in the same order, and it
survives the loss of any node and of power on all. Each value is an option of the cluster in a set of its own,
which Pacemaker itself does not read:

    sirikata-place-ID       the address of the service ID
    sirikata-public-NODE    the name of a node outside of the cluster
    sirikata-map-MAP-N      server N of a server map: `HOST:PORT HOST:PORT [ID]`, from inside and from outside
                            of the cluster, and the service's id

Measured on three machines that share two busy cores: publishing takes 0.1 to 0.3 s, and 0.2 s later all nodes
know the name.

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

# The name under which all nodes find a service.
NAME = "{id}.service.{cluster}"
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|[0-9A-Fa-f:]+")
_MAP = re.compile(r"sirikata-map-([a-z]+)-([1-9][0-9]*)")


class Unavailable(Exception):
    """Pacemaker did not answer, or refused; the text is its own."""


class Places:
    """What is published in the configuration, at one moment."""

    def __init__(self, configuration):
        root = ET.fromstring(configuration)
        pairs = root.iterfind("crm_config/cluster_property_set/nvpair")
        self.options = {pair.get("name"): pair.get("value", "") for pair in pairs}
        self.cluster = self.options.get("cluster-name", "")
        self.services = {primitive.get("id") for primitive in root.iterfind("resources//primitive")}

    @classmethod
    def read(cls):
        """Ask Pacemaker.  Raises Unavailable."""
        return cls(_ask("cibadmin", "--query", "--local", "--scope", "configuration"))

    def names(self):
        """Lines of /etc/hosts, for services that exist: what a removed service published stays."""
        found = []
        for service in sorted(self.services):
            address = self.options.get(f"sirikata-place-{service}", "")
            if HOST.fullmatch(address):
                found.append(f"{address} {NAME.format(id=service, cluster=self.cluster)}")
        return found

    def servers(self, name):
        """A server map, {number: (internal, external, service)}; the service is empty if the cluster does not
        run it."""
        found = {}
        for key, value in self.options.items():
            match, words = _MAP.fullmatch(key), [*value.split(), ""][:3]
            if match and match.group(1) == name and len(words) == 3 and words[2] in ("", *self.services):
                found[int(match.group(2))] = tuple(words)
        return found

    def public(self, node, address):
        """The name or address of a node outside of the cluster."""
        return self.options.get(f"sirikata-public-{node}", "") or address

    def files(self):
        """The server maps as files, {name: text}, line n for server n (Sirikata accepts no comments and no
        empty lines)."""
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


def publish(key, value):
    """Write an option into the configuration, unless it has that value already.  Raises Unavailable.

    Read first, since every change makes Pacemaker recalculate all services.
    """
    if Places.read().options.get(key) == value:
        return
    last = None
    for pause in (0.2, 0.5, 1, 2, 0):
        try:
            _ask("crm_attribute", "--type", "crm_config", "--set-name", SET, "--name", key, "--update", value)
            return
        except Unavailable as error:
            last = error
            time.sleep(pause)
    raise last


def write(places):
    """Write names and maps into this node's files, where they differ."""
    os.makedirs(FOLDER, exist_ok=True)
    # One at a time: a service that starts does the same.
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
    """Replace the content of a file, atomically, if it differs."""
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
        raise Unavailable(f"{command[0]}: {error}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Unavailable(f"{command[0]}: {said[-1] if said else f'exit status {done.returncode}'}")
    return done.stdout
