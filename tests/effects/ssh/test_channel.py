"""One command over one channel: both outputs at once, and whose failure it was."""

import threading
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from fabfile.core.errors import ClusterError
from fabfile.core.result import Result
from fabfile.effects.ssh.channel import communicate


class Channel:
    """A command that prints these pieces; with `error`, its connection breaks after them."""

    def __init__(
        self, *out: bytes, err: bytes = b"", error: Exception | None = None, waits: bool = False
    ) -> None:
        self.pieces, self.error_pieces, self.error = list(out), [err, b""], error
        self.read: list[bytes] = []
        self.done = threading.Event()
        if not waits:
            self.done.set()

    def sendall(self, piece: bytes) -> None:
        if self.error:
            raise self.error
        self.read.append(piece)

    def shutdown_write(self) -> None:
        self.done.set()

    def close(self) -> None:
        self.done.set()

    def recv(self, most: int) -> bytes:
        self.done.wait(5)
        if not self.pieces and self.error:
            raise self.error
        return self.pieces.pop(0) if self.pieces else b""

    def recv_stderr(self, most: int) -> bytes:
        return self.error_pieces.pop(0) if self.error_pieces else b""

    def recv_exit_status(self) -> int:
        return 0


def run(channel: Any, stdin: Any = b"", **readers: Any) -> Result:
    return communicate(channel, stdin, **readers)


def test_lines_are_whole_wherever_the_pieces_end() -> None:
    lines: list[str] = []
    result = run(Channel(b"one\ntw", b"o\nth\xc3", b"\xa9"), on_output=lines.append)
    assert lines == ["one\n", "two\n", "thé\n"]
    assert result.out == "one\ntwo\nthé"


def test_what_a_reader_leaves_is_read_and_not_in_the_result() -> None:
    pieces: list[bytes] = []
    channel = Channel(b"one", b"two", b"rest")
    assert run(channel, reader=lambda read: pieces.extend([read(10), read(10)])).out == ""
    assert (pieces, channel.pieces) == ([b"one", b"two"], [])


def test_a_broken_connection_is_not_taken_for_a_file_error() -> None:
    def reader(read: Callable[[int], bytes]) -> None:
        try:
            read(1)
        except OSError as error:
            raise AssertionError("taken for an error of a local file") from error

    with pytest.raises(ConnectionResetError):
        run(Channel(error=ConnectionResetError()), reader=reader)


def test_a_failure_while_writing_input_ends_the_command() -> None:
    def writer(write: Callable[[bytes], None]) -> NoReturn:
        write(b"half")
        raise ClusterError("the file is gone")

    channel = Channel(waits=True)
    with pytest.raises(ClusterError, match="the file is gone"):
        run(channel, writer)
    assert channel.done.is_set()


def test_a_command_may_end_without_reading_its_input() -> None:
    class Deaf(Channel):
        def sendall(self, piece: bytes) -> None:
            raise OSError("closed")

    assert run(Deaf(b"done"), b"much").out == "done"
