"""Files to nodes and back, on nodes that are this machine."""

import io
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fabfile.core.errors import NodeError, NodeFailures, UsageError
from fabfile.core.report import Silent
from fabfile.core.result import Payload, Result
from fabfile.core.spec.node import Node
from fabfile.effects.files import archive
from fabfile.effects.ssh.access import Access
from fabfile.effects.ssh.fan_out import fan_out
from fabfile.effects.ssh.runner import Remote
from fabfile.effects.store.store import Store
from fabfile.flows.machines import transfer
from fabfile.flows.services import apply
from fabfile.flows.session import Session
from fabfile.flows.sirikata import packages
from tests.builders import nodes, spec


class LocalRemote:
    """Runs the scripts of every node on this machine; output can be cut off after `most` bytes."""

    access = Access()

    def __init__(self) -> None:
        self.most: int | None = None

    def run(self, node: Node, script: str, *, stdin: Payload = b"", limit: float = 0) -> Result:
        assert not isinstance(stdin, bytes)
        pieces: list[bytes] = []
        stdin(pieces.append)
        done = subprocess.run(["sh", "-c", script], input=b"".join(pieces), capture_output=True, check=False)
        if done.returncode:
            raise NodeError(node.name, "a command failed", done.stderr.decode())
        return Result(0, "", "")

    def receive(
        self,
        node: Node,
        script: str,
        reader: Callable[[Callable[[int], bytes]], None],
        *,
        sudo: bool,
        limit: float,
    ) -> Result:
        done = subprocess.run(["sh", "-c", script], capture_output=True, check=False)
        if done.returncode:
            raise NodeError(node.name, "a command failed", done.stderr.decode())
        reader(io.BytesIO(done.stdout[: self.most]).read)
        return Result(0, "", done.stderr.decode())

    sudo = run
    # One node after the other: they share their folders.
    fan_out = staticmethod(partial(fan_out, max_workers=1))


class Reported(Silent):
    def __init__(self) -> None:
        self.steps: list[str] = []
        self.lines: list[str] = []

    def step(self, title: str) -> Any:
        self.steps.append(title)
        return super().step(title)

    def node(self, name: str, text: str) -> None:
        self.lines.append(f"{name}: {text}")


@pytest.fixture
def report() -> Reported:
    return Reported()


@pytest.fixture
def remote() -> LocalRemote:
    return LocalRemote()


@pytest.fixture
def session(report: Reported, remote: LocalRemote) -> Session:
    provider: Any = SimpleNamespace(nodes=lambda: nodes(2), ssh_key=lambda: None)
    return Session(spec(size=2), cast(Store, None), provider, cast(Remote, remote), report)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "file").write_text("content")
    return tmp_path / "conf"


def test_a_folder_is_put_into_a_folder_on_every_node(
    session: Session, report: Reported, source: Path, tmp_path: Path
) -> None:
    (tmp_path / "etc").mkdir()
    done = transfer.put(session, str(source), f"{tmp_path}/etc/")
    assert list(done) == ["node0", "node1"]
    assert done["node1"].path == f"{tmp_path}/etc/conf"
    assert (tmp_path / "etc" / "conf" / "file").read_text() == "content"
    assert report.steps == ["put conf on 2 nodes"]
    assert sorted(report.lines) == [
        f"node{n}: {tmp_path}/etc/conf: 7 bytes, checksums match" for n in range(2)
    ]


def test_what_nodes_fail_at_is_reported_by_node(session: Session, source: Path) -> None:
    with pytest.raises(NodeFailures, match="node0: a command failed: there is no folder /no/such"):
        transfer.put(session, str(source), "/no/such/place")


def test_every_problem_is_found_before_a_node_is_connected_to(session: Session, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        transfer.put(session, str(tmp_path / "none"), "relative")
    assert [problem.field for problem in caught.value.problems] == ["source", "path"]
    (tmp_path / "file").touch()
    with pytest.raises(UsageError) as caught:
        transfer.get(session, "relative", str(tmp_path / "file"))
    assert [problem.field for problem in caught.value.problems] == ["path", "folder"]


def test_a_folder_is_fetched_to_a_folder_for_each_node(
    session: Session, source: Path, tmp_path: Path
) -> None:
    done = transfer.get(session, str(source), str(tmp_path / "here"))
    for name in ("node0", "node1"):
        assert (tmp_path / "here" / name / "conf" / "file").read_text() == "content"
        assert done[name].path == str(tmp_path / "here" / name / "conf")
        assert (done[name].kind, done[name].files, done[name].bytes) == ("folder", 1, 7)


def test_a_fetch_that_fails_leaves_no_folder_behind(session: Session, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for here in (tmp_path / "new" / "deep", tmp_path / "mine", tmp_path / "mine" / "new"):
        with pytest.raises(NodeFailures):
            transfer.get(session, "/no/such/file", str(here))
        assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "use",
    [
        lambda session: transfer.put(session, "", "/x"),
        lambda session: transfer.put(session, "/etc/hostname", ""),
        lambda session: transfer.get(session, "", "here"),
        lambda session: transfer.get(session, "/x", ""),
        lambda session: apply.apply_file(session, ""),
        lambda session: archive.read(""),
        lambda session: packages.pack("", "/tmp/archive.tar.bz2", session.report),
        lambda session: packages.pack("/opt", "", session.report),
    ],
    ids=lambda use: " ".join(map(str, (*use.__code__.co_names, *use.__code__.co_consts))),
)
def test_a_path_that_is_empty_is_not_the_current_folder(
    session: Session, use: Callable[[Session], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bin", "lib", "share"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"is empty|'' is (relative|not a folder)"):
        use(session)


def test_an_incomplete_transfer_changes_nothing_here(
    session: Session, remote: LocalRemote, source: Path, tmp_path: Path
) -> None:
    remote.most = 600
    with pytest.raises(NodeFailures, match="incomplete, or the checksums do not match; nothing was changed"):
        transfer.get(session, str(source), str(tmp_path / "here"))
    assert not list((tmp_path / "here").rglob("conf"))


def test_a_failure_here_is_reported_with_the_node(session: Session, source: Path, tmp_path: Path) -> None:
    (tmp_path / "here" / "node1").mkdir(parents=True)
    (tmp_path / "here" / "node1" / "conf").touch()
    with pytest.raises(NodeFailures, match=r"node1: .* is a file here, and would be replaced by a folder"):
        transfer.get(session, str(source), str(tmp_path / "here"))
