"""Runs of the nodes' agents, watched to their end."""

from pathlib import Path
from typing import cast

import pytest

from fabfile.core.errors import NodeFailures
from fabfile.core.result import Result
from fabfile.flows.puppet import agents
from tests.builders import nodes, spec
from tests.flows.fakes import Told
from tests.flows.scripted import scripted

GOLDEN = Path(__file__).parents[2] / "core" / "puppet" / "golden"


def golden(case: str) -> Result:
    out, err = ((GOLDEN / f"{case}{suffix}").read_text() for suffix in (".out", ".err"))
    return Result(0, out, err)


def test_every_running_node_runs_its_agent() -> None:
    machines = [*nodes(2), *nodes(3, state="stopped")[2:]]
    session, remote = scripted(spec(), machines, {"puppet agent": golden("puppet-8-changed")})
    runs = agents.run(session)
    assert {name: run.outcome for name, run in runs.items()} == {"node0": "changed", "node1": "changed"}
    assert remote.scripts_with("puppet agent") == ["node0", "node1"]


def test_a_run_that_failed_says_why() -> None:
    session, _ = scripted(spec(), nodes(1), {"puppet agent": golden("puppet-7-failed")})
    with pytest.raises(
        NodeFailures, match=r"node0: Puppet failed to apply 1 of its resources.*\n?.*no space"
    ):
        agents.run(session)


def test_what_a_run_left_out_is_warned_about() -> None:
    run = golden("puppet-8-changed")
    skipped = Result(0, run.out.replace("skipped: false", "skipped: true"), run.err)
    session, _ = scripted(spec(), nodes(1), {"puppet agent": skipped})
    agents.run(session)
    (warning,) = cast(Told, session.report).warnings
    assert warning.startswith("node0: Puppet left out 1 of its resources, by a schedule or noop of theirs: ")


def test_a_node_without_an_agent_says_so() -> None:
    missing = Result(127, "", "there is no Puppet agent here\n")
    session, _ = scripted(spec(), nodes(1), {"puppet agent": missing})
    with pytest.raises(NodeFailures, match="could not be run: there is no Puppet agent here"):
        agents.run(session)
