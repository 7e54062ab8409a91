"""The examples of the documentation, on three real machines."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages import DOCS
from tests.paths import ROOT

from .lab import FAB, Cluster, call, eventually

EXAMPLES = DOCS / "examples"


@pytest.fixture
def clean(trixie: Cluster) -> Iterator[Cluster]:
    """The shared cluster, without the services of the examples at the end."""
    yield trixie
    trixie.ok("service.remove-all")
    trixie.ok("cluster.nodes.run", "sudo rm -rf /srv/site /var/log/batch.log")


def test_the_services_of_the_example_run(clean: Cluster) -> None:
    file = str(EXAMPLES / "services.yaml")
    assert "4 added" in clean.ok("service.apply", file).out
    where = {name: clean.runs_on(name) for name in ("web", "reporter", "batch", "job")}
    assert where["web"] == where["reporter"] == ["node1"]
    assert where["batch"] != where["web"]
    assert len(where["job"]) == 1
    eventually(
        lambda: "hello from node1" in clean.ok("service.logs", "reporter").out,
        within=20,
        what="the reporter wrote its greeting",
    )
    assert "nothing to do" in clean.ok("service.apply", file, "--dry-run").out


def test_the_tasks_of_the_example_publish_and_withdraw_a_site(clean: Cluster, tmp_path: Path) -> None:
    (tmp_path / "sirikata_cluster").symlink_to(ROOT / "fabfile")
    environment = {**clean.home.env, "PYTHONPATH": str(tmp_path)}
    tasks = ["publish", clean.name, "load", clean.name, "cluster-tool.service.list", clean.name]
    done = call([str(FAB), *tasks], cwd=EXAMPLES, env=environment, timeout=120)
    assert done.exit == 0, done
    assert "the site is on node" in done.out
    assert [line.split()[0] for line in done.out.splitlines()].count("node2") == 1
    (node,) = clean.runs_on("site")
    assert "<title>A site</title>" in clean.machine(node).said("curl -fsS localhost:8090")
    done = call([str(FAB), "look", clean.name], cwd=EXAMPLES, env=environment, timeout=60)
    assert "<title>A site</title>" in done.out, done
    assert done.out.count("198.18.") == 3, done
    done = call([str(FAB), "withdraw", clean.name], cwd=EXAMPLES, env=environment, timeout=120)
    assert (done.exit, clean.runs_on("site")) == (0, []), done
