"""Services as they are now."""

import pytest

from fabfile.core.errors import NotFound
from fabfile.flows.services import views
from tests.builders import service
from tests.flows.simulated import Cluster

WEB = service("web")


def test_every_service_is_shown_with_its_node() -> None:
    cluster = Cluster(broken={"db"}).with_services(WEB, service("db"))
    assert {view.id: view.node for view in views.overview(cluster.session)} == {"web": "node0", "db": ""}


def test_a_service_that_runs_is_found_without_reasons() -> None:
    assert views.find(Cluster().with_services(WEB).session, "web").reasons == ()


def test_an_unknown_service_is_not_found() -> None:
    with pytest.raises(NotFound, match="no service 'db'"):
        views.find(Cluster().with_services(WEB).session, "db")


def test_a_service_that_only_the_cluster_knows_has_a_definition() -> None:
    cluster = Cluster(present={"web": WEB})
    assert views.definition(cluster.session, "web") == WEB


def test_an_explanation_has_a_line_for_each_service_and_its_reasons_below() -> None:
    cluster = Cluster(stopped={"web"}).with_services(WEB)
    first, *reasons = views.explained(cluster.session, ["web"])
    assert first == "web is stopped"
    assert reasons and all(line.startswith("  ") for line in reasons)
