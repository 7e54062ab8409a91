"""Files to every node and back, commands whose lines come as they are printed, and somebody else's fabfile:
on real machines."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from .lab import FAB, ROOT, Cluster, call, eventually

BIG = 40_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with what is wanted on the nodes."""
    (tmp_path / "conf" / "sub").mkdir(parents=True)
    (tmp_path / "conf" / "sub" / "it's").write_text("here\n")
    (tmp_path / "conf" / "sub" / "it's").chmod(0o750)
    return tmp_path / "conf"


def nodes(cluster: Cluster) -> list[str]:
    return [node["name"] for node in cluster.status()["nodes"]]


def litter(cluster: Cluster, name: str, place: str) -> str:
    return cluster.machine(name).said(f"find {place} -name '.sirikata-*'")


def test_a_folder_is_put_on_every_node_and_fetched_from_each(
    trixie: Cluster, folder: Path, tmp_path: Path
) -> None:
    for words, path, owner in (((), "/home/admin/lab", "admin"), (("--sudo",), "/srv/lab", "root")):
        done = trixie.ok("cluster.nodes.put", str(folder), path, *words)
        assert done.out.splitlines() == [f"{name}: {path}, 1 file, 5 bytes" for name in nodes(trixie)]
        for name in nodes(trixie):
            said = trixie.machine(name).said(f"""stat -c '%U %a' "{path}/sub/it's"; cat "{path}/sub/it's" """)
            assert said == f"{owner} 750\nhere"
    (folder / "sub" / "it's").write_text("changed\n")
    trixie.ok("cluster.nodes.put", str(folder), "/srv/lab", "--sudo", "--on=1")
    trixie.ok("cluster.nodes.get", "/srv/lab", str(tmp_path / "back"), "--sudo")
    fetched = {path.parts[-4]: path.read_text() for path in (tmp_path / "back").rglob("it's")}
    assert fetched == {name: "changed\n" if name == "node1" else "here\n" for name in nodes(trixie)}
    for name in nodes(trixie):
        assert litter(trixie, name, "/srv /home/admin") == ""
        trixie.machine(name).said("rm -r /srv/lab /home/admin/lab")


def test_a_node_that_is_full_fails_alone_and_keeps_what_it_had(trixie: Cluster, tmp_path: Path) -> None:
    for name in nodes(trixie):
        trixie.machine(name).said("mkdir -p /mnt/lab && echo old >/mnt/lab/big")
    full = trixie.machine(1)
    full.said("mount -t tmpfs -o size=1m lab /mnt/lab && echo old >/mnt/lab/big")
    (tmp_path / "big").write_bytes(content := os.urandom(3_000_000))
    try:
        done = trixie.fab("cluster.nodes.put", str(tmp_path / "big"), "/mnt/lab/big", "--sudo")
        assert done.exit == 3, done
        assert "put: 1 of" in done.err
        assert "No space left" in done.err
        assert full.said("cat /mnt/lab/big; ls -A /mnt/lab") == "old\nbig"
        assert (
            trixie.machine(0).said("sha256sum </mnt/lab/big").split()[0]
            == hashlib.sha256(content).hexdigest()
        )
    finally:
        full.said("umount /mnt/lab")
        for name in nodes(trixie):
            trixie.machine(name).said("rm -r /mnt/lab")


