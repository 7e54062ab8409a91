"""The machines of a cluster with its specification."""

import pytest

from fabfile.core.errors import ClusterError
from fabfile.flows import inventory
from tests.builders import nodes, spec

from .fakes import opened


def test_an_inventory_holds_the_specification_and_the_machines() -> None:
    found = inventory.present(opened(spec(), nodes(2)))
    assert (found.spec, found.machines) == (spec(), nodes(2))


def test_a_provider_that_does_not_answer_hides_no_specification(monkeypatch: pytest.MonkeyPatch) -> None:
    session = opened(spec())

    def fails() -> None:
        raise ClusterError("EC2 does not answer")

    monkeypatch.setattr(session.provider, "nodes", fails)
    found = inventory.known(session)
    assert (found.spec, found.machines) == (spec(), None)
    assert session.report.warnings == ["the machines cannot be listed: EC2 does not answer"]  # type: ignore[attr-defined]
    with pytest.raises(ClusterError):
        inventory.present(session)
