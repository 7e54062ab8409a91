"""One command over one channel: both streams at once, and whose failure it was."""

import threading
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from fabfile.core.errors import ClusterError
from fabfile.effects.ssh.channel import converse


class Channel:
    """A command that answers these pieces; with `error`, its connection breaks after them."""

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


def talk(channel: Any, stdin: Any = b"", take: Any = None, hear: Callable[[str], None] | None = None) -> Any:
    return converse(channel, stdin, take, hear)


def test_lines_are_heard_whole_wherever_the_pieces_end() -> None:
    heard: list[str] = []
    result = talk(Channel(b"one\ntw", b"o\nth\xc3", b"\xa9"), hear=heard.append)
    assert heard == ["one\n", "two\n", "thé\n"]
    assert result.out == "one\ntwo\nthé"


def test_what_is_taken_is_not_kept_and_what_is_left_over_is_read() -> None:
    taken: list[bytes] = []
    channel = Channel(b"one", b"two", b"rest")
    assert talk(channel, take=lambda read: taken.extend([read(10), read(10)])).out == ""
    assert (taken, channel.pieces) == ([b"one", b"two"], [])


def test_a_connection_that_breaks_is_told_as_that_though_a_file_is_read_or_written() -> None:
    def take(read: Callable[[int], bytes]) -> None:
        try:
            read(1)
        except OSError as error:
            raise AssertionError("taken for an error of a file here") from error

    with pytest.raises(ConnectionResetError):
        talk(Channel(error=ConnectionResetError()), take=take)


def test_what_fails_here_while_a_command_reads_ends_the_command_and_is_told() -> None:
    def feed(send: Callable[[bytes], None]) -> NoReturn:
        send(b"half")
        raise ClusterError("the file is gone")

    channel = Channel(waits=True)
    with pytest.raises(ClusterError, match="the file is gone"):
        talk(channel, stdin=feed)
    assert channel.done.is_set()


def test_a_command_that_ends_without_reading_all_is_no_failure_of_its_own() -> None:
    class Deaf(Channel):
        def sendall(self, piece: bytes) -> None:
            raise OSError("closed")

    assert talk(Deaf(b"done"), stdin=b"much").out == "done"
