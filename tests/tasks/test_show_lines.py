"""Lines of many nodes: short answers stand together in node order, long ones are shown as they come."""

import io
import json
import threading

import pytest

from fabfile.console.streams import OutputError
from fabfile.core.errors import NodeError, NodeFailures
from fabfile.core.files.transfer import Moved
from fabfile.tasks.show import lines as show_lines

MOVED = Moved(path="/srv/x", kind="file", files=1, bytes=7)


def test_short_answers_stand_together_in_node_order(capsys: pytest.CaptureFixture[str]) -> None:
    with show_lines.printing(quiet=False) as hear:
        hear("node10", "ten\n")
        hear("node2", "one\n")
        hear("node10", "ten again\n")
        hear("node2", "two\n\nthree\n")
        assert capsys.readouterr().out == ""
    expected = "node2: one\nnode2: two\nnode2: \nnode2: three\nnode10: ten\nnode10: ten again\n"
    assert capsys.readouterr().out == expected


def test_long_ones_are_shown_as_they_come(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(show_lines, "HOLD", 0.05)
    with show_lines.printing(quiet=False) as hear:
        hear("node1", "first\n")
        threading.Event().wait(0.5)
        assert capsys.readouterr().out == "node1: first\n"
        hear("node0", "second\n")
        assert capsys.readouterr().out == "node0: second\n"


def test_lines_that_nobody_reads_are_told_at_the_end_and_not_to_the_nodes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", Closed())
    lines = show_lines.printing(quiet=False)
    hear = lines.__enter__()
    hear("node0", "a line\n")
    with pytest.raises(OutputError):
        lines.__exit__(None, None, None)


def test_programs_get_no_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with show_lines.printing(quiet=True) as hear:
        hear("node0", "a line\n")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("others", [{}, {"node2": MOVED}])
def test_programs_are_told_what_failed_on_each_node(
    capsys: pytest.CaptureFixture[str], others: dict[str, Moved]
) -> None:
    failures = {name: NodeError(name, "could not be reached") for name in ("node1", "node10")}
    error = NodeFailures("put", failures, others)

    def move() -> dict[str, Moved]:
        raise error

    with pytest.raises(NodeFailures):
        show_lines.moved(move, as_json=True)
    put = capsys.readouterr().out
    show_lines.failures(error, as_json=True)
    run = capsys.readouterr().out
    assert put == run
    told = json.loads(put)
    assert list(told) == ["node1", *others, "node10"]
    assert told["node10"] == {"error": "node10: could not be reached"}
    assert all(told[name]["path"] == "/srv/x" for name in others)


def test_persons_are_told_what_failed_in_the_error_only(capsys: pytest.CaptureFixture[str]) -> None:
    error = NodeFailures("put", {"node1": NodeError("node1", "no")}, {"node2": MOVED})

    def move() -> dict[str, Moved]:
        raise error

    with pytest.raises(NodeFailures):
        show_lines.moved(move, as_json=False)
    show_lines.failures(error, as_json=False)
    assert capsys.readouterr().out == "node2: /srv/x, 7 bytes\n"


def test_once_nobody_reads_the_lines_their_command_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(text: str, *, flush: bool = False) -> None:
        raise OutputError(BrokenPipeError())

    monkeypatch.setattr(show_lines.streams, "out", broken)
    shown = show_lines.Lines()
    shown.add("node0", "kept for a moment\n")
    shown.show()
    with pytest.raises(OutputError):
        shown.add("node0", "y\n")


def test_many_lines_are_not_kept_for_long(capsys: pytest.CaptureFixture[str]) -> None:
    shown = show_lines.Lines()
    for _ in range(11):
        shown.add("node0", "y" * 100_000 + "\n")
    assert capsys.readouterr().out.count("node0: ") == 11
