"""Whatever happens and whatever is typed, what leaves `fab` is sentences: never a traceback, never a raw
escape sequence."""

import io
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from invoke.context import Context
from invoke.exceptions import CommandTimedOut, Exit, Failure, UnexpectedExit
from invoke.runners import Result

import fabfile.tasks
from fabfile.console import hooks
from fabfile.core.errors import ClusterError, NodeError, Problem, UsageError
from fabfile.core.printable import bounded, printable, printable_line
from fabfile.core.result import Result as NodeResult
from fabfile.effects.store.store import Store
from fabfile.tasks.show import output
from fabfile.tasks.show.progress import reporter

from .conftest import FAB, ROOT, Fab

# What nodes, clouds and users may write: controls, colours, markup of rich, bytes that are not UTF-8.
OUTSIDE = st.text() | st.sampled_from(
    [
        "[/x]",
        "[bold]",
        "\x1b[2J",
        "\x9b31m",
        "\x07",
        "\r",
        ":warning:",
        "\udce9",
        "\u202eevil",
        "\x00",
        "x" * 9999,
    ]
)
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SIRIKATA_CLUSTER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def fab_process(home: Path, shell: str) -> "subprocess.CompletedProcess[str]":
    """Run a shell command line, in which $FAB is `fab`."""
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {shell}"],
        cwd=ROOT,
        env={**os.environ, "FAB": str(FAB), "SIRIKATA_CLUSTER_HOME": str(home)},
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=60,
        check=False,
    )


CLOSED = "error: standard output cannot be written: Bad file descriptor\n"
FULL = "error: standard output cannot be written: No space left on device\n"


@pytest.mark.parametrize(
    ("shell", "code", "said"),
    [
        ("$FAB cluster.list <&-", 0, ""),
        ("$FAB cluster.list >&-", 1, CLOSED),
        ("$FAB cluster.list 2>&-", 0, ""),
        ("$FAB cluster.show nope 2>&-", 2, ""),
        ("$FAB cluster.show nope <&- >&- 2>&-", 2, ""),
        ("$FAB cluster.list >/dev/full", 1, FULL),
        ("$FAB cluster.show nope 2>/dev/full", 2, ""),
        ("$FAB --list >/dev/full", 1, FULL),
        ("env -u PYTHONUNBUFFERED $FAB --list >/dev/full", 1, FULL),
        ("env -u PYTHONUNBUFFERED $FAB --list >&-", 1, CLOSED),
        ("$FAB cluster.list --json cluster.list --json | true", 141, ""),
        ("PYTHONUNBUFFERED=1 $FAB --list | true", 141, ""),
        ("$FAB ec2.policy | true", 141, ""),
    ],
)
def test_standard_streams_may_be_closed_or_full(tmp_path: Path, shell: str, code: int, said: str) -> None:
    done = fab_process(tmp_path / "home", shell)
    assert (done.returncode, done.stderr) == (code, said)


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "xx_YY.UTF-8"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
    ids=str,
)
def test_every_locale_will_do(tmp_path: Path, environment: dict[str, str]) -> None:
    tasks = "local.create demo 2 cluster.show demo sirikata.presets ec2.policy"
    variables = " ".join(f"{name}={value}" for name, value in environment.items())
    done = fab_process(tmp_path / "home", f"env {variables} $FAB {tasks} cluster.show $'\\e[1m\\xe9'")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done
    assert "\\x1b[1m" in done.stderr and "Traceback" not in done.stderr
    assert "demo: 2 nodes" in done.stdout and not RAW.search(done.stdout + done.stderr)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"{", "line 1, column 2"),
        (b"- a", "expected a mapping"),
        (b"run: 5", "expected a mapping, got 5"),
        (b"a: \xff", "invalid start byte"),
        (b"tasks: {executor_class: nope}", "cannot be used"),
        (b"tasks: {auto_dash_names: {}, search_root: 5}", ""),
    ],
    ids=str,
)
def test_a_damaged_fabric_yaml_is_named(tmp_path: Path, text: bytes, said: str) -> None:
    (tmp_path / "fabfile").symlink_to(ROOT / "fabfile")
    (tmp_path / "fabric.yaml").write_bytes(text)
    done = fab_process(tmp_path / "home", f"cd {tmp_path} && $FAB cluster.list")
    assert "Traceback" not in done.stderr, done
    if said:
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done
        assert f"{tmp_path}/fabric.yaml" in done.stderr and said in done.stderr


