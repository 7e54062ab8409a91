"""Debian's archive for machines without a way out: a caching proxy for their apt.

A machine's apt asks it for `http://deb.debian.org/...`.  What is not in the cache is fetched by this host's
own apt, with its settings and from the mirror that it uses, so nothing here knows proxies, certificates or
addresses.  Packages and lists by their hash never change and stay; everything else is fetched again when it
is older than some minutes. Machines check all of it themselves: the archive is signed.

    python -m tests.ec2lab.mirror 198.18.0.1        serves on that address, port 3142, until it is interrupted
"""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from tests.paths import ROOT

PORT = 3142
CACHE = Path("/var/cache/sirikata-cluster/apt")
# What machines may request, and which line of `image_mirrors` says where this host gets it.
_ARCHIVES = {"debian": "trixie", "debian-security": "trixie-security"}
# Seconds for which an index is taken as it is; days without a request after which a file goes; seconds after
# which no process still works on an interrupted fetch.
_FRESH, _UNUSED, _CUT_OFF = 900.0, 60, 3600.0
_HELPER = "/usr/lib/apt/apt-helper"


class Refused(Exception):
    """Not a file of the archive, or one that it does not have."""


class Archive:
    """Files of the archive by their URL, each fetched once, also for simultaneous requests."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._locks: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)

    def file(self, url: str) -> Path:
        """The file behind that URL.  Raises Refused."""
        archive, _, rest = unquote(urlsplit(url).path).lstrip("/").partition("/")
        if archive not in _ARCHIVES or ".." in rest.split("/") or not rest:
            raise Refused(f"{url} is not in Debian's archive")
        path = self._cache / archive / quote(rest, safe="/")
        with self._locks[path]:
            if not self._holds(path):
                self._fetch(f"{mirrors()[archive]}/{rest}", path)
            path.touch() if _unchanging(path) else None
        return path

    def _holds(self, path: Path) -> bool:
        return path.is_file() and (_unchanging(path) or time.time() - path.stat().st_mtime < _FRESH)

    def _fetch(self, url: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Of this process alone: others may fetch the same for machines of theirs.
        new = path.with_name(f".{path.name[:200]}.{os.getpid()}.new")
        new.unlink(missing_ok=True)
        # Root writes the cache, which apt's own user could not.
        command = [
            _HELPER,
            "-o",
            "APT::Sandbox::User=root",
            "-o",
            "Acquire::Retries=2",
            "download-file",
            url,
            str(new),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0 and new.is_file():
            new.chmod(0o644)
            new.touch()
            new.replace(path)
        elif not path.is_file():
            raise Refused(
                f"{url}: {(done.stderr.strip() or done.stdout.strip() or 'no such file').splitlines()[-1]}"
            )


def serve(listening: socket.socket, cache: Path = CACHE) -> ThreadingHTTPServer:
    """Serve on a socket that listens already, in threads; end it by `shutdown()` and `server_close()`."""
    _expire(cache)
    archive = Archive(cache)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            try:
                path = archive.file(self.path)
            except Refused as error:
                self.send_error(404, explain=str(error))
                return
            with path.open("rb") as file:
                self.send_response(200)
                self.send_header("Content-Type", "application/octet-stream")
                self.send_header("Content-Length", str(path.stat().st_size))
                self.end_headers()
                shutil.copyfileobj(file, self.wfile)

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A machine whose power is cut hangs up on us."""

    server = Server(listening.getsockname()[:2], Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    threading.Thread(target=server.serve_forever, args=(0.1,), name="mirror", daemon=True).start()
    return server


@contextmanager
def served(address: str, port: int = PORT, cache: Path = CACHE) -> Iterator[None]:
    """Serve on an address of this host as long as the context lasts."""
    server = serve(socket.create_server((address, port), backlog=64), cache)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@lru_cache(maxsize=1)
def mirrors() -> dict[str, str]:
    """Where this host's own apt finds each archive."""
    lines = [line.split() for line in image_bash("image_mirrors trixie")]
    by_suite = {line[-2]: line[-3].rstrip("/") for line in lines}
    return {archive: by_suite[suite] for archive, suite in _ARCHIVES.items() if suite in by_suite}


def image_bash(command: str) -> list[str]:
    """The lines that a command prints which may use what builds the local provider's images."""
    script = 'set -eu; HERE=$1; source "$1/image.bash"; ' + command
    done = subprocess.run(
        ["bash", "-c", script, "-", str(ROOT / "data" / "local")], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def _unchanging(path: Path) -> bool:
    return path.suffix == ".deb" or "by-hash" in path.parts


def _expire(cache: Path) -> None:
    """Remove what was not requested for a long time, and what an interrupted fetch left."""
    now = time.time()
    for path in cache.rglob("*"):
        # Another process may fetch, and take its `.new` away, at this moment.
        with suppress(FileNotFoundError):
            if path.is_file() and now - path.stat().st_mtime > (
                _CUT_OFF if path.suffix == ".new" else _UNUSED * 86400
            ):
                path.unlink()


if __name__ == "__main__":
    address, _, port = sys.argv[1].partition(":")
    try:
        with served(address, int(port or PORT)):
            threading.Event().wait()
    except KeyboardInterrupt:
        pass
