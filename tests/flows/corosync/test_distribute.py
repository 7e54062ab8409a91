"""corosync.conf in one transaction over all nodes: taken by all of them or by none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabfile.core.corosync import config
from fabfile.core.errors import ClusterError, NodeError, NodeFailures, UsageError
from fabfile.core.result import Result
from fabfile.core.spec.node import Node
from fabfile.flows.corosync import distribute
from fabfile.flows.session import Session
from tests.builders import nodes, spec
from tests.flows import simulated
from tests.flows.simulated import FILES


@dataclass
class Cluster(simulated.Cluster):
    """Members that hold a corosync.conf, and run with the version that they read last, as `loaded`.

    fails  the script that fails, and the node where it does
    """

    files: dict[str, str] = field(default_factory=dict)
    old: dict[str, str] = field(default_factory=dict)
    loaded: dict[str, str] = field(default_factory=dict)
    fails: tuple[str, str] = ("", "")
    texts: dict[str, str] = field(default_factory=dict)
    remembered: int = 0

    def state(self) -> Any:
        return SimpleNamespace(config_version=self.remembered)

    def update_state(self, *, config_version: int) -> None:
        self.remembered = config_version

    def text(self, name: str) -> str | None:
        return self.texts.get(name)

    def save_text(self, name: str, text: str) -> None:
        self.texts[name] = text

    def sudo(
        self, node: Node, script: str, *, stdin: bytes = b"", check: bool = True, timeout: float = 0
    ) -> Result:
        name = max(
            (name for name, text in FILES.items() if text in script), key=lambda n: script.find(FILES[n])
        )
        self.ran.append((name, node.name))
        if self.fails == (name, node.name):
            raise NodeError(node.name, "a command exited with 1", "refused")
        return Result(0, self._corosync(name, node, stdin.decode()), "")

    def _corosync(self, name: str, node: Node, stdin: str) -> str:
        if name == "corosync/show-file":
            return f"yes\n{self.files[node.name]}" if node.name in self.files else "no\n"
        if name == "corosync/stage":
            self.texts["staged"] = stdin
        elif name == "corosync/commit":
            self.old[node.name] = self.files.get(node.name, "")
            self.files[node.name] = self.texts["staged"]
        elif name == "corosync/rollback" and node.name in self.old:
            self.files[node.name] = self.old[node.name]
        elif name == "corosync/reload":
            self.loaded |= self.files
        elif name == "corosync/addresses":
            members = config.members(self.loaded.get(node.name, ""))
            return "".join(f"{member.name} {member.address}\n" for member in members)
        if node.name not in self.loaded:
            return "active=no\n"
        version = config.config_version(self.loaded[node.name])
        quorate = "yes" if self.quorate else "no"
        return f"active=yes\nversion={version}\nquorate={quorate}\nmember={node.node_id}\n"

    def formed(self) -> "Cluster":
        """Let all nodes run with the corosync.conf of the first version."""
        text = config.render(self.spec, self.machines, config_version=1)
        self.files = {node.name: text for node in self.machines}
        self.loaded = dict(self.files)
        self.texts[distribute.CONF], self.remembered = text, 1
        return self


@pytest.fixture(scope="module", autouse=True)
def _calls() -> Iterator[list[str]]:
    """Puppet that only notes what is published and where its agents run."""
    calls: list[str] = []

    def publish(session: Session, text: str) -> None:
        calls.append(f"publish {config.config_version(text)}")

    def run(session: Session, machines: Sequence[Node]) -> None:
        calls.append(f"agents on {len(machines)}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distribute.puppet_master, "publish", publish)
        patch.setattr(distribute.agents, "run", run)
        yield calls


@pytest.fixture
def puppet(_calls: list[str]) -> list[str]:
    """What Puppet was asked for in a test."""
    _calls.clear()
    return _calls


def test_a_new_member_reaches_every_node_and_the_master(puppet: list[str]) -> None:
    cluster = Cluster().formed()
    cluster.machines = nodes(4)
    done = distribute.distribute(cluster.session)
    assert (done.version, done.nodes) == (2, ["node0", "node1", "node2", "node3"])
    assert done.differences[0] == "+ node 4: node3 198.18.0.13"
    assert {config.config_version(text) for text in cluster.files.values()} == {2}
    assert puppet == ["publish 2", "agents on 4"]


def test_the_version_stays_where_nothing_changes() -> None:
    cluster = Cluster().formed()
    assert distribute.distribute(cluster.session).version == 1


@pytest.mark.parametrize("step", ["stage", "commit", "verify"])
def test_a_step_that_fails_on_a_node_puts_the_old_file_back_on_all(step: str, puppet: list[str]) -> None:
    cluster = Cluster(fails=(f"corosync/{step}", "node1")).formed()
    before = dict(cluster.files)
    cluster.machines = nodes(4)[1:]
    with pytest.raises(NodeFailures, match="refused") as raised:
        distribute.distribute(cluster.session)
    assert raised.value.exit_code == 1, "nothing is partly done"
    assert {name: cluster.files[name] for name in before} == before
    assert puppet[-1:] == ["publish 1"], "the master has the old file again"
    assert cluster.ran[-1][0] == "corosync/reload"


WHOLE = config.render(spec(), nodes(), config_version=1)
# What may become of a file, with what is said of it.
DAMAGE = {
    "is missing": None,
    "is empty": "",
    "is not text": "\0" * 40,
    "is damaged (line 1 'stray' is not 'name {', 'key: value' or '}')": f"stray\n{WHOLE}",
    "is damaged (line 48 ends the file with an open section: a '}' is missing)": WHOLE.rstrip().rstrip("}"),
    "names no members": "totem {\n    version: 2\n}\n",
    "has lines that end in CR LF": WHOLE.replace("\n", "\r\n"),
    "differs from that of the other nodes": WHOLE.replace("198.18.0.11", "198.18.0.99"),
    "has version 0, not 1": WHOLE.replace("config_version: 1", "config_version: 0"),
}


@given(
    st.dictionaries(st.sampled_from(["node0", "node1", "node2"]), st.sampled_from(sorted(DAMAGE)), max_size=1)
)
def test_a_damaged_file_is_repaired_on_whichever_node_it_is(damage: dict[str, str]) -> None:
    cluster = Cluster().formed()
    for name, problem in damage.items():
        text = DAMAGE[problem]
        cluster.files.pop(name)
        cluster.files |= {} if text is None else {name: text}
    assert distribute.distribute(cluster.session).differences == []
    assert cluster.files == dict.fromkeys(["node0", "node1", "node2"], WHOLE)
    assert cluster.report.warnings == [
        f"{name}: its corosync.conf {problem}; it is replaced" for name, problem in damage.items()
    ]


def test_files_that_are_damaged_on_all_nodes_are_replaced(puppet: list[str]) -> None:
    cluster = Cluster().formed()
    cluster.files = dict.fromkeys(cluster.files, "stray")
    distribute.distribute(cluster.session)
    assert set(cluster.files.values()) == {WHOLE}
    assert len(cluster.report.warnings) == 3


def test_the_master_is_never_given_a_damaged_file_back(puppet: list[str]) -> None:
    cluster = Cluster(fails=("corosync/verify", "node1")).formed()
    cluster.files["node0"] = "stray"
    with pytest.raises(NodeFailures, match="refused"):
        distribute.distribute(cluster.session)
    assert puppet == ["publish 1", "publish 1"]


def test_a_cluster_without_quorum_is_not_changed() -> None:
    cluster = Cluster(quorate=False).formed()
    cluster.machines = nodes(4)
    with pytest.raises(ClusterError, match=r"no quorum\. Bring its nodes back: fab up demo"):
        distribute.distribute(cluster.session)
    assert "corosync/commit" not in {name for name, _ in cluster.ran}


def test_a_node_that_is_switched_off_is_named() -> None:
    cluster = Cluster().formed()
    cluster.machines = [*nodes(2), *nodes(3, state="stopped")[2:]]
    distribute.distribute(cluster.session)
    assert cluster.report.warnings == ["switched off, so without it for now: node2"]


def test_a_member_that_came_back_with_another_address_leaves_first() -> None:
    cluster = Cluster().formed()
    cluster.machines = [*nodes(2), nodes(3, address="198.18.0.99")[2]]
    assert distribute.make_way(cluster.session) == ["node2"]
    assert {config.config_version(cluster.files[name]) for name in ("node0", "node1")} == {3}


def test_a_running_corosync_is_not_given_a_new_address_of_a_member() -> None:
    cluster = Cluster().formed()
    text = cluster.files["node0"]
    with pytest.raises(UsageError, match=r"node 3 .* moves from 198.18.0.12 to 198.18.0.99"):
        distribute._check_change(cluster.session, text, text.replace("198.18.0.12", "198.18.0.99"))


def test_the_first_file_is_for_nodes_that_exist() -> None:
    cluster = Cluster(machines=[])
    with pytest.raises(ClusterError, match="has no nodes yet"):
        distribute.rendered(cluster.session)
