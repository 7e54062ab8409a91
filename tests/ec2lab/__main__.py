"""`python -m tests.ec2lab`: the laboratory in a shell of its own."""

import argparse
import os
import shlex
import signal
import sys
import threading

from .control import USAGE
from .hypervisor import purge_abandoned
from .laboratory import REGION, Laboratory


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.ec2lab",
        description=(
            "An API that behaves like EC2, on this machine, with a real machine behind each instance (as"
            " root).\nPrints shell variables, and runs until it is interrupted:\n\n  python -m tests.ec2lab"
            " >lab.env &     then, once it is not empty:     . ./lab.env"
        ),
        epilog="To control it while it runs:\n\n" + USAGE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--stock", action="store_true", help="boot stock images, which install everything themselves"
    )
    parser.add_argument("--firewall", action="store_true", help="reject what security groups do not admit")
    parser.add_argument(
        "--purge", action="store_true", help="only remove what a killed laboratory left behind"
    )
    parser.add_argument(
        "--no-machines", action="store_true", help="answer only; boot no real machine for an instance"
    )
    parser.add_argument(
        "--public",
        action="store_true",
        help="give instances public addresses; without machines they lead nowhere",
    )
    parser.add_argument(
        "--port", type=int, default=0, help="where to listen on 127.0.0.1 (default: anywhere)"
    )
    parser.add_argument("--region", default=REGION)
    parser.add_argument(
        "--fault", action="append", default=[], metavar="CODE[:ACTION[:TIMES]]", help="refuse calls"
    )
    given = parser.parse_args()
    machines = not given.no_machines
    if (machines or given.purge) and os.geteuid() != 0:
        os.execvp("sudo", ["sudo", "-n", sys.executable, "-m", "tests.ec2lab", *sys.argv[1:]])
    if given.purge:
        print("\n".join(purge_abandoned()), file=sys.stderr)
        return 0
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    options = {
        "stock": given.stock,
        "firewall": given.firewall,
        "public": given.public,
        "port": given.port,
        "region": given.region,
    }
    with Laboratory(machines=machines, **options) as laboratory:
        for fault in given.fault:
            code, action, times = [*fault.split(":"), "", ""][:3]
            laboratory.fail(code, action, times=int(times or 1))
        for name, value in laboratory.environment.items():
            print(f"export {name}={shlex.quote(value)}")
        sys.stdout.flush()
        over.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
