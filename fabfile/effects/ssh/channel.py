"""One command over one channel: its input and both outputs at the same time, in bounded memory.

Ours, where Fabric has `Connection.run`: that reads input a byte at a time, keeps all output, and takes what a
login shell prints for the command's own.
"""

import codecs
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import paramiko

from ...core.result import Payload, Result
from ...core.ssh.answer import Answer, Call

_CHUNK = 32768  # bytes
# Characters of a line that are passed on before its end comes.
_LINE = 1 << 16
# Bytes of either output of a command whose answer is needed as a whole.
_ANSWER = 64 << 20

# Reads standard output with a function that returns up to so many bytes, and none at the end.
OutputReader = Callable[[Callable[[int], bytes]], None]
# Called with what a command wrote, whole lines at a time, and whether that was to standard error.
OnOutput = Callable[[str, bool], None]


class _Broken(Exception):
    """The channel's own failure, kept apart from those of the files that an InputWriter or OutputReader works
    with."""

    def __init__(self, error: Exception) -> None:
        self.error = error


class Overlong(Exception):
    """A command printed more than an answer may have."""


@dataclass(frozen=True)
class Talk:
    """What is said over a channel beside the script.

    stdin      what the script reads
    reader     takes standard output instead of the result
    on_output  hears both outputs as they come, from two threads
    kept       bytes of either output that the result keeps, the last ones; 0: all of them, or Overlong
    """

    stdin: Payload = b""
    reader: OutputReader | None = None
    on_output: OnOutput | None = None
    kept: int = 0


def communicate(channel: paramiko.Channel, call: Call, talk: Talk, timeout: float) -> Result:
    """Send a call and its input to the shell that `call.command` started; read both outputs to their ends.

    Raises TimeoutError after `timeout` seconds without a byte, Overlong, what the channel raises (OSError,
    EOFError, SSHException), and what the input's writer and the reader raise, which must not be an OSError.
    """
    return _Exchange(channel, call, talk, timeout).result()


class _Exchange:
    def __init__(self, channel: paramiko.Channel, call: Call, talk: Talk, timeout: float) -> None:
        self._channel, self._talk, self._timeout = channel, talk, timeout
        self._head = call.head
        self._out, self._err = Answer(call.mark), Answer(call.mark)
        self._kept_out, self._kept_err = _Kept(talk, error=False), _Kept(talk, error=True)
        self._failed: list[BaseException] = []
        self._active, self._over = time.monotonic(), False

    def result(self) -> Result:
        # One thread writes the input and another one reads errors, so that neither side blocks the other.
        writing, reading = self._start(self._write), self._start(self._read_errors)
        try:
            self._read()
            reading.join()
        except _Broken as broken:
            raise (self._failed[0] if self._failed else broken.error) from broken
        finally:
            self._over = True
            writing.join(timeout=1)
        if self._failed:
            raise self._failed[0]
        code = self._out.code
        if code is None:
            code = self._channel.recv_exit_status()
        if not self._out.begun:  # something else than our shell ran: its words are the reason
            return Result(code or 127, self._out.noise, self._err.noise)
        out, err = self._kept_out, self._kept_err
        return Result(code, out.text, err.text, out.left_out + err.left_out)

    def _start(self, function: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=function, daemon=True)
        thread.start()
        return thread

    def _write(self) -> None:
        def write(piece: bytes) -> None:
            try:
                self._channel.sendall(piece)
            except OSError as error:
                raise _Broken(error) from error
            self._active = time.monotonic()

        stdin = self._talk.stdin
        try:
            if isinstance(stdin, bytes):
                write(self._head + stdin)
            else:
                write(self._head)
                stdin(write)
            with suppress(OSError, EOFError):
                self._channel.shutdown_write()
        except _Broken:
            # The command ended without reading all of it; its exit code tells whether that matters.
            return
        except BaseException as error:  # noqa: BLE001  # raised again by the thread that waits for the command
            self._fail(error)

    def _read(self) -> None:
        pieces = self._pieces(self._out, self._channel.recv)
        if self._talk.reader is not None:
            self._talk.reader(_reading(pieces))
            for _ in pieces:  # what the reader left
                pass
            return
        for piece in pieces:
            self._kept_out.add(piece)
        self._kept_out.finish()

    def _read_errors(self) -> None:
        try:
            for piece in self._pieces(self._err, self._channel.recv_stderr):
                self._kept_err.add(piece)
            self._kept_err.finish()
        except _Broken as broken:
            if not self._over:
                self._fail(broken.error)
        except BaseException as error:  # noqa: BLE001  # raised again by the thread that waits for the command
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._failed.append(error)
        self._channel.close()  # the command waits for more input, or goes on printing

    def _pieces(self, answer: Answer, receive: Callable[[int], bytes]) -> Iterator[bytes]:
        while not answer.ended and (chunk := self._received(receive)):
            if piece := answer.take(chunk):
                yield piece
        if rest := answer.rest():
            yield rest

    def _received(self, receive: Callable[[int], bytes]) -> bytes:
        while True:
            try:
                chunk = receive(_CHUNK)
            except TimeoutError as error:
                if self._over or time.monotonic() - self._active >= self._timeout:
                    raise _Broken(error) from error
                continue  # the input or the other output was not silent
            except (OSError, EOFError, paramiko.SSHException) as error:
                raise _Broken(error) from error
            self._active = time.monotonic()
            return chunk


def _reading(pieces: Iterator[bytes]) -> Callable[[int], bytes]:
    """Pieces as a function that returns up to so many bytes of them, and none at their end."""
    left = b""

    def read(size: int) -> bytes:
        nonlocal left
        left = left or next(pieces, b"")
        piece, left = left[:size], left[size:]
        return piece

    return read


class _Kept:
    """The last bytes of an output; its lines are passed on as they come.

    left_out  how many bytes before them are not kept
    """

    def __init__(self, talk: Talk, *, error: bool) -> None:
        self._limit, self._hear, self._error = talk.kept, talk.on_output, error
        self._bytes, self.left_out = bytearray(), 0
        self._decoder, self._line, self._length = codecs.getincrementaldecoder("utf-8")("replace"), [""], 0

    @property
    def text(self) -> str:
        return self._bytes.decode(errors="replace")

    def add(self, piece: bytes) -> None:
        self._bytes += piece
        if not self._limit and len(self._bytes) > _ANSWER:
            raise Overlong
        if self._limit and len(self._bytes) > 2 * self._limit:  # seldom, since it moves what is kept
            self._trim()
        if self._hear is not None:
            self._pass_on(self._decoder.decode(piece))

    def finish(self) -> None:
        """Pass on a last line that has no end."""
        if self._limit and len(self._bytes) > self._limit:
            self._trim()
        if self._hear is not None:
            self._pass_on(self._decoder.decode(b"", final=True))
            if last := "".join(self._line):
                self._hear(last + "\n", self._error)

    def _trim(self) -> None:
        surplus = len(self._bytes) - self._limit
        del self._bytes[:surplus]
        self.left_out += surplus

    def _pass_on(self, text: str) -> None:
        lines, newline, rest = text.rpartition("\n")
        if newline or self._length + len(rest) > _LINE:
            assert self._hear is not None
            self._hear("".join((*self._line, lines if newline else rest)) + "\n", self._error)
            self._line, self._length = [], 0
            rest = rest if newline else ""
        self._line.append(rest)
        self._length += len(rest)
