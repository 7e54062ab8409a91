"""From a specification to machines that answer."""

from collections.abc import Collection, Sequence

from ...core.cloud_init import Login, user_data
from ...core.errors import Preflight, UsageError
from ...core.preview import Step
from ...core.puppet.agent import agent_setup
from ...core.puppet.master import server_setup
from ...core.spec.node import MASTER_INDEX, Node, Role, members
from ...effects import dry_run
from ...effects.providers.base import ROLES, HostJoiner, UserData
from ...effects.ssh.known_hosts import remove_key
from ..puppet import master as puppet_master
from ..session import Session
from . import contact, credentials, hosts

_EC2_USER_DATA_LIMIT = 16384  # bytes, before encoding (EC2 User Guide, "Instance user data")


def launch(session: Session, roles: Collection[Role] = ROLES) -> tuple[list[Node], list[str]]:
    """Bring every machine of those roles up, without waiting for it.

    Returns all living machines, and what was changed.  Raises Preflight with everything that is missing
    before anything is started.
    """
    session.remote.check()
    if problems := session.provider.preflight(roles):
        raise Preflight(problems)
    existing = [node for node in session.machines() if not node.gone]
    if existing:
        if problem := session.size_problem(existing):
            raise UsageError(problem)
        session.require_key()
        credentials.require_authkey(session)
    if dry_run.active():
        return existing, _planned(session, existing, roles)
    make = _user_data(session)
    before = {node.id for node in existing if node.running}
    _forget_gone(session, {node.id for node in existing})
    with session.report.step("boot the machines"):
        machines = list(session.provider.boot(make, session.report, roles))
    done = "joined" if isinstance(session.provider, HostJoiner) else "booted"
    return machines, [
        f"{done} {node.name}" for node in machines if node.id not in before and node.role in roles
    ]


def boot(
    session: Session, *, timeout: float | None = None, roles: Collection[Role] = ROLES
) -> tuple[list[Node], list[str]]:
    """Bring every machine of those roles up and make each known, within `timeout` seconds.

    Returns all machines of those roles, and what was changed.
    """
    launched, changed = launch(session, roles)
    wanted = {node.id for node in launched if node.role in roles}
    limit = session.provider.boot_timeout if timeout is None else timeout
    if dry_run.active():
        machines = [node for node in launched if node.role in roles]
        _stop_before_setup(session, machines, changed)
        return machines, []
    if isinstance(session.provider, HostJoiner):
        return hosts.join(session, launched), changed
    with session.report.step("first contact"):
        machines = contact.wait_running(session, wanted, limit)
        contact.greet(session, machines, limit)
    return machines, changed


def _planned(session: Session, existing: Sequence[Node], roles: Collection[Role]) -> list[str]:
    """Plan, in a dry run, the start of each machine that does not run.  Returns their names."""
    known = {(node.role, node.index): node for node in existing}
    wanted: list[tuple[Role, int]] = [("master", MASTER_INDEX)] if session.spec.own_master else []
    wanted = [*wanted, *(("node", index) for index in range(session.spec.size))]
    steps = session.provider.launching([slot for slot in wanted if slot[0] in roles and slot not in known])
    if not isinstance(session.provider, HostJoiner):  # hosts of the user's are not started
        idle = [node for node in existing if node.role in roles and not node.running]
        verbs = {"pending": "wait until it runs", "broken": "boot it anew"}
        steps += [
            Step(node.name, f"{verbs.get(node.state, 'start')} ({node.id}, {node.state})") for node in idle
        ]
    if steps and not members([node for node in existing if node.running]):
        dry_run.leave(session.spec.name, None)
    dry_run.plan(*steps)
    return [step.subject for step in steps]


def _stop_before_setup(session: Session, machines: Sequence[Node], booting: Sequence[str]) -> None:
    """End a dry run where machines boot first, or were not set up yet."""
    keyed = session.store.state().keyed
    fresh = [node.name for node in machines if node.id not in keyed and node.name not in booting]
    if fresh:
        dry_run.leave(session.spec.name, None)
    dry_run.plan(*(Step(name, "finish its setup, which was interrupted") for name in fresh))
    if fresh or booting:
        then = "set up what has booted; what that changes depends on what is found there"
        dry_run.stop(Step(session.spec.name, then))


def _forget_gone(session: Session, existing: set[str]) -> None:
    """Forget machines that disappeared: what comes up in their place has other keys."""
    state = session.store.state()
    for node_id, pattern in state.keyed.items():
        if node_id not in existing:
            remove_key(session.store.known_hosts, pattern, contact.OWN_KEY)
    session.store.update_state(
        keyed={node_id: pattern for node_id, pattern in state.keyed.items() if node_id in existing},
        certified=tuple(node_id for node_id in state.certified if node_id in existing),
    )


def _user_data(session: Session) -> UserData:
    secrets = credentials.make(session)
    if isinstance(session.provider, HostJoiner):
        return lambda role, names=(): ""
    login = Login(
        user=session.spec.user,
        authorized_keys=[secrets["ssh_key.pub"]],
        host_key=secrets["bootstrap_key"],
        host_key_public=secrets["bootstrap_key.pub"],
    )
    setup: dict[Role, str] = {
        "node": agent_setup(session.spec, server=puppet_master.certname(session), token=secrets["token"]),
        "master": server_setup(),
    }

    def make(role: Role, names: Sequence[str] = ()) -> str:
        text = user_data(login, setup[role], names)
        if len(text.encode()) > _EC2_USER_DATA_LIMIT:
            raise Preflight(
                f"the user-data has {len(text.encode())} bytes, and EC2 takes {_EC2_USER_DATA_LIMIT}"
            )
        return text

    return make
