"""Progress lines: what a log without a terminal shows."""

import io

import pytest
from rich.console import Console

from fabfile.tasks.show.progress import LiveReport, PlainReport


def test_steps_and_nodes_are_lines_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    report = PlainReport()
    with report.step("boot"):
        report.node("node0", "starting")
        report.node("node0", "starting")
        report.node("node0", "up")
    report.warn("careful")
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert lines[:3] == ["boot ...", "  node0: starting", "  node0: up"]
    assert lines[3].startswith("boot: done in 0.")
    assert lines[4] == "warning: careful"


def test_a_step_that_fails_is_not_called_done(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no"), PlainReport().step("boot"):
        raise ValueError("no")
    assert "done" not in capsys.readouterr().err


def test_on_a_terminal_steps_and_nodes_are_redrawn_and_a_done_step_stays() -> None:
    drawn = io.StringIO()
    report = LiveReport(Console(file=drawn, force_terminal=True, width=80))
    with report.step("boot [the machines]"):
        report.node("node0", "starting\nmore")
        with report.step("wait"):
            report.node("node0", "up")
        report.warn("careful")
    report.note("done")
    said = drawn.getvalue()
    for words in ("boot [the machines]", "node0  up", "✓", "warning: careful", "done"):
        assert words in said
    assert said.rstrip().endswith("done")
