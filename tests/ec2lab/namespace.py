"""Sockets in the network namespace of a cluster's switch, where its machines can reach them."""

import ctypes
import os
import socket
import subprocess
import threading
from pathlib import Path

_CLONE_NEWNET = 0x40000000  # <linux/sched.h>
# Link-local addresses for what a cloud offers its machines (EC2 User Guide, "Instance metadata").
METADATA_ADDRESS = "169.254.169.254"


def listen(namespace: str, port: int) -> socket.socket:
    """A listening socket in a named network namespace; it stays there in every thread."""
    made: list[socket.socket] = []
    failed: list[OSError] = []

    def enter() -> None:
        # A thread has its own network namespace, and this one ends with the function.
        try:
            descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY | os.O_CLOEXEC)
            try:
                libc = ctypes.CDLL(None, use_errno=True)
                if libc.setns(descriptor, _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), f"cannot enter the network namespace {namespace}")
            finally:
                os.close(descriptor)
            listening = socket.create_server((METADATA_ADDRESS, port), backlog=128)
            made.append(listening)
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return made[0]


def ip(*arguments: str, namespace: str = "", missing_ok: bool = False) -> None:
    """Run `ip`, in a named network namespace if one is given."""
    where = ["-n", namespace] if namespace else []
    done = subprocess.run(["ip", *where, *arguments], capture_output=True, text=True, check=False)
    if done.returncode and not missing_ok:
        raise OSError(f"ip {' '.join([*where, *arguments])}: {done.stderr.strip()}")


def exists(namespace: str) -> bool:
    return Path("/run/netns", namespace).exists()
