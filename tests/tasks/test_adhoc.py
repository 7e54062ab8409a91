"""Faults of ad-hoc hosts, in the words of where they are typed: an option, a file, Python."""

from pathlib import Path

import pytest

from fabfile.core.adhoc.host import Host
from fabfile.core.errors import UsageError
from fabfile.library import Cluster

from .conftest import Fab

ACCOUNT = "must be the name of a Linux account, got 'X;'"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host=db1", "--port=70000"], "error: --port must be from 1 to 65535, got 70000\n"),
        (["--host=db1", "--port=x"], "error: --port must be an integer, got 'x'\n"),
        (["--host=db1:70000"], "error: --host=db1:70000: the port must be from 1 to 65535, got 70000\n"),
        (["--host=db1", "--user=X;"], f"error: --user {ACCOUNT}\n"),
        (["--host=X;@db1"], f"error: --host=X;@db1: the user {ACCOUNT}\n"),
        (
            ["--host=X;db1"],
            "error: --host=X;db1: the host must be [user@]host[:port], for example "
            "'debian@db1.example.edu:22'\n",
        ),
    ],
)
def test_an_option_is_named_as_it_is_typed(fab: Fab, arguments: list[str], said: str) -> None:
    done = fab("adhoc.create", "web", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


def test_a_key_of_a_file_is_named_with_its_line(fab: Fab, tmp_path: Path) -> None:
    file = tmp_path / "hosts.yaml"
    file.write_text("hosts:\n  - host: db1\n    port: 70000\n    user: X;\n    host-key: x\n")
    done = fab("adhoc.create", "web", f"--file={file}")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"error: {file}:3: X;@db1:70000: port must be from 1 to 65535, got 70000",
        f"error: {file}:4: X;@db1:70000: user {ACCOUNT}",
        (
            f"error: {file}:5: X;@db1:70000: host-key must be 'TYPE BASE64', as in the host's "
            "/etc/ssh/ssh_host_ed25519_key.pub"
        ),
    ]


def test_a_field_is_named_as_in_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIRIKATA_CLUSTER_HOME", str(tmp_path / "home"))
    with pytest.raises(UsageError) as caught:
        Cluster("web").create(provider="adhoc", hosts=[Host(host="db1", port=70000, host_key="x")])
    assert [(problem.subject, problem.field) for problem in caught.value.problems] == [
        ("db1:70000", "port"),
        ("db1:70000", "host_key"),
    ]
    assert str(caught.value).splitlines() == [
        "db1:70000: port must be from 1 to 65535, got 70000",
        "db1:70000: host_key must be 'TYPE BASE64', as in the host's /etc/ssh/ssh_host_ed25519_key.pub",
    ]
    with pytest.raises(UsageError, match=r"hosts\[0\]: port must be an integer, got 'x'"):
        Cluster("web").create(provider="adhoc", hosts=[Host(host="db1", port="x")])  # type: ignore[arg-type]
