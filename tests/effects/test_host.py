"""Programs on this machine."""

from collections.abc import Callable

import pytest

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
