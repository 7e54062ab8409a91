"""Programs on this machine."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fabfile.core.errors import ClusterError
from fabfile.effects import host


def ten_pieces(write: Callable[[bytes], object]) -> None:
    for _ in range(10):
        write(b"x" * 100_000)


def test_a_program_reads_its_input_in_pieces() -> None:
    done = host.run(["sha256sum"], stdin=ten_pieces)
    assert done.out == host.run(["sha256sum"], stdin=b"x" * 1_000_000).out


def test_a_program_may_end_before_the_last_piece() -> None:
    with pytest.raises(ClusterError, match="enough"):
        host.run(["sh", "-c", "echo enough >&2; exit 1"], stdin=ten_pieces)


def test_lines_are_reported_as_a_program_prints_them() -> None:
    lines: list[str] = []
    done = host.run(["sh", "-c", "cat; echo two"], stdin=b"one\n", on_line=lines.append)
    assert (lines, done.out) == (["one", "two"], "one\ntwo\n")


def test_a_missing_program_is_reported() -> None:
    with pytest.raises(ClusterError, match="cannot run no-such-program: No such file"):
        host.run(["no-such-program"])


SHELL = ["bash", "-c", "printf '%s\\n' answer; printf '%s' \"$LC_ALL\""]
NAMES = "BASH_ENV ENV BASH_FUNC_printf%% SHELLOPTS BASHOPTS PS4 CDPATH IFS GREP_OPTIONS LANG LC_ALL LANGUAGE"
NAMES += " PYTHONPATH PYTHONSTARTUP PYTHONHOME PERL5OPT PERL5LIB LD_PRELOAD LD_LIBRARY_PATH POSIXLY_CORRECT"
NAMES += " SYSTEMD_LOG_LEVEL SYSTEMD_COLORS TERM COLUMNS"


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.sets(st.sampled_from(NAMES.split())))
def test_nothing_in_the_environment_changes_what_a_program_prints(tmp_path: Path, names: set[str]) -> None:
    (tmp_path / "noise").write_text("echo noise; echo noise >&2; exit 7\n")
    values = {"BASH_FUNC_printf%%": "() { echo noise; }", "SHELLOPTS": "xtrace", "BASHOPTS": "extdebug"}
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setenv(name, values.get(name, str(tmp_path / "noise")))
        done = host.run(SHELL, check=False)
    assert (done.exit, done.out, done.err) == (0, "answer\nC.UTF-8", "")


def test_a_program_keeps_what_leads_out_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"HOME": "/h", "PATH": os.environ["PATH"], "https_proxy": "p", "HTTPS_PROXY": "q"}
    for name, value in {**kept, "AWS_SECRET_ACCESS_KEY": "x", "SIRIKATA_LOCAL_STATE": "/s"}.items():
        monkeypatch.setenv(name, value)
    found = dict(line.split("=", 1) for line in host.run(["env"]).out.splitlines())
    assert {**kept, "SIRIKATA_LOCAL_STATE": "/s"}.items() <= found.items()
    assert "AWS_SECRET_ACCESS_KEY" not in found


def test_openssh_keeps_every_variable_that_its_configuration_may_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ssh").write_text("#!/bin/sh\necho $MINE\n")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("MINE", "mine")
    assert host.run(["ssh"]).out == "mine\n"
