"""What the stand-ins for Sirikata's programs have in common: options, the background, signals, server maps,
the commander.

They are no Sirikata: they simulate nothing.  They take the options of the real programs, refuse all others,
go to the background, write PID and log files, obey signals, use the same ports, and find each other in the
same server maps, so that a cluster which runs them would run the real ones.
"""

import http.client
import http.server
import json
import os
import random
import resource
import select
import shlex
import signal
import socket
import socketserver
import sys
import threading
import time

VERSION = "stand-in for Sirikata's {name}, which simulates nothing (sirikata-cluster's tests)"
LOADING = 0.3  # seconds between the PID file and the network, as plugins load
SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
SHUTDOWN = 5  # seconds until a shutdown is forced

# What all programs take: {name: (kind, default)}.
COMMON = {
    "daemon": ("bool", "false"),
    "pid-file": ("text", ""),
    "log-file": ("text", ""),
    "loglevel": ("text", "info"),
    "moduleloglevel": ("text", ""),
    "region": ("text", "<<-100,-100,-100>,<100,100,100>>"),
    "layout": ("text", "<1,1,1>"),
    "servermap": ("text", "local"),
    "servermap-options": ("text", ""),
}
COMMANDER = {"command.commander": ("text", ""), "command.commander-options": ("text", "")}


def give_up(text):
    """End as a C++ program does whose options cannot be parsed."""
    print(text, file=sys.stderr, flush=True)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.abort()


def parse(words, known):
    """--NAME=VALUE or --NAME VALUE as {NAME: VALUE}; a truth value needs its `=`."""
    values = {name: default for name, (_, default) in known.items()}
    words = list(words)
    while words:
        name, equals, value = words.pop(0).partition("=")
        if not name.startswith("--") or name[2:] not in known:
            give_up(f"unknown option {name}")
        kind = known[name[2:]][0]
        if not equals:
            if kind == "bool" or not words:
                give_up(f"the required argument for option '{name}' is missing")
            value = words.pop(0)
        if kind == "bool" and value not in ("true", "false"):
            give_up(f"the argument ('{value}') for option '{name}' is invalid")
        if kind == "number" and not value.isdecimal():
            give_up(f"the argument ('{value}') for option '{name}' is invalid")
        values[name[2:]] = value
    return values


def nested(text, **defaults):
    """Options within an option: `--host=H --port=P`."""
    return parse(
        shlex.split(text), {name.replace("_", "-"): ("text", value) for name, value in defaults.items()}
    )


