"""Fabric's options and settings as our connections take them, and what is said of those that are wrong."""

from pathlib import Path
from typing import Any

import fabric
import pytest

from fabfile.core.errors import UsageError
from fabfile.effects.ssh.options import SshOptions, fabric_config, ssh_options


def config(**overrides: Any) -> fabric.Config:
    return fabric.Config(lazy=True, overrides=overrides)


def test_without_settings_nothing_is_chosen() -> None:
    found = ssh_options(config())
    assert found == ssh_options(None) == SshOptions()


def test_each_option_of_fabric_is_taken(tmp_path: Path) -> None:
    found = config(
        authentication={"identities": [Path("~/one")]},
        connect_kwargs={"key_filename": ["two"], "passphrase": "secret", "password": "word", "timeout": 7},
        timeouts={"command": 9},
        run={"echo": True},
        load_ssh_configs=False,
    )
    found.set_runtime_ssh_path("~/mine")
    options = ssh_options(found)
    assert options.identities == (Path("~/one").expanduser(), Path("two"))
    assert (options.passphrase, options.password) == ("secret", "word")
    assert (options.connect_timeout, options.command_timeout, options.echo) == (7, 9, True)
    assert (options.config_file, options.configured) == (Path("~/mine").expanduser(), False)
    assert "secret" not in repr(options)
    assert "word" not in repr(options).replace("password", "")


def test_every_value_of_a_wrong_type_is_reported_and_no_secret_is_shown() -> None:
    wrong = config(
        connect_kwargs={"key_filename": [3], "password": ["s3cret"]},
        timeouts={"connect": "soon", "command": -1},
    )
    with pytest.raises(UsageError) as caught:
        ssh_options(wrong)
    named = ("connect_kwargs.key_filename", "connect_kwargs.password", "timeouts.connect", "timeouts.command")
    assert [str(problem).split()[2] for problem in caught.value.problems] == list(named)
    assert "s3cret" not in str(caught.value)


def test_a_connection_for_other_tasks_keeps_their_settings() -> None:
    options = ssh_options(config(run={"warn": True, "env": {"A": "b"}}, connect_kwargs={"password": "word"}))
    found = fabric_config(options)
    assert (found.run.warn, dict(found.run.env), dict(found.connect_kwargs)) == (True, {"A": "b"}, {})
