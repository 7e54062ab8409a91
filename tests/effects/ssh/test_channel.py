"""One command over one channel: both outputs at once, and whose failure it was."""

import threading
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from fabfile.core.errors import ClusterError
from fabfile.core.result import Result
from fabfile.core.ssh.answer import Call
from fabfile.effects.ssh.channel import Overlong, Talk, communicate

CALL = Call("true", mark="0123456789abcdef")
BEGIN, END = b"0123456789abcdef\n", b"0123456789abcdef 0\n"


class Channel:
    """A command that prints these pieces; with `error`, its connection breaks after them."""

    def __init__(
        self, *out: bytes, err: bytes = b"", error: Exception | None = None, waits: bool = False
    ) -> None:
        self.pieces, self.error_pieces = [BEGIN, *out, *([] if error else [END])], [BEGIN, err, END, b""]
        self.error = error
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
        return 1


def run(channel: Any, stdin: Any = b"", **talk: Any) -> Result:
    return communicate(channel, CALL, Talk(stdin, **talk), timeout=5)


def test_lines_are_whole_wherever_the_pieces_end() -> None:
    lines: list[str] = []
    result = run(Channel(b"one\ntw", b"o\nth\xc3", b"\xa9"), on_output=lambda text, error: lines.append(text))
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


def test_what_a_login_shell_prints_is_not_part_of_the_answer() -> None:
    channel = Channel(b"answer\n", err=b"warning\n")
    channel.pieces = [b"Welcome", b" to node0\n0123", *channel.pieces, b"Bye\n"]
    channel.error_pieces = [b"motd\n", *channel.error_pieces]
    assert run(channel) == Result(0, "answer\n", "warning\n")


def test_a_shell_that_runs_something_else_gives_its_words_as_the_reason() -> None:
    channel = Channel()
    channel.pieces, channel.error_pieces = [b"This account is not available.\n"], [b""]
    assert run(channel) == Result(1, "This account is not available.\n", "")


def test_of_an_output_without_bound_the_end_is_kept_and_all_of_it_is_passed_on() -> None:
    heard: list[str] = []
    lines = [b"%06d\n" % number for number in range(1000)]
    result = run(Channel(*lines), on_output=lambda text, error: heard.append(text), kept=70)
    assert result.out == b"".join(lines[-10:]).decode()
    assert result.left_out == 7 * 990
    assert "".join(heard) == b"".join(lines).decode()


def test_an_answer_without_bound_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fabfile.effects.ssh.channel._ANSWER", 100)
    with pytest.raises(Overlong):
        run(Channel(b"x" * 101))


def test_a_line_without_end_is_passed_on_in_pieces() -> None:
    heard: list[str] = []
    result = run(Channel(*[b"x" * 30_000] * 20), on_output=lambda text, error: heard.append(text), kept=10)
    assert max(map(len, heard)) < 100_000
    assert sum(text.count("x") for text in heard) == 600_000
    assert result.out == "x" * 10


def test_one_silent_output_does_not_end_a_command_whose_other_one_speaks() -> None:
    class Quiet(Channel):
        """Its standard error says nothing for longer than the time-out."""

        def recv_stderr(self, most: int) -> bytes:
            if not self.finished.wait(0.01):
                raise TimeoutError
            return super().recv_stderr(most)

        def recv(self, most: int) -> bytes:
            piece = super().recv(most)
            if not self.pieces:
                self.finished.set()
            return piece

        finished = threading.Event()

    channel: Any = Quiet(*[b"line\n"] * 50)
    assert communicate(channel, CALL, Talk(), timeout=5).out == "line\n" * 50


def test_a_command_that_is_silent_on_both_outputs_ends_with_a_time_out() -> None:
    class Silent(Channel):
        def recv(self, most: int) -> bytes:
            raise TimeoutError

        recv_stderr = recv

    channel: Any = Silent()
    with pytest.raises(TimeoutError):
        communicate(channel, CALL, Talk(), timeout=0)
