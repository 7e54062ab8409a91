"""As a library: installed, in a fabfile of somebody else's, in another folder; and as others type-check
against it."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

import fabfile
from tests.paths import ROOT

FABFILE = '''
import sirikata_cluster
from invoke import Collection
from sirikata_cluster import Cluster, reporter, task


@task(help={"name": "the cluster's name"})
def deploy(c, name):
    """Ours, then theirs."""
    cluster = Cluster(name, report=reporter())
    print("deploying", cluster.spec().size)
    cluster.run("true")


@task
def size(c, name="demo"):
    print("its size is", Cluster(name).spec().size)


ns = Collection(deploy, size)
ns.add_collection(sirikata_cluster.ns, name="tool")
ns.configure({"sirikata_cluster": {"ec2": {"ami": "ami-0123456789abcdef0", "instance_type": "t3.large"}}})
'''

USE = """
from sirikata_cluster import Cluster, ClusterError, Service, preview

cluster = Cluster("demo")
running: list[str] = [node.name for node in cluster.nodes() if node.running]
where: str = cluster.add_service("web", "/bin/sleep 1", on=1, env={"A": "b"}).node
code: int = cluster.run("true")["node0"].exit
removed: int = len(cluster.apply_services([Service(id="web", command="/bin/sleep 1")]).removed)
steps: list[str] = [step.action for step in preview(cluster.terminate, cluster.destroy).steps]
try:
    size: int = cluster.put("a", "/b", on=0)["node0"].bytes