def test_a_killed_transfer_changes_nothing_and_the_next_one_cleans_up(
    trixie: Cluster, tmp_path: Path
) -> None:
    node = trixie.machine(0)
    node.said("mkdir -p /srv/lab && echo old >/srv/lab/big")
    (tmp_path / "big").write_bytes(os.urandom(BIG))
    words = ("cluster.nodes.put", trixie.name, str(tmp_path / "big"), "/srv/lab/big", "--sudo", "--on=0")
    back = ("cluster.nodes.get", trixie.name, "/srv/lab/big", str(tmp_path / "back"), "--sudo", "--on=0")
    for kill in ("kill", "terminate"):
        with trixie.home.start(*words) as process:
            arrived = "[ $(du -sk /srv/lab | cut -f1) -gt 2000 ]"
            eventually(lambda test=arrived: node.sudo(test).exit == 0, within=60, what="some of it arrived")
            getattr(process, kill)()
        assert node.said("cat /srv/lab/big") == "old"
    trixie.home.ok(*words)
    assert (
        node.said("sha256sum </srv/lab/big").split()[0]
        == hashlib.sha256((tmp_path / "big").read_bytes()).hexdigest()
    )
    assert node.said("ls -A /srv/lab") == "big"
    target = tmp_path / "back" / "node0"
    target.mkdir(parents=True)
    (target / "big").write_text("old")
    with trixie.home.start(*back) as process:
        eventually(
            lambda: any(path.stat().st_size for path in target.glob(".sirikata-get-*/new")),
            within=60,
            what="a part",
        )
        process.kill()
    assert (target / "big").read_text() == "old"
    trixie.home.ok(*back)
    assert (target / "big").read_bytes() == (tmp_path / "big").read_bytes()
    assert os.listdir(target) == ["big"]
    node.said("rm -r /srv/lab")


def test_wrong_use_is_told_all_at_once_before_a_node_is_touched(trixie: Cluster, tmp_path: Path) -> None:
    done = trixie.fab("cluster.nodes.put", str(tmp_path / "nope"), "srv")
    assert (done.exit, done.out) == (2, "")
    assert done.err.count("error: ") == 2
    (tmp_path / "file").touch()
    done = trixie.fab("cluster.nodes.get", "etc", str(tmp_path / "file"))
    assert (done.exit, done.err.count("error: ")) == (2, 2)
    assert trixie.fab("cluster.nodes.put", str(tmp_path), "/srv/x", "--on=9").exit == 2


def test_lines_of_a_long_command_are_shown_as_they_come(trixie: Cluster) -> None:
    with trixie.home.start(
        "cluster.nodes.run", trixie.name, "echo one; sleep 6; echo two; exit 5"
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        seen = time.monotonic()
        rest = process.stdout.read().splitlines()
    assert first.endswith(": one\n")
    assert time.monotonic() - seen > 3
    for name in nodes(trixie):
        assert [line for line in rest if line.startswith(name)][-2:] == [
            f"{name}: two",
            f"{name}: exited with 5",
        ]
    assert process.returncode == 5


FABFILE = '''
import sirikata_cluster
from invoke import Collection
from sirikata_cluster import Cluster, reporter, task


@task()
def release(c, name, source):
    """Put a program on every node and run it."""
    cluster = Cluster(name, report=reporter())
    cluster.put(source, "/srv/release", sudo=True)
    service = cluster.add_service("release", "/srv/release/serve", on=0, ready="/bin/true")
    print(service.id, service.state, "on", service.node)
    print(cluster.move_service("release", to=1).node, [each.id for each in cluster.services()])


@task()
def retire(c, name):
    """Take it away again."""
    cluster = Cluster(name)
    cluster.remove_service("release")
    print(sorted(result.out for result in cluster.run("sudo rm -r /srv/release; pwd").values())[0].strip())


ns = Collection(release, retire)
ns.add_collection(sirikata_cluster.ns, name="tool")
'''


def test_a_fabfile_elsewhere_uses_the_library_on_a_cluster(trixie: Cluster, tmp_path: Path) -> None:
    (tmp_path / "fabfile.py").write_text(FABFILE)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "sirikata_cluster").symlink_to(ROOT / "fabfile")
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "serve").write_text("#!/bin/sh\nexec sleep infinity\n")
    (tmp_path / "program" / "serve").chmod(0o755)
    words = [
        "release",
        trixie.name,
        str(tmp_path / "program"),
        "tool.cluster.nodes.list",
        trixie.name,
        "retire",
        trixie.name,
    ]
    environment = {**trixie.home.env, "PYTHONPATH": str(tmp_path / "lib")}
    done = call([str(FAB), *words], cwd=tmp_path, env=environment)
    assert done.exit == 0, done
    lines = done.out.splitlines()
    assert lines[:2] == ["release running on node0", "node1 ['release']"]
    assert "node1" in done.out
    assert lines[-1] == "/home/admin"
    for name in nodes(trixie):
        assert trixie.machine(name).sudo("systemctl is-active sirikata-service-release").exit != 0
        assert trixie.machine(name).sudo("test -e /srv/release").exit == 1
