"""Progress lines: what a log without a terminal shows."""

import pytest

from fabfile.tasks.show.progress import PlainReport


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
