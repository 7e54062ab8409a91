"""One command over one channel: its input and both outputs at the same time, in bounded memory."""

import codecs
import threading
from collections.abc import Callable
from contextlib import suppress

import paramiko

from ...core.result import InputWriter, Payload, Result

_CHUNK = 32768  # bytes

# Reads standard output with a function that returns up to so many bytes, and none at the end.
OutputReader = Callable[[Callable[[int], bytes]], None]
# Called with what a command wrote to either output, whole lines at a time.
OnOutput = Callable[[str], None]


class _Broken(Exception):
    """The channel's own failure, kept apart from those of the files that an InputWriter or OutputReader works
    with."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def communicate(
    channel: paramiko.Channel,
    stdin: Payload = b"",
    reader: OutputReader | None = None,
    on_output: OnOutput | None = None,
) -> Result:
    """Send input to a command that was started, and read both outputs to their ends.

    With a `reader`, standard output goes there, not into the result.  Raises what the channel raises
    (OSError, EOFError, SSHException), and what `stdin` or `reader` raise, which must not be an OSError.
    """
    writer = _whole(stdin) if isinstance(stdin, bytes) else stdin
    failed: list[BaseException] = []
    # One thread writes the input and another one reads errors, so that neither side blocks the other.
    writing = threading.Thread(target=_write, args=(channel, writer, failed), daemon=True)
    writing.start()
    err: list[bytes] = []
    reading = threading.Thread(target=_drain, args=(channel.recv_stderr, err, on_output), daemon=True)
    reading.start()
    out: list[bytes] = []
    try:
        if reader is None:
            _drain(channel.recv, out, on_output)
        else:
            reader(_reading(channel))
            _drain(channel.recv, [])
        reading.join()
    except _Broken as broken:
        raise (failed[0] if failed else broken.error) from broken
    finally:
        writing.join(timeout=1)
    if failed:
        raise failed[0]
    code = channel.recv_exit_status()
    return Result(code, b"".join(out).decode(errors="replace"), b"".join(err).decode(errors="replace"))


def _whole(text: bytes) -> InputWriter:
    def write_all(write: Callable[[bytes], object]) -> None:
        write(text)

    return write_all


def _write(channel: paramiko.Channel, writer: InputWriter, failed: list[BaseException]) -> None:
    def write(piece: bytes) -> None:
        try:
            channel.sendall(piece)
        except OSError as error:
            raise _Broken(error) from error

    try:
        writer(write)
        with suppress(OSError):
            channel.shutdown_write()
    except _Broken:
        # The command ended without reading all of it; its exit code tells whether that matters.
        return
    except BaseException as error:  # noqa: BLE001  # raised again by the thread that waits for the command
        failed.append(error)
        channel.close()  # the command waits for more input


def _reading(channel: paramiko.Channel) -> Callable[[int], bytes]:
    def read(size: int) -> bytes:
        try:
            return channel.recv(size)
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise _Broken(error) from error

    return read


def _drain(receive: Callable[[int], bytes], chunks: list[bytes], on_output: OnOutput | None = None) -> None:
    decoder, rest = codecs.getincrementaldecoder("utf-8")("replace"), ""
    while chunk := receive(_CHUNK):
        chunks.append(chunk)
        if on_output is not None:
            lines, newline, rest = (rest + decoder.decode(chunk)).rpartition("\n")
            if newline:
                on_output(lines + newline)
    if on_output is not None and (rest := rest + decoder.decode(b"", final=True)):
        on_output(rest + "\n")