class Program:
    """One of the programs, from its command line to its end."""

    def __init__(self, options, *, commander=True):
        name = os.path.basename(sys.argv[0])
        known = {**COMMON, **(COMMANDER if commander else {}), **options}
        if {"--help", "--version"} & set(sys.argv[1:]):
            print(VERSION.format(name=name))
            print(
                "".join(
                    f"  --{one} ({kind}, default {default!r})\n"
                    for one, (kind, default) in sorted(known.items())
                )
            )
            sys.exit(0)
        self.name, self.options, self.started = name, parse(sys.argv[1:], known), time.time()
        self.facts = lambda: {}
        self._ending = threading.Event()
        self._background()
        # A thread takes signals: a handler could come while the main thread holds the lock that it needs.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        self.thread(self._signals)
        self.log(VERSION.format(name=name), *sys.argv[1:])
        time.sleep(LOADING)
        if commander and self.options["command.commander"]:
            self._command()

    def __getitem__(self, name):
        return self.options[name]

    def log(self, *words):
        print(f"{time.time():.3f}", self.name, *words, flush=True)

    def fail(self, text):
        """End with an error."""
        self.log("error:", text)
        os._exit(1)

    def thread(self, function, *arguments):
        threading.Thread(target=function, args=arguments, daemon=True).start()

    def every(self, seconds, function):
        """Call it again and again, until the end."""

        def loop():
            while not self._ending.wait(seconds):
                function()

        self.thread(loop)

    def serve(self, port, answer):
        """Answer each line of each connection to a port with a line."""

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                for line in self.rfile:
                    self.wfile.write(answer(line.decode().strip()).encode() + b"\n")

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

        try:
            server = Server(("0.0.0.0", int(port)), Handler)
        except OSError as error:
            self.fail(f"port {port}: {error}")
        server.handle_error = lambda *_: None
        self.thread(server.serve_forever)
        self.log("listens on", port)

    def wait(self):
        """Run until a signal or the commander ends it."""
        self._ending.wait()
        self.log("shuts down")
        time.sleep(float(os.environ.get("STANDIN_SHUTDOWN", "0.1")))
        if self["pid-file"] and os.path.exists(self["pid-file"]):
            os.unlink(self["pid-file"])
        os._exit(0)

    def _background(self):
        if self["log-file"]:
            log = os.open(self["log-file"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.dup2(log, 1)
            os.dup2(log, 2)
        if self["daemon"] == "true":
            if os.fork():
                os._exit(0)
            os.setsid()
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in (0,) if self["log-file"] else (0, 1, 2):
                os.dup2(nothing, stream)
        if self["pid-file"]:
            with open(self["pid-file"], "w") as file:
                file.write(f"{os.getpid()}\n")

    def _signals(self):
        """The first asks it to end, which is forced after a while; the second ends it."""
        signal.sigwait(SIGNALS)
        self._ending.set()
        self.thread(lambda: (time.sleep(SHUTDOWN), os._exit(1)))
        os._exit(128 + signal.sigwait(SIGNALS))

    def _command(self):
        if self["command.commander"] != "http":
            self.fail(f"no commander {self['command.commander']}")
        program, port = self, nested(self["command.commander-options"], host="127.0.0.1", port="8088")["port"]

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                commands = {
                    "/meta.commands": lambda: ["context.shutdown", "meta.commands", "stand-in.facts"],
                    "/stand-in.facts": program.facts,
                    "/context.shutdown": dict,
                }
                command = commands.get(self.path)
                text = json.dumps(
                    command() if command else {"error": f"Handler not found for {self.path[1:]}"}
                ).encode()
                self.send_response(200 if command else 404)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
                if self.path == "/context.shutdown":
                    program._ending.set()

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_):
                pass

        try:
            # Whatever its host option says, it listens on every address.
            server = http.server.ThreadingHTTPServer(("0.0.0.0", int(port)), Handler)
        except OSError as error:
            self.fail(f"commander on {port}: {error}")
        self.thread(server.serve_forever)


class ServerMap:
    """Where servers are: from a file that is read once, or asked of an HTTP server each time."""

    def __init__(self, program):
        self.kind = program["servermap"]
        if self.kind == "tabular":
            path = nested(program["servermap-options"], filename="serverip.txt")["filename"]
            with open(path) as file:
                self._lines = [line.split(":") for line in file.read().splitlines()]
        elif self.kind == "http":
            asked = nested(
                program["servermap-options"],
                host="",
                service="http",
                internal_host="",
                internal_service="",
                external_host="",
                external_service="",
                internal_path="/internal",
                external_path="/external",
                retries="5",
            )
            self._ends = {
                side: (
                    asked[f"{side}-host"] or asked["host"],
                    int((asked[f"{side}-service"] or asked["service"]).replace("http", "80")),
                    asked[f"{side}-path"],
                )
                for side in ("internal", "external")
            }
            self.retries = int(asked["retries"])
        elif self.kind != "local":
            program.fail(f"no server map {self.kind}")

    def lookup(self, number, side):
        """(number, host, port) of a server, of any one for None; None where there is none.

        Raises OSError.
        """
        if self.kind == "local":
            return (1, "127.0.0.1", 7777 + (side == "external")) if number in (None, 1) else None
        if self.kind == "tabular":
            known = {n: line for n, line in enumerate(self._lines, 1) if line[0]}
            line = known.get(number or (random.choice(list(known)) if known else 0))
            return (number, line[0], int(line[1 if side == "internal" else 2])) if line else None
        host, port, path = self._ends[side]
        connection = http.client.HTTPConnection(host, port, timeout=1)
        try:
            connection.request("GET", path + (f"?server={number}" if number else ""))
            answer = connection.getresponse()
            text = answer.read()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()
        if answer.status >= 400:
            return None
        if answer.getheader("Content-Type") != "application/json":
            raise OSError(f"unknown content type {answer.getheader('Content-Type')}")
        found = json.loads(text)
        if not isinstance(found["server"], int) or not isinstance(found["port"], str):
            raise OSError(f"unexpected answer: {found}")
        return found["server"], found["host"], int(found["port"])

    def insist(self, number, side):
        """Look up as the real programs do: again after 1, 2, 4, 8 and 16 s, then nothing."""
        for attempt in range(1 + (self.retries if self.kind == "http" else 0)):
            if attempt:
                time.sleep(2 ** (attempt - 1))
            try:
                if found := self.lookup(number, side):
                    return found
            except OSError:
                continue
        return None


class Peer:
    """A connection that is opened when it is needed, and anew when it broke."""

    def __init__(self, where, *, timeout=1.0):
        self._where, self._timeout, self._socket, self._rest = where, timeout, None, b""
        self.end = ""

    @property
    def up(self):
        """Whether it is connected, as far as one can tell without a word."""
        if self._socket is None:
            return False
        readable, _, _ = select.select([self._socket], [], [], 0)
        try:
            return not readable or bool(self._socket.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def ask(self, line):
        """Say a line, hear a line.  Raises OSError; then the next one connects anew."""
        try:
            if self._socket is None:
                host, port = self._where()
                self.end = f"{host}:{port}"
                self._socket = socket.create_connection((host, int(port)), self._timeout)
                self._rest = b""
            self._socket.sendall(line.encode() + b"\n")
            while b"\n" not in self._rest:
                more = self._socket.recv(4096)
                if not more:
                    raise ConnectionResetError("the other side closed the connection")
                self._rest += more
        except OSError:
            self.close()
            raise
        answer, _, self._rest = self._rest.partition(b"\n")
        return answer.decode().strip()

    def close(self):
        if self._socket is not None:
            self._socket.close()
            self._socket = None
