"""A ProxyCommand: connects its standard input and output to a host and port, for the users that it likes."""

import os
import select
import socket
import sys

host, port, user = sys.argv[1:]
try:
    far = socket.create_connection((host, int(port)), timeout=5)
except OSError:
    sys.exit(f"relay: {user} is refused")
far.settimeout(None)
while True:
    for ready in select.select([0, far], [], [])[0]:
        data = os.read(0, 65536) if ready == 0 else far.recv(65536)
        if not data:
            sys.exit()
        if ready == 0:
            far.sendall(data)
        else:
            os.write(1, data)
