"""The programs that the Puppet server calls: which requests are signed, which environment a node has."""

import shutil
import subprocess
from pathlib import Path

import pytest

from .values import DATA


@pytest.fixture
def master(tmp_path: Path) -> Path:
    """A folder as a master has it, with the cluster `demo`."""
    tools = tmp_path / "sirikata-cluster"
    tools.mkdir()
    for name in ("autosign", "classify"):
        shutil.copy(DATA / "master" / name, tools)
    cluster = tmp_path / "clusters" / "demo"
    cluster.mkdir(parents=True)
    (cluster / "environment").write_text("demo\n")
    (cluster / "token").write_text("right\n")
    return tools


def classify(master: Path, name: str) -> tuple[int, str]:
    done = subprocess.run(["sh", str(master / "classify"), name], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_a_nodes_environment_is_its_clusters(master: Path) -> None:
    assert classify(master, "node0.demo") == (0, "environment: demo\n")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "demo",
        "node0.other",
        "node0.demo.org",
        "../demo",
        "x/../demo",
        "node0..demo",
        ".demo",
        "NODE.demo",
        "-x.demo",
        "a.-demo",
        "node0.demo\n",
    ],
)
def test_other_names_have_none(master: Path, name: str) -> None:
    assert classify(master, name) == (1, "")


def test_a_shared_server_leaves_other_nodes_as_they_are(master: Path) -> None:
    (master / "shared").touch()
    assert classify(master, "www.example.edu") == (0, "{}\n")
    assert classify(master, "node0.demo") == (0, "environment: demo\n")


needs_openssl = pytest.mark.skipif(
    not (shutil.which("openssl") and Path("/usr/bin/ruby").exists()), reason="needs openssl and ruby"
)


def request(folder: Path, name: str, token: str | None, cluster: str | None, more: str = "") -> bytes:
    """A certificate request, as an agent makes it."""
    extension = f"1.3.6.1.4.1.34380.1.1.16 = ASN1:UTF8String:{cluster}\n" if cluster else ""
    (folder / "req.cnf").write_text(
        "[req]\nprompt = no\ndistinguished_name = dn\n"
        + ("attributes = at\n" if token else "")
        + ("req_extensions = ex\n" if extension or more else "")
        + f"[dn]\nCN = {name}\n[at]\nchallengePassword = {token or 'none'}\n[ex]\n{extension}{more}"
    )
    command = [
        "openssl",
        "req",
        "-new",
        "-newkey",
        "rsa:1024",
        "-nodes",
        "-keyout",
        "/dev/null",
        "-config",
        "req.cnf",
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout


def signs(master: Path, name: str, request: bytes) -> tuple[bool, str]:
    done = subprocess.run([str(master / "autosign"), name], input=request, capture_output=True, check=False)
    assert done.returncode in (0, 1)
    assert b"right" not in done.stdout + done.stderr
    return done.returncode == 0, done.stderr.decode()


@needs_openssl
def test_a_request_with_the_clusters_token_is_signed(master: Path, tmp_path: Path) -> None:
    assert signs(master, "node0.demo", request(tmp_path, "node0.demo", "right", "demo")) == (True, "")


@needs_openssl
@pytest.mark.parametrize(
    ("name", "asked", "token", "cluster", "more", "why"),
    [
        ("node0.demo", "node0.demo", "wrong", "demo", "", "wrong token"),
        ("node0.demo", "node0.demo", None, "demo", "", "wrong token"),
        ("node0.demo", "node0.demo", "right", None, "", "another cluster"),
        ("node0.demo", "node0.demo", "right", "other", "", "another cluster"),
        ("node0.demo", "node1.demo", "right", "demo", "", "another name"),
        ("node0.other", "node0.other", "right", "demo", "", "the token of that cluster cannot be read"),
        ("../x.demo", "node0.demo", "right", "demo", "", "it is not <node>.<cluster>"),
        ("node0.demo.org", "node0.demo.org", "right", "demo", "", "it is not <node>.<cluster>"),
        ("node0.demo", "node0.demo", "right", "demo", "subjectAltName = DNS:puppet\n", "it requests"),
        (
            "node0.demo",
            "node0.demo",
            "right",
            "demo",
            "1.3.6.1.4.1.34380.1.3.39 = ASN1:UTF8String:true\n",
            "it requests",
        ),
    ],
)
def test_other_requests_are_refused(
    master: Path,
    tmp_path: Path,
    name: str,
    asked: str,
    token: str | None,
    cluster: str | None,
    more: str,
    why: str,
) -> None:
    signed, said = signs(master, name, request(tmp_path, asked, token, cluster, more))
    assert not signed
    assert why in said


@needs_openssl
def test_a_damaged_request_is_refused(master: Path, tmp_path: Path) -> None:
    lines = request(tmp_path, "node0.demo", "right", "demo").decode().splitlines()
    broken = lines[-2].swapcase()
    assert not signs(master, "node0.demo", "\n".join([*lines[:-2], broken, lines[-1]]).encode())[0]
    assert not signs(master, "node0.demo", b"")[0]