except ClusterError as error:
    print(error.exit_code)
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment that the package is installed in, on top of what it depends on."""
    folder = tmp_path_factory.mktemp("installed")
    sources, venv = folder / "sources", folder / "venv"
    sources.mkdir()  # so that the build leaves nothing in this folder
    for name in ("fabfile", "data", "templates"):
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, sources)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "-q",
        "--python",
        venv / "bin/python",
        "install",
        "--no-deps",
        sources,
    ]
    subprocess.run([*pip, "--disable-pip-version-check"], check=True, timeout=120)
    site = next((venv / "lib").glob("python*/site-packages"))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return venv / "bin" / "python"


def run(python: Path, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "SIRIKATA_CLUSTER_HOME": str(folder / "home"), "COLUMNS": "120"}
    return subprocess.run(
        [python, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "fabfile.py").write_text(FABFILE)
    return tmp_path


FAB = ("-m", "fabric")


def test_the_package_holds_every_module_and_file(python: Path) -> None:
    installed = next((python.parents[1] / "lib").glob("python*/site-packages")) / "sirikata_cluster"
    for of, into in (
        (ROOT / "fabfile", installed),
        (ROOT / "data", installed / "data"),
        (ROOT / "templates", installed / "templates"),
    ):
        for path in of.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                copy = into / path.relative_to(of)
                assert copy.read_bytes() == path.read_bytes(), copy
                assert os.access(copy, os.X_OK) == os.access(path, os.X_OK), copy
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "fabfile").rglob("*.py")}
    named = {".".join(folder.parts).replace("fabfile", "sirikata_cluster", 1) for folder in folders}
    assert named == {name for name in listed if name.split(".")[1:2] not in (["data"], ["templates"])}


def test_the_version_of_the_package_is_the_one_in_its_sources(python: Path, project: Path) -> None:
    code = (
        "import sirikata_cluster; from importlib.metadata import version\n"
        "print(version('sirikata-cluster'), sirikata_cluster.__version__)"
    )
    assert run(python, project, "-c", code).stdout.split() == [fabfile.__version__] * 2
    assert f"## [{fabfile.__version__}] - " in (ROOT / "CHANGELOG.md").read_text()


def test_the_tasks_are_found_under_the_name_that_a_fabfile_gives_them(python: Path, project: Path) -> None:
    listed = run(python, project, *FAB, "--list")
    assert listed.returncode == 0, listed
    for name in ("deploy", "tool.up", "tool.cluster.nodes.put", "tool.service.add"):
        assert f"  {name} " in listed.stdout
    (project / "fabfile.py").write_text(
        "import sirikata_cluster\nfrom invoke import Collection\nns = Collection(sirikata_cluster)\n"
    )
    assert "  sirikata-cluster.up " in run(python, project, *FAB, "--list").stdout


def test_a_fabfile_chains_our_tasks_with_its_own(python: Path, project: Path) -> None:
    done = run(python, project, *FAB, "tool.local.create", "demo", "2", "size", "deploy", "demo")
    assert done.returncode == 1, done
    assert "demo: 2 nodes on local" in done.stdout
    assert "its size is 2\ndeploying 2" in done.stdout
    assert done.stderr.startswith("error: no node of 'demo' is running")
    done = run(python, project, *FAB, "deploy", "nope")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: no cluster 'nope' (known: demo)")


def test_a_fabfile_overrides_configuration(python: Path, project: Path) -> None:
    done = run(
        python, project, *FAB, "tool.cluster.create", "web", "2", "own", "key", "--instance-type=t3.nano"
    )
    assert done.returncode == 0, done
    spec = json.loads((project / "home/clusters/web/spec.json").read_text())
    assert (spec["ec2"]["ami"], spec["ec2"]["instance_type"]) == ("ami-0123456789abcdef0", "t3.nano")


def test_what_is_installed_finds_its_templates_and_data(python: Path, project: Path) -> None:
    run(python, project, *FAB, "tool.local.create", "demo", "2")
    world = run(python, project, *FAB, "tool.sirikata.presets", "tool.ec2.policy")
    assert world.returncode == 0, world
    assert "ec2:RunInstances" in world.stdout
    code = (
        "from sirikata_cluster.core.templates import render, ROOT\nfrom sirikata_cluster.flows.puppet.master"
        " import _data\nprint(ROOT.name, len(_data()), any('pycache' in name for name in _data()), (ROOT /"
        " 'templates').is_dir())"
    )
    served = len(
        [
            path
            for path in (ROOT / "data/puppet").rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        ]
    )
    assert run(python, project, "-c", code).stdout == f"sirikata_cluster {served} False True\n"


def test_others_type_check_against_it(python: Path, project: Path) -> None:
    (project / "right.py").write_text(USE)
    (project / "wrong.py").write_text(USE.replace("on=1", "on=[1]").replace("code: int", "code: str"))
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--python-executable",
        str(python),
        "right.py",
        "wrong.py",
    ]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120)
    told = [line.split(":")[0] for line in done.stdout.splitlines() if "error:" in line]
    assert told == ["wrong.py", "wrong.py"], done.stdout


def test_from_python_a_cluster_is_made_looked_at_and_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from fabfile import Cluster, Host, NotFound, UsageError, clusters

    monkeypatch.setenv("SIRIKATA_CLUSTER_HOME", str(tmp_path))
    demo = Cluster("demo")
    assert (demo.exists, clusters()) == (False, [])
    with pytest.raises(NotFound, match="no cluster 'demo'"):
        demo.spec()
    with pytest.raises(UsageError) as caught:
        Cluster("Demo").create(size=99, suite="potato")
    assert len(caught.value.problems) == 3
    with pytest.raises(UsageError, match="puppet_master cannot be 'localhost' in an ad-hoc cluster"):
        demo.create(provider="adhoc", hosts=["debian@db1"], puppet_master="localhost")
    assert demo.create(provider="adhoc", hosts=["debian@db1:23", Host(host="db2")]).size == 2
    assert demo.spec().adhoc.hosts[0] == Host(host="db1", user="debian", port=23)
    assert Cluster("web").create(provider="ec2").profile == "cloud"
    assert demo.exists
    assert [cluster.name for cluster in clusters()] == ["demo", "web"]
    with pytest.raises(UsageError, match="size 2, not 3"):
        demo.up(size=3)
    assert capfd.readouterr() == ("", "")
