"""What a user chose for every connection of an invocation: Fabric's own options and configuration.

Fabric's documentation, "Command-line interface" and "Configuration", says what each of them means.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fabric
import paramiko

from ...core.errors import Problem, UsageError

# The sections of Fabric's settings that connections take over.
_SECTIONS = ("run", "sudo", "timeouts", "forward_agent", "inline_ssh_env", "runners")


@dataclass(frozen=True)
class SshOptions:
    """Fabric's options that concern connections.

    identities       `-i`, authentication.identities, connect_kwargs.key_filename: private keys to offer first
    passphrase       `--prompt-for-passphrase`, connect_kwargs.passphrase: of private keys
    password         `--prompt-for-login-password`, connect_kwargs.password: of the account there
    config_file      `-S`, ssh_config_path: the file that is read instead of the user's and the system's
    configured       load_ssh_configs: whether any such file is read
    connect_timeout  `-t`, timeouts.connect: seconds for a connection; 0: those of ssh_config, else ours
    command_timeout  `-T`, timeouts.command: seconds for a whole command; 0: no limit
    echo             `-e`, run.echo: whether commands are shown before they run
    settings         Fabric's settings for the tasks of the user that connections are given to
    """

    identities: tuple[Path, ...] = ()
    passphrase: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    config_file: Path | None = None
    configured: bool = True
    connect_timeout: float = 0
    command_timeout: float = 0
    echo: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


def ssh_options(config: Any | None) -> SshOptions:
    """The options in a configuration of Fabric; without one, none.

    Raises UsageError with every value that is of another type than Fabric takes.
    """
    if config is None:
        return SshOptions()
    values = _Values(config)
    files = values.paths("ssh_config_path")
    typed = getattr(config, "_runtime_ssh_path", None)  # Fabric has no public name for the file of `-S`
    options = SshOptions(
        identities=values.paths("authentication.identities", "connect_kwargs.key_filename"),
        passphrase=values.text("connect_kwargs.passphrase"),
        password=values.text("connect_kwargs.password"),
        config_file=Path(typed).expanduser() if typed else next(iter(files), None),
        configured=bool(values.get("load_ssh_configs", True)),
        connect_timeout=values.seconds("connect_kwargs.timeout", "timeouts.connect"),
        command_timeout=values.seconds("timeouts.command"),
        echo=bool(values.get("run.echo")),
        settings={name: _plain(config[name]) for name in _SECTIONS if name in config},
    )
    if values.problems:
        raise UsageError(values.problems)
    return options


class _Values:
    """The values of a configuration by their dotted names, and the problems with them."""

    def __init__(self, config: Any) -> None:
        self._config, self.problems = config, list[Problem]()

    def get(self, name: str, default: Any = None) -> Any:
        found = self._config
        for key in name.split("."):
            if not hasattr(found, "keys") or key not in found:
                return default
            found = found[key]
        return found

    def seconds(self, *names: str) -> float:
        for name in names:
            number = self.get(name)
            if isinstance(number, bool) or not isinstance(number, int | float | None) or (number or 0) < 0:
                self._problem(name, f"a number of seconds, got {number!r}")
            elif number:
                return float(number)
        return 0

    def text(self, name: str) -> str:
        word = self.get(name)
        if word is not None and not isinstance(word, str):
            self._problem(name, "a text")  # which may be a secret
        return str(word or "")

    def paths(self, *names: str) -> tuple[Path, ...]:
        found: list[Path] = []
        for name in names:
            given = self.get(name) or []
            for path in given if isinstance(given, list | tuple) else [given]:
                if isinstance(path, str | Path):
                    found.append(Path(path).expanduser())
                else:
                    self._problem(name, f"a path or a list of paths, got {path!r}")
        return tuple(dict.fromkeys(found))

    def _problem(self, name: str, wanted: str) -> None:
        text = f"Fabric's setting {name} must be {wanted}: correct it in fabric.yaml or the environment"
        self.problems.append(Problem("", "", text))


def fabric_config(options: SshOptions) -> fabric.Config:
    """Fabric's settings for our connections: the user's, without ssh_config, which OpenSSH resolves."""
    return fabric.Config(ssh_config=paramiko.SSHConfig(), overrides=dict(options.settings))


def leave_ssh_config_to_openssh() -> None:
    """Keep Fabric from failing at an ssh_config that only OpenSSH understands, as at `Match final all`.

    `fab` has Paramiko read it before any task runs.  Our connections do not use that; those of other tasks
    find nothing there, as where there is no such file.
    """
    strict = fabric.Config._load_ssh_file

    def lenient(config: fabric.Config, path: str) -> None:
        with suppress(paramiko.ConfigParseError):
            strict(config, path)

    fabric.Config._load_ssh_file = lenient


def _plain(value: Any) -> Any:
    """Settings as Fabric merges them: dictionaries instead of its proxies."""
    return {key: _plain(value[key]) for key in value} if hasattr(value, "keys") else value
