"""All clusters: a row each, whatever is wrong with one of them."""

from typing import Any

import pytest

from fabfile.core.ec2.instances import FoundCluster
from fabfile.core.ec2.options import Ec2Options
from fabfile.core.errors import ClusterError
from fabfile.effects.providers.ec2.provider import Ec2Provider
from fabfile.effects.providers.local.provider import LocalProvider
from fabfile.effects.ssh.options import SshOptions
from fabfile.effects.store.store import Store
from fabfile.flows import overview
from tests.builders import node, spec

from .fakes import Told


@pytest.fixture(autouse=True)
def providers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalProvider, "nodes", lambda self: [node(0), node(1, state="stopped")])
    monkeypatch.setattr(Ec2Provider, "nodes", lambda self: [node(0)])
    monkeypatch.setattr(overview.ec2, "is_configured", lambda: False)


def rows(report: Told) -> list[tuple[Any, ...]]:
    return [(row["name"], row["running"], row["problem"]) for row in overview.overview(report, SshOptions())]


def test_a_cluster_is_a_row_and_a_damaged_one_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview.adopt, "lost", lambda region: pytest.fail("nobody here uses EC2"))
    Store("demo").save_spec(spec())
    Store("broken").save_spec(spec("broken"))
    (Store("broken").folder / "spec.json").write_text("{")
    (broken, demo) = rows(Told())
    assert demo == ("demo", 1, "")
    assert broken[:2] == ("broken", None)
    assert "is damaged" in broken[2]


def test_the_regions_of_clusters_on_ec2_are_searched_for_lost_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str] = []
    lost = FoundCluster(name="old", id="old-1ab0", nodes=3, running=2, master=True, spec=None, problem="")

    def search(region: str) -> list[FoundCluster]:
        searched.append(region)
        return [lost]

    monkeypatch.setattr(overview.adopt, "lost", search)
    for name in ("a", "b"):
        Store(name).save_spec(spec(name, provider="ec2", ec2=Ec2Options(region="eu-west-1")))
    found = rows(Told())
    assert searched == ["eu-west-1"]
    assert found[2][:2] == ("old", 2)
    assert "fab cluster.adopt old --id=old-1ab0" in found[2][2]


def test_an_ec2_that_does_not_answer_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(region: str) -> list[FoundCluster]:
        raise ClusterError("no credentials")

    monkeypatch.setattr(overview.adopt, "lost", fails)
    Store("a").save_spec(spec("a", provider="ec2"))
    report = Told()
    assert rows(report) == [("a", 1, "")]
    assert "no credentials" in report.warnings[0]
