"""The cluster's Puppet master: how it is set up, and the files that it serves."""

from dataclasses import dataclass

from ...core.errors import ClusterError, UsageError
from ...core.preview import Step
from ...core.puppet import master as core
from ...core.puppet import shared
from ...core.puppet.files import File, Layout, Secrets, pack
from ...core.puppet.shared import Look
from ...core.templates import ROOT
from ...effects import dry_run
from ..session import Session
from ..sirikata import archives
from . import host
from .host import MasterHost

DATA = ROOT / "data" / "puppet"
# Seconds without output: a start, and before it the installation of the server.
TIMEOUT = core.START_TIMEOUT + 600.0


@dataclass(frozen=True, kw_only=True)
class MasterResult:
    """What configuring a master changed: paths on it; whether its server was restarted or reloaded."""

    certname: str
    changed: tuple[str, ...]
    restarted: bool

    @property
    def unchanged(self) -> bool:
        return not self.changed and not self.restarted


def certname(session: Session) -> str:
    """The name in the master's certificate, under which the nodes look for it.

    A host of the user's is looked at once; Puppet's server is installed on it if it has none.  Raises
    UsageError with every setting there that is in the way.
    """
    if session.spec.own_master:
        return core.own_certname(session.spec)
    known = session.store.state().master_certname
    if known:
        return known
    with session.report.step(f"look at the Puppet master {session.spec.puppet_master}"):
        found = _look(session, host.find(session))
    session.store.update_state(master_certname=found.settings["certname"])
    return found.settings["certname"]


def configure(session: Session) -> MasterResult:
    """Put everything that the cluster needs on its master, and wait until the server answers.

    Raises ClusterError when there is no corosync.conf yet: it is made from nodes that exist.
    """
    if session.store.text("corosync.conf") is None:
        raise _not_booted(session)
    return prepare(session)


def prepare(session: Session) -> MasterResult:
    """Like `configure`, but before the nodes exist: whatever is known by then."""
    token, authkey = session.store.secret("token"), session.store.secret("authkey")
    if token is None or authkey is None:
        raise _not_booted(session)
    machine = host.find(session)
    if dry_run.active():
        return _planned(session, machine, Secrets(token.decode().strip(), authkey))
    with session.report.step("configure the Puppet master"):
        done = _put(session, machine, Secrets(token.decode().strip(), authkey))
    archives.supply(session, machine)
    return done


def publish(session: Session, corosync_conf: str) -> None:
    """Replace the corosync.conf that the master serves to the nodes.

    The master must have been configured.
    """
    machine = host.find(session)
    if dry_run.plan(Step(machine.name, "serve this corosync.conf")):
        return
    machine.sudo(core.publish_script(session.spec), stdin=corosync_conf.encode())


def _put(session: Session, machine: MasterHost, secrets: Secrets) -> MasterResult:
    layout, certname, settings = _settings(session, machine)
    files = _files(session, layout, settings, secrets)
    session.report.node(machine.name, "configuring the Puppet server")
    answer = machine.sudo(
        core.put_script(session.spec, layout, own=session.spec.own_master),
        stdin=pack(files, core.cluster_folders(session.spec, layout)),
        timeout=TIMEOUT,
    )
    changed, restarted = core.parse_put(answer.out)
    done = MasterResult(certname=certname, changed=changed, restarted=restarted)
    session.report.node(machine.name, "unchanged" if done.unchanged else f"{len(changed)} files changed")
    return done


def _files(session: Session, layout: Layout, settings: list[File], secrets: Secrets) -> list[File]:
    """Everything that the master is to have."""
    data, conf = _data(), session.store.text("corosync.conf")
    own = core.cluster_files(session.spec, layout, secrets, conf, data)
    return [*core.program_files(layout, data), *settings, *own]


def _planned(session: Session, machine: MasterHost, secrets: Secrets) -> MasterResult:
    """In a dry run: say which files differ, and what else the master gets."""
    if not session.spec.own_master and not machine.sudo(core.installed_script(), check=False).ok:
        dry_run.plan(Step(machine.name, "install Puppet's server, then put the cluster's files in place"))
        return MasterResult(certname="", changed=(), restarted=False)
    layout, certname, settings = _settings(session, machine)
    listing = core.listing(_files(session, layout, settings, secrets))
    changed = tuple(machine.sudo(core.differing_script(), stdin=listing).out.splitlines())
    dry_run.plan(*([Step(machine.name, "put files in place", changed)] if changed else []))
    archives.supply(session, machine)
    return MasterResult(certname=certname, changed=changed, restarted=False)


def _settings(session: Session, machine: MasterHost) -> tuple[Layout, str, list[File]]:
    """Where the server keeps its files, its certname, and the files of its settings.

    All settings of a master of the cluster's own are ours.  A host of the user's may serve others too, so
    only what is missing is added; raises UsageError with every setting that is in the way.
    """
    if session.spec.own_master:
        layout = Layout()
        return layout, core.own_certname(session.spec), core.own_files(session.spec, layout)
    found = _look(session, machine)
    settings = shared.shared_files(found) + (core.tuned_files(found.layout) if found.made_here else [])
    return found.layout, found.settings["certname"], settings


def _look(session: Session, machine: MasterHost) -> Look:
    """How a server of the user's is set up; it is installed if there is none.

    Raises UsageError with every setting that is in the way.
    """
    look = shared.look_script(session.spec, install=not dry_run.active())
    found = shared.parse_look(machine.sudo(look, timeout=TIMEOUT).out)
    if problems := shared.problems(found, session.spec, machine.name):
        raise UsageError(problems)
    return found


def _not_booted(session: Session) -> ClusterError:
    return ClusterError(
        f"{session.spec.name!r} has nothing for a Puppet master yet. Boot it first: fab up"
        f" {session.spec.name}"
    )


def _data() -> dict[str, bytes]:
    """What a master serves, by its path below data/puppet."""
    # An installed package may hold bytecode that Python compiled from the programs here.
    paths = (path for path in sorted(DATA.rglob("*")) if path.is_file() and path.parent.name != "__pycache__")
    return {path.relative_to(DATA).as_posix(): path.read_bytes() for path in paths}