AWS = """
[profile mfa]
region = eu-central-1
role_arn = arn:aws:iam::123456789012:role/admin
mfa_serial = arn:aws:iam::123456789012:mfa/me
source_profile = base

[profile base]
aws_access_key_id = AKIA0123456789ABCDEF
aws_secret_access_key = 0123456789abcdef
"""


def test_without_a_terminal_a_prompt_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(AWS)
    shell = f"AWS_CONFIG_FILE={tmp_path}/config AWS_PROFILE=mfa setsid -w $FAB ec2.check demo"
    done = fab_process(tmp_path / "home", f"$FAB cluster.create demo 1 own key && {shell} </dev/null")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("error: the AWS profile needs an MFA code: run this command in a terminal")


def raising(error: BaseException) -> Callable[..., None]:
    def body(c: Any) -> None:
        raise error

    return body


def ended(error: BaseException) -> tuple[int, str, str]:
    """The exit code and both outputs of a task that raises this."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        with pytest.raises(Exit) as end:
            fabfile.tasks.task(raising(error))(Context())
    assert not end.value.message
    return end.value.code, out.getvalue(), err.getvalue()


def group_error(text: str) -> Exception:
    from fabric.exceptions import GroupException
    from fabric.group import GroupResult

    result = GroupResult()
    result[fabfile.tasks.fabric.Connection("db1")] = OSError(text)
    result[fabfile.tasks.fabric.Connection("db2")] = Result()
    return GroupException(result)


def boto_error(text: str) -> Exception:
    from botocore.exceptions import ClientError, ParamValidationError

    parameters: Any = {"Error": {"Code": text, "Message": text}}
    return ClientError(parameters, "RunInstances") if text else ParamValidationError(report=text)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def ssh_error(text: str) -> Exception:
    import paramiko

    return paramiko.ssh_exception.NoValidConnectionsError({("10.0.0.1", 22): OSError(text)})


KINDS: list[Callable[[str], BaseException]] = [
    ClusterError,
    lambda text: UsageError([Problem(text, text, text), text]),
    lambda text: NodeError("node0", "exited with 1", NodeResult(1, text, text).last_words),
    lambda text: UnexpectedExit(Result(text, text, text, command=text, exited=3, hide=("stdout", "stderr"))),
    lambda text: CommandTimedOut(Result(command=text), timeout=5),
    lambda text: Failure(Result(command=text), reason=ValueError(text)),
    group_error,
    boto_error,
    ssh_error,
    KeyError,
    ValueError,
    RecursionError,
    MemoryError,
    EOFError,
    OSError,
    lambda text: OSError(28, text),
    lambda text: FileNotFoundError(2, text, text),
    lambda text: socket.gaierror(-2, text),
    lambda text: ModuleNotFoundError(text, name=text),
    lambda text: UnicodeEncodeError("ascii", text or "x", 0, 1, text),
    lambda text: ExceptionGroup(text or "x", [ValueError(text)]),
    lambda text: KeyboardInterrupt(text),
    lambda text: GeneratorExit(text),
    lambda text: Unspeakable(),
]


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(make=st.sampled_from(KINDS), text=OUTSIDE)
def test_any_exception_with_any_text_is_a_sentence(
    home: Path, make: Callable[[str], BaseException], text: str
) -> None:
    code, out, err = ended(make(text))
    assert 1 <= code <= 141 and out == ""
    assert err.startswith(("error: ", "Interrupted. ")) and err.endswith("\n")
    assert "Traceback (most" not in err and not RAW.search(err)
    assert len(err) < 30_000


def test_a_traceback_that_nobody_expected_is_in_the_log_that_is_named(home: Path) -> None:
    code, _, err = ended(KeyError("node7"))
    assert (code, err) == (
        1,
        f"error: task body failed unexpectedly (KeyError: 'node7'). The traceback is in {home}/log\n",
    )
    log = home / "log"
    assert (log.stat().st_mode & 0o777, log.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert "in body" in log.read_text() and "KeyError: 'node7'" in log.read_text()
    for _ in range(60):
        ended(ValueError("x" * 50_000))
    sizes = [path.stat().st_size for path in home.iterdir()]
    assert len(sizes) == 2 and sum(sizes) < 2_100_000


def test_without_a_home_the_log_is_in_the_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIRIKATA_CLUSTER_HOME", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert f"{tmp_path}/sirikata-cluster/log" in ended(KeyError("x"))[2]


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SIRIKATA_CLUSTER_HOME", str(tmp_path / "file"))
    code, _, err = ended(KeyError("x"))
    assert (code, err.count("\n")) == (1, 1)
    assert f"cannot be written to {tmp_path}/file: " in err


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=st.text("abcdefghij0123456789+/=", min_size=2).map("Pa$$w0rd{}".format), around=OUTSIDE)
def test_secrets_are_neither_shown_nor_logged(home: Path, secret: str, around: str) -> None:
    pem = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{secret}\n-----END OPENSSH PRIVATE KEY-----"
    stored = home / "clusters/demo/secrets/token"
    stored.parent.mkdir(parents=True, exist_ok=True)
    stored.write_text(f"{secret}2\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_SECRET_ACCESS_KEY", f"{secret}1")
        patch.setattr(sys, "argv", ["fab", "service.add", f"--env=PASS={secret}3", "--env", f"P={secret}4"])
        for said in (
            f"{secret}1",
            f"{secret}2",
            f"{secret}3",
            f"{secret}4",
            f"http://me:{secret}@proxy",
            pem,
        ):
            _, _, err = ended(ValueError(f"{around[:100]} {said} {around[:100]}"))
            assert secret not in err
    assert secret not in (home / "log").read_text()


@given(text=OUTSIDE)
def test_printable_text_has_no_control_characters_and_loses_nothing(text: str) -> None:
    shown, line = printable(text), printable_line(text)
    assert not RAW.search(shown) and not re.search("[\n\t]", line)
    if not re.search("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", text):
        assert shown == line == text


@given(text=st.text(), limit=st.integers(20, 200))
def test_a_long_text_keeps_its_beginning_and_its_end(text: str, limit: int) -> None:
    short = bounded(text, limit)
    assert short == text or (len(text) > limit and short[:5] == text[:5] and short[-5:] == text[-5:])
    assert len(short) <= limit + 60


@settings(deadline=None, max_examples=60)
@given(rows=st.lists(st.tuples(OUTSIDE, OUTSIDE), max_size=5), columns=st.sampled_from(["", "20", "80"]))
def test_in_a_pipe_a_row_of_a_table_is_one_line_with_all_of_it(
    rows: list[tuple[str, str]], columns: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", columns)
        patch.setenv("FORCE_COLOR", "")
        patch.setattr(sys, "stdout", io.StringIO())
        output.present("many words " * 30, output.table(("one", "two"), rows))
        first, _, _, *drawn = sys.stdout.getvalue().split("\n")  # type: ignore[attr-defined]
    assert first.strip() == ("many words " * 30).strip()
    assert len(drawn) == len(rows) + 1
    for line, row in zip(drawn, rows, strict=False):
        assert not RAW.search(line)
        assert all(printable_line(cell).strip() in line for cell in row)


@pytest.fixture
def on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", hooks._in_thread)


@pytest.mark.usefixtures("on_threads")
def test_a_thread_that_fails_fails_the_task_with_a_sentence(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def body(c: Any) -> None:
        thread = threading.Thread(target=lambda: {}["node3"])
        thread.start()
        thread.join()

    with pytest.raises(Exit) as end:
        fabfile.tasks.task(body)(Context())
    said = capsys.readouterr().err
    assert end.value.code == 1
    assert (
        said == f"error: a thread failed unexpectedly (KeyError: 'node3'). The traceback is in {home}/log\n"
    )


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


# What rich itself draws with: colours, the cursor.
OWN = re.compile("\\x1b\\[[0-9;?]*[mAKhlJG]|\\r")


@settings(deadline=None, max_examples=40)
@given(texts=st.lists(OUTSIDE, min_size=5, max_size=5))
def test_a_terminal_gets_no_control_sequence_but_our_own(texts: list[str]) -> None:
    clear = "\x1b[2J\x1b]0;title\x07"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", Terminal())
        patch.setattr(sys, "stderr", Terminal())
        patch.setenv("TERM", "xterm")
        report, out, err = reporter(), sys.stdout, sys.stderr
        with report.step(clear + texts[0]):
            report.node("node0", clear + texts[1])
            report.note(clear + texts[2])
            report.warn(clear + texts[3])
        output.present(clear + texts[4], output.table(("one", "two"), [(texts[0], texts[4])]))
        output.line(clear + texts[3])
        shown = out.getvalue() + err.getvalue()  # type: ignore[attr-defined]
    assert not RAW.search(OWN.sub("", shown))
    assert "\x1b[2J" not in shown and shown.count("\\x1b[2J") >= 5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), file=st.sampled_from(["spec.json", "state.json"]))
def test_a_damaged_file_of_ours_is_named(fab: Fab, home: Path, data: st.DataObject, file: str) -> None:
    if not Store("demo").exists:
        fab("local.create", "demo", "2")
        Store("demo").update_state(attempts=1)
    path = home / "clusters/demo" / file
    whole = path.read_bytes()
    document = json.loads(whole)
    document[data.draw(st.sampled_from(sorted(document)))] = data.draw(JSON)
    damage = st.binary(max_size=40) | st.just(json.dumps(document).encode()) | st.just(whole[:-9] + b"\xff")
    path.write_bytes(data.draw(damage))
    try:
        for task in ("cluster.show", "service.list", "corosync.render"):
            done = fab(task, "demo")
            assert done.returncode in (0, 1, 2, 3) and "unexpectedly" not in done.stderr, done
    finally:
        path.write_bytes(whole)


FABFILE = """
import atexit, os, signal, threading
from invoke import task as plain
from sirikata_cluster import task

