"""Connections whose commands print what a test says, by a word of their script."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from fabfile.core.errors import ClusterError, NodeFailures
from fabfile.core.result import Result
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.core.spec.node import MASTER_INDEX, Node
from fabfile.flows.session import Session
from tests.builders import node

from .fakes import FakeRemote, opened


class Scripted(FakeRemote):
    """`answers` maps a word of a script to what the script prints; any other prints nothing."""

    def __init__(self, answers: Mapping[str, str | Result]) -> None:
        super().__init__()
        self.answers = answers

    def sudo(self, node: Node, script: str, **options: Any) -> Result:
        self.scripts.append((node.name, script))
        found = next((text for word, text in self.answers.items() if word in script), "")
        return found if isinstance(found, Result) else Result(0, found, "")

    run = sudo

    def fan_out(self, nodes: Sequence[Node], action: str, function: Callable[[Node], Any]) -> dict[str, Any]:
        results: dict[str, Any] = {}
        failures: dict[str, ClusterError] = {}
        for each in nodes:
            try:
                results[each.name] = function(each)
            except ClusterError as error:
                failures[each.name] = error
        if failures:
            raise NodeFailures(action, failures, results)
        return results

    def scripts_with(self, word: str) -> list[str]:
        """The names of the nodes that ran a script with that word, in order."""
        return [name for name, script in self.scripts if word in script]


def scripted(
    spec: ClusterSpec, machines: Sequence[Node], answers: Mapping[str, str | Result] | None = None
) -> tuple[Session, Scripted]:
    """A session of that cluster, and its connections."""
    remote = Scripted(answers or {})
    return replace(opened(spec, machines), remote=cast(Any, remote)), remote


def master(**changes: Any) -> Node:
    """The machine of a cluster's own Puppet master."""
    return node(MASTER_INDEX, **{"name": "puppet", "address": "198.18.0.2", "role": "master", **changes})
