"""Programs on this machine, as the user or as root."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from ..core.errors import ClusterError, Preflight, Problem, as_problems
from ..core.result import InputWriter, Payload, Result

# What a program inherits, beside what is for scripts of ours.  Everything else could change what it does or
# prints: BASH_ENV, CDPATH, LD_PRELOAD, PERL5OPT, POSIXLY_CORRECT, PYTHONPATH, SYSTEMD_LOG_LEVEL, functions of
# a shell, a language.
_INHERITED = {"HOME", "LOGNAME", "PATH", "SHELL", "TMPDIR", "USER"}
_INHERITED |= {"all_proxy", "ftp_proxy", "http_proxy", "https_proxy", "no_proxy"}
_INHERITED |= {"SSL_CERT_DIR", "SSL_CERT_FILE"}
_OURS = "SIRIKATA_"
# Programs that the user configures, variables included: `${NAME}` in ssh_config, commands that it names.
_USERS = {"ssh"}


def run(
    command: Sequence[str],
    *,
    stdin: Payload = b"",
    check: bool = True,
    on_line: Callable[[str], None] | None = None,
) -> Result:
    """Run a program to its end, in a clean environment.

    `on_line` is called with each line of its standard output as it comes.

    Raises ClusterError, with the last lines that it printed, when it cannot start or, with `check`, when it
    fails.
    """
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=None if command[0] in _USERS else environment(),
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


def environment() -> dict[str, str]:
    """The variables that a program gets whose output is read: messages are in English."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _INHERITED or name.lower() in _INHERITED or name.startswith(_OURS)
    }
    return kept | {"LC_ALL": "C.UTF-8"}


class Pipe:
    """A running shell command whose standard input and output are a socket.

    Its environment is the user's, who wrote it: a ProxyCommand of OpenSSH's.
    """

    def __init__(self, command: str) -> None:
        """Start the command.  Raises ClusterError where there is no shell."""
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
        """End the command.  Returns the last lines of its standard error."""
        self.socket.close()
        with self._process as process:
            try:
                process.wait(timeout=0.5)  # the end of its input ends it
            except subprocess.TimeoutExpired:
                process.kill()
            assert process.stderr
            # A child may keep it open: reading to its end could take forever.
            os.set_blocking(process.stderr.fileno(), False)
            err = process.stderr.read() or b""
        return Result(process.returncode, "", err.decode(errors="replace")).last_words


def as_root(command: Sequence[str]) -> list[str]:
    """The command that runs this one as root."""
    return list(command) if os.geteuid() == 0 else ["sudo", "-n", *command]


def root_problems() -> list[Problem]:
    """Why this user cannot act as root; where there is a terminal, sudo prompts for the password first."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return as_problems(
            ["root is required, but sudo is not installed: run this as root, or 'apt-get install sudo'"]
        )
    if run(["sudo", "-n", "true"], check=False).ok:
        return []
    if sys.stdin.isatty() and subprocess.run(["sudo", "-v"], check=False).returncode == 0:
        return []
    return as_problems(
        ["root is required, but sudo asks for a password: run 'sudo -v' first, or run this as root"]
    )


def require_root() -> None:
    """Raise Preflight unless this user can act as root."""
    if problems := root_problems():
        raise Preflight(problems)


def replace_by(command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Replace this process by a program, which keeps the terminal and gets more variables.

    Raises Preflight when it is not installed.
    """
    if shutil.which(command[0]) is None:
        raise Preflight(
            f"{command[0]!r} is not installed: apt-get install {_PACKAGES.get(command[0], command[0])}"
        )
    sys.stdout.flush()
    sys.stderr.flush()
    os.execvpe(command[0], list(command), {**os.environ, **(environment or {})})


_PACKAGES = {"ssh": "openssh-client"}


def _send(process: "subprocess.Popen[bytes]", writer: InputWriter) -> bytes:
    """Write the input of a program that prints nothing before it has read all.

    Returns what is left, which is nothing.
    """
    assert process.stdin
    with suppress(
        BrokenPipeError
    ):  # it ended without reading all of it; its exit code tells whether that matters
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
