"""Bringing a cluster up: what must agree, and the order of the steps."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from fabfile.core.errors import UsageError
from fabfile.core.spec.cluster import new_spec
from fabfile.flows import up
from tests.builders import nodes, spec

from .fakes import opened


def test_every_problem_of_a_specification_is_found_before_anything_is_done() -> None:
    with pytest.raises(UsageError) as caught:
        up.check(new_spec("Demo", size=99, suite="potato"))
    assert len(caught.value.problems) == 3


def test_an_existing_cluster_must_agree_in_the_options_that_were_given() -> None:
    up.check_same(spec(size=2), spec(size=3), {"size": "", "suite": "trixie"})
    with pytest.raises(UsageError, match="size 2, not 3"):
        up.check_same(spec(size=2), spec(size=3), {"size": "3", "suite": "trixie"})


@pytest.mark.parametrize("changes", [[], ["booted node0"]], ids=["nothing", "a machine"])
def test_what_was_changed_is_reported_in_the_order_of_the_steps(
    monkeypatch: pytest.MonkeyPatch, changes: list[str]
) -> None:
    steps: list[str] = []

    def step(name: str, result: Any) -> Callable[..., Any]:
        return lambda *arguments, **options: steps.append(name) or result

    monkeypatch.setattr(up, "boot", SimpleNamespace(boot=step("boot", (nodes(), list(changes)))))
    monkeypatch.setattr(
        up, "corosync", SimpleNamespace(make_way=step("make way", []), update=step("corosync.conf", ""))
    )
    monkeypatch.setattr(up.provision, "provision", step("provision", []))
    monkeypatch.setattr(up.form, "form", step("form", []))
    monkeypatch.setattr(up.capabilities, "align", step("capabilities", []))
    monkeypatch.setattr(up.services, "restore", step("services", []))
    session = opened(spec())
    assert up.bring_up(session) == changes
    assert steps == ["boot", "make way", "corosync.conf", "provision", "form", "capabilities", "services"]
    assert len(session.report.notes) == 1  # type: ignore[attr-defined]
