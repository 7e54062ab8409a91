"""`fab --dry` with every task: how each is typed, and `fab` in this process."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

from fabric.main import make_program

from fabfile.effects.ssh import pool
from fabfile.tasks.show import dry_run

# Each task as it is typed for the cluster {name}.  Those before it in its row make what it needs, in the same
# dry run.
_SERVICE = "service.add {name} web /bin/sleep&1d"
ROWS: dict[str, str] = {
    "adhoc.create": "adhoc.create other --host=192.0.2.7",
    "adhoc.forget": "adhoc.forget {name} 0",
    "adhoc.replace": "adhoc.replace {name} 0 192.0.2.8",
    "cluster.adopt": "cluster.adopt other",
    "cluster.create": "cluster.create other 2 own key --region=us-east-1",
    "cluster.destroy": "cluster.nodes.terminate {name} cluster.destroy {name}",
    "cluster.list": "cluster.list",
    "cluster.members.address-list": "cluster.members.address-list {name}",
    "cluster.members.info": "cluster.members.info {name}",
    "cluster.nodes.boot": "cluster.nodes.boot {name}",
    "cluster.nodes.get": "cluster.nodes.get {name} /etc/hosts {folder}",
    "cluster.nodes.import": "cluster.nodes.import {name} {instance}",
    "cluster.nodes.list": "cluster.nodes.list {name}",
    "cluster.nodes.power-off": "cluster.nodes.power-off {name} 1",
    "cluster.nodes.power-on": "cluster.nodes.power-off {name} 1 cluster.nodes.power-on {name} 1",
    "cluster.nodes.put": "cluster.nodes.put {name} README.md /etc/dry",
    "cluster.nodes.reboot": "cluster.nodes.reboot {name} 1",
    "cluster.nodes.run": "cluster.nodes.run {name} reboot",
    "cluster.nodes.set-type": "cluster.nodes.set-type {name} 1 redis",
    "cluster.nodes.ssh": "cluster.nodes.ssh {name} 0",
    "cluster.nodes.terminate": "cluster.nodes.terminate {name}",
    "cluster.show": "cluster.show {name}",
    "cluster.status": "cluster.status {name}",
    "corosync.distribute": "corosync.distribute {name}",
    "corosync.keygen": "corosync.keygen {name}",
    "corosync.render": "corosync.render {name}",
    "corosync.status": "corosync.status {name}",
    "down": "down {name} up {name}",
    "ec2.check": "ec2.check {name}",
    "ec2.policy": "ec2.policy",
    "ec2.puppet-master-boot": "ec2.puppet-master-boot {name}",
    "ec2.security-create": "ec2.security-create other --ssh-from=192.0.2.0/24 --region=us-east-1",
    "ec2.security-delete": "ec2.security-delete other --region=us-east-1",
    "local.create": "local.create other 2",
    "local.image": "local.image",
    "local.list": "local.list",
    "local.prepare": "local.prepare",
    "local.purge": "local.purge {id}",
    "puppet.agents.restart": "puppet.agents.restart {name}",
    "puppet.master.config": "puppet.master.config {name}",
    "puppet.update": "puppet.update {name}",
    "service.add": _SERVICE,
    "service.apply": "service.apply {name} {services}",
    "service.cleanup": f"{_SERVICE} service.cleanup {{name}} web",
    "service.export": "service.export {name}",
    "service.list": "service.list {name}",
    "service.logs": f"{_SERVICE} service.logs {{name}} web",
    "service.move": f"{_SERVICE} service.move {{name}} web 1",
    "service.remove": f"{_SERVICE} service.remove {{name}} web",
    "service.remove-all": f"{_SERVICE} service.remove-all {{name}}",
    "service.restart": f"{_SERVICE} service.restart {{name}} web",
    "service.status": "service.status {name} web",
    "sirikata.cdn": "sirikata.cdn {name}",
    "sirikata.cseg": "sirikata.cseg {name}",
    "sirikata.oh": "sirikata.oh {name}",
    "sirikata.package": "sirikata.package {build} --output={folder}/sirikata.tar.bz2",
    "sirikata.pinto": "sirikata.pinto {name}",
    "sirikata.presets": "sirikata.presets",
    "sirikata.redis": "sirikata.redis {name}",
    "sirikata.rollback": "sirikata.rollback {name}",
    "sirikata.servermap": "sirikata.servermap {name}",
    "sirikata.space": "sirikata.space {name}",
    "sirikata.sync": "sirikata.sync {name} http://192.0.2.9/sirikata.tar.bz2",
    "sirikata.world": "sirikata.world {name}",
    "up": "up {name}",
}


def typed(
    task: str, folder: Path, name: str, uid: str = "0000", instance: str = "i-0123456789abcdef0"
) -> list[str]:
    """The words of the row of a task, with files of that folder, which `prepare` made."""
    services, build = folder / "services.yaml", folder / "build"
    values = {
        "name": name,
        "instance": instance,
        "id": f"{name}-{uid}",
        "folder": folder,
        "services": services,
        "build": build,
    }
    return [word.replace("&", " ") for word in ROWS[task].format(**values).split()]


def prepare(folder: Path) -> None:
    """Make the files that rows name."""
    (folder / "services.yaml").write_text("web: { command: /bin/sleep 1d }\n")
    for name in ("bin", "lib", "share"):
        (folder / "build" / name).mkdir(parents=True)
    program = folder / "build" / "bin" / "space"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)


def fab(*arguments: str) -> "CompletedProcess[str]":
    """Run `fab` in this process, to its end, whatever its exit code."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), invocation():
        try:
            make_program().run(["fab", *arguments])
        except SystemExit as end:
            code = int(end.code or 0)
    return CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def invocation() -> Iterator[None]:
    """What runs in the block is one invocation, whose dry runs end with it."""
    try:
        yield
    finally:
        dry_run.invocation().close()
        dry_run.invocation.cache_clear()


def close() -> None:
    """Close the connections to nodes, as the end of a process does."""
    pool.close_all()


def files(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file and folder below a folder: its inode, the time of its last change, its content."""
    return {
        str(path): (
            path.lstat().st_ino,
            path.lstat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in [folder, *folder.rglob("*")]
        if path.exists()
    }
