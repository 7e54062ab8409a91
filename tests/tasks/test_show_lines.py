"""Lines of many nodes: short answers stand together in node order, long ones are shown as they come."""

import threading

import pytest

from fabfile.tasks import show_lines


def test_short_answers_stand_together_in_node_order(capsys: pytest.CaptureFixture[str]) -> None:
    with show_lines.printing(quiet=False) as hear:
        hear("node10", "ten\n")
        hear("node2", "one\n")
        hear("node10", "ten again\n")
        hear("node2", "two\n\nthree\n")
        assert capsys.readouterr().out == ""
    expected = "node2: one\nnode2: two\nnode2: \nnode2: three\nnode10: ten\nnode10: ten again\n"
    assert capsys.readouterr().out == expected


def test_long_ones_are_shown_as_they_come(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(show_lines, "HOLD", 0.05)
    with show_lines.printing(quiet=False) as hear:
        hear("node1", "first\n")
        threading.Event().wait(0.5)
        assert capsys.readouterr().out == "node1: first\n"
        hear("node0", "second\n")
        assert capsys.readouterr().out == "node0: second\n"


def test_lines_that_nobody_reads_are_told_at_the_end_and_not_to_the_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*words: object, **options: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("builtins.print", closed)
    lines = show_lines.printing(quiet=False)
    hear = lines.__enter__()
    hear("node0", "a line\n")
    with pytest.raises(BrokenPipeError):
        lines.__exit__(None, None, None)


def test_programs_get_no_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with show_lines.printing(quiet=True) as hear:
        hear("node0", "a line\n")
    assert capsys.readouterr().out == ""
