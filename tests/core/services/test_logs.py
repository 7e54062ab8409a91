"""Logs of several nodes as one."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fabfile.core.services.logs import LogLine, Place, log_script, merged, parse_log


def entry(when: int, text: Any, cursor: str = "c", source: str = "sh") -> str:
    fields = {
        "__REALTIME_TIMESTAMP": str(when),
        "__CURSOR": cursor,
        "MESSAGE": text,
        "SYSLOG_IDENTIFIER": source,
    }
    return json.dumps(fields) + "\n"


def test_entries_of_the_journal_are_lines_with_their_time() -> None:
    lines, place = parse_log(
        "node1", entry(1_500_000, "one", "a") + entry(2_000_000, "two\nthree", "b", "systemd")
    )
    assert lines == [
        LogLine(node="node1", when=1.5, text="one", source="sh"),
        LogLine(node="node1", when=2, text="two", source="systemd"),
        LogLine(node="node1", when=2, text="three", source="systemd"),
    ]
    assert place == Place(cursor="b")


def test_what_is_no_text_is_shown_as_well_as_may_be() -> None:
    lines, _ = parse_log("node1", entry(1, [104, 105, 255]) + entry(1, None) + "no entry\n")
    assert [line.text for line in lines] == ["hi\ufffd", "(too long to show)"]


def test_lines_of_nodes_are_merged_by_time_and_cut_at_the_front() -> None:
    one, _ = parse_log("node0", entry(1, "a") + entry(3, "c"))
    two, _ = parse_log("node1", entry(2, "b") + entry(4, "d"))
    assert [line.text for line in merged(two + one)] == ["a", "b", "c", "d"]
    assert [line.text for line in merged(two + one, 2)] == ["c", "d"]
    assert [line.text for line in merged(one, 5)] == ["a", "c"]


def run(log: Path, lines: int, place: Place | None = None) -> tuple[list[str], Place]:
    """What the script says of a file on this machine; a journal it has or has not, the service is in none."""
    script = log_script("no-such-service", str(log), lines, place)
    done = subprocess.run(["sh"], input=script, text=True, capture_output=True, check=True)
    found, place = parse_log("here", done.stdout, place)
    return [line.text for line in found], place


def test_a_file_is_read_from_where_it_was_left(tmp_path: Path) -> None:
    log = tmp_path / "it's a log"
    assert run(log, 2)[0] == []
    log.write_text("1\n2\n3\n")
    texts, place = run(log, 2)
    assert texts == ["2", "3"]
    assert run(log, 2, place) == ([], place)
    with log.open("a") as file:
        file.write("4\n5\n6\n")
    texts, place = run(log, 2, place)
    assert texts == ["4", "5", "6"]
    # Cut by the service when it started anew, and then another file.
    log.write_text("7\n")
    texts, place = run(log, 2, place)
    assert texts == ["7"]
    (tmp_path / "new").write_text("8 is longer than what was there before\n")
    (tmp_path / "new").rename(log)
    assert run(log, 2, place)[0] == ["8 is longer than what was there before"]


def test_a_file_that_comes_later_is_read_from_its_start(tmp_path: Path) -> None:
    _, place = run(tmp_path / "log", 2)
    (tmp_path / "log").write_text("1\n2\n3\n")
    assert run(tmp_path / "log", 2, place)[0] == ["1", "2", "3"]


@pytest.mark.parametrize("version", ["252", "257"])
def test_the_journal_of_either_release_is_read(version: str) -> None:
    text = (Path(__file__).parent / "golden" / f"journal-{version}.json").read_text()
    lines, place = parse_log("node0", text)
    assert [(line.source, line.dated) for line in lines] == [("systemd", True)] * len(lines)
    assert lines[-1].text == "Started sirikata-service-web.service - Cluster service web."
    assert lines == sorted(lines, key=lambda line: line.when)
    assert place.cursor.startswith("s=") and place.inode == ""
