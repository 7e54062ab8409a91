"""Presets on a cluster: planned, and refused where nodes lack their programs."""

import pytest

from fabfile.core.errors import UsageError
from fabfile.flows.sirikata import presets
from tests.builders import nodes, spec
from tests.flows.scripted import scripted


def test_a_whole_world_is_planned_without_asking_a_node() -> None:
    session, remote = scripted(spec(), nodes(3))
    ids = [item.service.id for item in presets.planned(session, "world", {})]
    assert ids == ["redis", "servermap", "pinto", "space1", "space2", "oh1"]
    assert remote.scripts == []


def test_a_place_that_does_not_exist_is_refused_with_the_service() -> None:
    session, _ = scripted(spec(), nodes(3))
    with pytest.raises(UsageError) as caught:
        presets.planned(session, "pinto", {}, on="7")
    assert {problem.subject for problem in caught.value.problems} == {"pinto"}


def test_a_program_that_nodes_lack_is_named_with_what_provides_it(monkeypatch: pytest.MonkeyPatch) -> None:
    session, _ = scripted(spec(), nodes(2), {"read -r program": "/opt/sirikata/current/bin/pinto\n"})
    monkeypatch.setattr(presets, "_publish_places", pytest.fail)
    with pytest.raises(UsageError) as caught:
        presets._check_programs(session, session.running(), presets.planned(session, "pinto", {}))
    assert str(caught.value) == (
        "node0, node1: no /opt/sirikata/current/bin/pinto. "
        "Give the nodes Sirikata: fab sirikata.sync demo ARCHIVE"
    )
