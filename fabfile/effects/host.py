"""Programs on this machine, as the user or as root."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from ..core.errors import ClusterError, Preflight
from ..core.result import InputWriter, Payload, Result


def run(
    command: Sequence[str],
    *,
    stdin: Payload = b"",
    check: bool = True,
    on_line: Callable[[str], None] | None = None,
) -> Result:
    """Run a program to its end; `on_line` sees each line of its output as it comes.

    Raises ClusterError with its last words when it cannot start or, with `check`, when it fails.
    """
    try:
        process = subprocess.Popen(
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise ClusterError(f"cannot run {command[0]}: {error.strerror}") from error
    with process:
        rest = stdin if isinstance(stdin, bytes) else _send(process, stdin)
        if on_line is None:
            out, err = process.communicate(rest)
        else:
            out, err = _follow(process, rest, on_line)
    done = Result(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))
    if check and not done.ok:
        raise ClusterError(f"{' '.join(command[:4])} … exited with {done.exit}: {done.last_words}")
    return done


class Pipe:
    """A shell command that is talked to through a socket, its standard input and output."""

    def __init__(self, command: str) -> None:
        """Start it.  Raises ClusterError where there is no shell."""
        self.socket, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    ["/bin/sh", "-c", f"exec {command}"],
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=subprocess.PIPE,
                )
            except OSError as error:
                self.socket.close()
                raise ClusterError(f"cannot run /bin/sh: {error.strerror}") from error

    def close(self) -> str:
        """End it, and answer the last lines of its error stream."""
        self.socket.close()
        with self._process as process:
            try:
                process.wait(timeout=0.5)  # it saw the end of its input
            except subprocess.TimeoutExpired:
                process.kill()
            assert process.stderr
            # What a child of it keeps open would never end.
            os.set_blocking(process.stderr.fileno(), False)
            said = process.stderr.read() or b""
        return Result(process.returncode, "", said.decode(errors="replace")).last_words


def as_root(command: Sequence[str]) -> list[str]:
    """The command with what it takes to run it as root from here."""
    return list(command) if os.geteuid() == 0 else ["sudo", "-n", *command]


def root_problems() -> list[str]:
    """Why this user cannot act as root, asking once for a password where there is a terminal to ask at."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return ["root is needed and sudo is not installed: run this as root, or 'apt-get install sudo'"]
    if run(["sudo", "-n", "true"], check=False).ok:
        return []
    if sys.stdin.isatty() and subprocess.run(["sudo", "-v"], check=False).returncode == 0:
        return []
    return ["root is needed and sudo wants a password: run 'sudo -v' first, or run this as root"]


def require_root() -> None:
    """Raise Preflight unless this user can act as root."""
    if problems := root_problems():
        raise Preflight(problems)


def uses_aws() -> bool:
    """Whether this person has set up access to AWS: in the environment, or in ~/.aws (Boto3 documentation, "Credentials")."""
    variables = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_ROLE_ARN", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE")
    folder = Path("~/.aws").expanduser()
    return any(os.environ.get(name) for name in variables) or any(
        (folder / n).is_file() for n in ("config", "credentials")
    )


def replace_by(command: Sequence[str]) -> None:
    """Become another program, which keeps the terminal.  Raises Preflight when it is not installed."""
    if shutil.which(command[0]) is None:
        raise Preflight(
            f"{command[0]!r} is not installed: apt-get install {_PACKAGES.get(command[0], command[0])}"
        )
    sys.stdout.flush()
    sys.stderr.flush()
    os.execvp(command[0], list(command))


_PACKAGES = {"ssh": "openssh-client"}


def _send(process: "subprocess.Popen[bytes]", writer: InputWriter) -> bytes:
    """Feed a program that says nothing before it has read all; what is left to send, which is nothing."""
    assert process.stdin
    with suppress(BrokenPipeError):  # it ended without reading all; its exit code tells whether that matters
        writer(process.stdin.write)
    return b""


def _follow(
    process: "subprocess.Popen[bytes]", stdin: bytes, on_line: Callable[[str], None]
) -> tuple[bytes, bytes]:
    assert process.stdin and process.stdout and process.stderr
    process.stdin.write(stdin)
    process.stdin.close()
    lines = []
    for line in process.stdout:
        lines.append(line)
        on_line(line.decode(errors="replace").rstrip("\n"))
    return b"".join(lines), process.stderr.read()
