"""Which tests may run beside each other: what shares a cluster is one group, what measures comes last."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from . import lanes


def item(file: str, name: str, *, group: str = "", uses: str = "", **parameters: str) -> Any:
    return SimpleNamespace(
        path=Path("/srv/tests") / file,
        nodeid=f"tests/{file}::{name}",
        fixturenames=uses.split(),
        callspec=SimpleNamespace(params=parameters),
        get_closest_marker=lambda marker: (
            SimpleNamespace(args=[group]) if group and marker == "xdist_group" else None
        ),
        add_marker=lambda marker: None,
    )


def test_what_shares_a_cluster_is_one_group_and_the_order_is_kept(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    items = [
        item("benchmarks/test_times.py", "b"),
        item("integration/test_agent.py", "t", node="trixie", uses="node"),
        item("integration/test_agent.py", "b", node="bookworm", uses="node"),
        item("integration/test_apply.py", "a", uses="home trixie"),
        item("integration/test_stock.py", "t", cluster="trixie"),
        item("integration/test_stock.py", "b", cluster="bookworm"),
        item("integration/test_ec2.py", "e", group="ec2"),
        item("integration/test_ec2lab.py", "e", group="ec2"),
        item("core/test_apply.py", "f"),
    ]
    base = tmp_path_factory.mktemp("run") / "worker"
    base.mkdir()
    factory: Any = SimpleNamespace(getbasetemp=lambda: base)
    lanes.arrange(items, factory)
    groups = [lanes.group(one) for one in items]
    assert groups == [
        "tests/core/test_apply.py",
        "trixie",
        "ec2",
        "ec2",
        "agent-trixie",
        "agent-bookworm",
        "test_stock-trixie",
        "test_stock-bookworm",
        "benchmarks",
    ]
    (file,) = (path for path in base.parent.rglob("groups*"))
    assert json.loads(file.read_text()) == {one.nodeid: name for one, name in zip(items, groups, strict=True)}
