"""One command over one channel: what goes in, what comes out, at the same time and in bounded memory."""

import codecs
import threading
from collections.abc import Callable
from contextlib import suppress

import paramiko

from ...core.result import Feed, Payload, Result

_CHUNK = 32768

# Reads what a command writes, with a function that answers some bytes, and none at the end.
Take = Callable[[Callable[[int], bytes]], None]
# Is told what a command wrote to either stream, whole lines at a time.
Hear = Callable[[str], None]


class _Broken(Exception):
    """The channel's own failure, kept apart from those of the files that a Feed or a Take works with."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def converse(channel: paramiko.Channel, stdin: Payload, take: Take | None, hear: Hear | None) -> Result:
    """Feed a command that was started and read both of its streams to their ends.

    What `take` read is not in the result.  Raises what the channel raises (OSError, EOFError, SSHException), and what
    `stdin` or `take` raise, which is never an OSError of theirs.
    """
    feed = _whole(stdin) if isinstance(stdin, bytes) else stdin
    failed: list[BaseException] = []
    # A thread writes, another one reads errors, so that neither side can block.
    writer = threading.Thread(target=_feed, args=(channel, feed, failed), daemon=True)
    writer.start()
    err: list[bytes] = []
    reader = threading.Thread(target=_drain, args=(channel.recv_stderr, err, hear), daemon=True)
    reader.start()
    out: list[bytes] = []
    try:
        if take is None:
            _drain(channel.recv, out, hear)
        else:
            take(_reading(channel))
            _drain(channel.recv, [])
        reader.join()
    except _Broken as broken:
        raise (failed[0] if failed else broken.error) from broken
    finally:
        writer.join(timeout=1)
    if failed:
        raise failed[0]
    code = channel.recv_exit_status()
    return Result(code, b"".join(out).decode(errors="replace"), b"".join(err).decode(errors="replace"))


def _whole(text: bytes) -> Feed:
    def feed(send: Callable[[bytes], object]) -> None:
        send(text)

    return feed


def _feed(channel: paramiko.Channel, feed: Feed, failed: list[BaseException]) -> None:
    def send(piece: bytes) -> None:
        try:
            channel.sendall(piece)
        except OSError as error:
            raise _Broken(error) from error

    try:
        feed(send)
        with suppress(OSError):
            channel.shutdown_write()
    except _Broken:
        # The command ended without reading all of it; its exit code tells whether that matters.
        return
    except BaseException as error:  # noqa: BLE001  # raised again by the thread that waits for the command
        failed.append(error)
        channel.close()  # it waits for more


def _reading(channel: paramiko.Channel) -> Callable[[int], bytes]:
    def read(most: int) -> bytes:
        try:
            return channel.recv(most)
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise _Broken(error) from error

    return read


def _drain(receive: Callable[[int], bytes], into: list[bytes], hear: Hear | None = None) -> None:
    decoder, rest = codecs.getincrementaldecoder("utf-8")("replace"), ""
    while chunk := receive(_CHUNK):
        into.append(chunk)
        if hear is not None:
            lines, newline, rest = (rest + decoder.decode(chunk)).rpartition("\n")
            if newline:
                hear(lines + newline)
    if hear is not None and (rest := rest + decoder.decode(b"", final=True)):
        hear(rest + "\n")