@task
def stop(c):
    atexit.register(os.kill, os.getpid(), signal.SIGINT)
    try:
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        os.kill(os.getpid(), signal.SIGINT)

@task
def fails(c):
    thread = threading.Thread(target=lambda: c.nothing)
    thread.start()
    thread.join()
    c.run("echo '[/x]'; echo >&2 no; exit 4", hide=True)

@task
def needs(c):
    import absent.part

@plain
def theirs(c):
    raise KeyError("a bug")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a fabfile of somebody else's."""
    (tmp_path / "sirikata_cluster").symlink_to(ROOT / "fabfile")
    (tmp_path / "templates").symlink_to(ROOT / "templates")
    (tmp_path / "fabfile.py").write_text(FABFILE)
    return tmp_path


def test_interrupted_again_and_again_nothing_but_the_sentence_is_shown(project: Path) -> None:
    done = fab_process(project / "home", f"cd {project} && $FAB stop")
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "Interrupted. Run the same command again to resume.\n"


def test_what_a_task_of_the_users_runs_fails_with_a_sentence(project: Path) -> None:
    done = fab_process(project / "home", f"cd {project} && $FAB fails")
    assert (done.returncode, done.stdout) == (4, "")
    thread, *command = done.stderr.splitlines()
    assert thread.startswith("error: a thread failed unexpectedly (AttributeError")
    assert command == ["error: \"echo '[/x]'; echo >&2 no; exit 4\" exited with 4", "  no"]


def test_a_task_that_is_not_ours_keeps_its_traceback(project: Path) -> None:
    done = fab_process(project / "home", f"cd {project} && $FAB theirs")
    assert done.returncode == 1 and done.stderr.endswith("KeyError: 'a bug'\n")
    assert "Traceback" in done.stderr and not (project / "home").exists()


def test_a_missing_package_is_named(project: Path) -> None:
    done = fab_process(project / "home", f"cd {project} && $FAB needs")
    assert (
        done.stderr
        == "error: the Python package 'absent' is not installed: pip install -r requirements.txt\n"
    )
