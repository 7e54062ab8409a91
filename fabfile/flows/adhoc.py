"""Ad-hoc clusters: defined, and without a host that is gone for good."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..core.adhoc import file as adhoc_file
from ..core.adhoc.fields import as_host
from ..core.adhoc.host import AdhocOptions, Host, host_problems, parse_host
from ..core.adhoc.membership import RELEASE
from ..core.errors import NotFound, Problem, UsageError, named
from ..core.preview import Step
from ..core.spec.cluster import ClusterSpec, own_master_problems, validate
from ..core.spec.node import node_name
from ..effects import dry_run
from ..effects.files import text as files
from ..effects.providers.base import HostForgetter, able
from .session import Session


def defined(wanted: ClusterSpec, given: Sequence[str], file: str, usual: Mapping[str, str]) -> ClusterSpec:
    """The specification of a cluster of the typed hosts, `[user@]host[:port]`, and those of a file.

    `usual` are fields of Host, the defaults for all of them.  Where no Puppet master is named, the first host
    is the master.  Connects to none of them.  Raises UsageError with every problem.
    """
    hosts, master, problems = _define(given, file, usual)
    spec = with_hosts(wanted, hosts, master)
    if not given and not file:
        text = (
            f"an ad-hoc cluster needs its hosts: {named('host')}=[user@]host[:port] for each, or "
            f"{named('file')}=FILE, which describes them"
        )
        problems.append(Problem("", "host", text))
    if problems:
        # They have those of the hosts, some with their line; what follows from a wrong host is not a problem
        # of its own.
        named_master = wanted.puppet_master or master
        rest = replace(spec, size=3, provider="local", puppet_master=named_master)
        raise UsageError([*problems, *own_master_problems(spec), *validate(rest)])
    return spec


def with_hosts(wanted: ClusterSpec, hosts: Sequence[Host], master: str = "") -> ClusterSpec:
    """The specification of a cluster of those hosts.

    Its Puppet master as wanted, else `master`, else the first host.
    """
    chosen = wanted.puppet_master or master or (hosts[0].host if hosts else "")
    return replace(wanted, puppet_master=chosen, size=len(hosts), adhoc=AdhocOptions(hosts=tuple(hosts)))


def hosts_of(given: Sequence[Host | str]) -> tuple[Host, ...]:
    """Hosts as a program gave them, each as a Host or as [user@]host[:port].

    Raises UsageError with every problem.
    """
    hosts: list[Host] = []
    problems: list[Problem] = []
    for index, value in enumerate(given):
        if isinstance(value, str):
            hosts.append(parse_host(value, Host(host="")))
            continue
        host, wrong = as_host(vars(value), f"hosts[{index}]")
        problems += wrong
        hosts += [replace(host, key=files.whole(host.key))] if host else []
    if problems:
        raise UsageError(problems)
    return tuple(hosts)


def _define(
    given: Sequence[str], file: str, usual: Mapping[str, str]
) -> tuple[tuple[Host, ...], str, list[Problem]]:
    """The hosts, the Puppet master that the file names, and the problems of what was given."""
    defaults, problems = _defaults(usual)
    hosts = tuple(parse_host(text, defaults) for text in given)
    for text, host in zip(given, hosts, strict=True):
        # A field of this host is in the one option that gives it.
        for problem in host_problems(host):
            sentence = replace(problem, subject="").spelled(_part)
            problems.append(Problem("", "host", f"{named('host')}={text}: {sentence}"))
    master = ""
    if file:
        try:
            definition = adhoc_file.read(file, files.read_text(file), defaults)
            hosts, master = hosts + definition.hosts, definition.puppet_master
        except UsageError as error:
            problems += error.problems
    return tuple(replace(host, key=files.whole(host.key)) for host in hosts), master, problems


def _part(field: str) -> str:
    """The name of a field that is a part of [user@]host[:port]."""
    return f"the {field}"


def _defaults(usual: Mapping[str, str]) -> tuple[Host, list[Problem]]:
    """What the options say of all hosts, without what is wrong with it; and what that is."""
    host, problems = as_host({"host": "any"} | {field: text for field, text in usual.items() if text})
    wrong = {problem.field for problem in problems}
    if host is None:
        right = {field: text for field, text in usual.items() if text and field not in wrong}
        host = as_host({"host": "any"} | right)[0] or Host(host="any")
    found = [replace(problem, subject="") for problem in host_problems(host)]
    sound = {problem.field: getattr(Host(host="any"), problem.field) for problem in found}
    return replace(host, **sound), problems + found


def forget(session: Session, index: int) -> str:
    """Have `terminate` skip the host of that index, which is unreachable; returns which it was.

    The node stays one of the cluster: `substitute` gives it another host.  Raises UsageError for a host that
    is reachable: terminate releases it.
    """
    provider = able(session.provider, HostForgetter)
    name = session.spec.name
    if not session.members():
        raise UsageError(
            f"no host has joined {name!r} yet, so there is none to forget. To define the cluster "
            "without that "
            f"host: fab cluster.destroy {name}, then fab adhoc.create {name}"
        )
    node = session.node(index)
    if node.running:
        raise UsageError(
            f"{node.name} ({node.ssh_host}) is reachable, so it need not be forgotten: "
            f"fab cluster.nodes.terminate {name} releases it"
        )
    dry_run.plan(Step(node.name, f"skip {node.ssh_host} in terminate"))
    provider.forget(index)
    return f"{node.name} ({node.ssh_host})"


def substitute(session: Session, index: int, text: str) -> Host:
    """Make another host the node of that index from the next boot on, in place of one that is gone.

    Returns it.

    It is reached as the one before, unless `[user@]host[:port]` says otherwise.  Raises NotFound for an
    unknown node, and UsageError for text that is not a host, and for a node whose host is still reachable.
    """
    able(session.provider, HostForgetter)
    spec = session.spec
    if not 0 <= index < spec.size:
        raise NotFound(f"no node {index} in {spec.name!r}: it has nodes 0 to {spec.size - 1}")
    before = spec.adhoc.hosts[index]
    host = parse_host(text, replace(before, host="any", address="", host_key=""))
    hosts = tuple(host if place == index else old for place, old in enumerate(spec.adhoc.hosts))
    master = host.host if spec.puppet_master == before.host else spec.puppet_master
    wanted = replace(spec, adhoc=AdhocOptions(hosts=hosts), puppet_master=master)
    if problems := validate(wanted):
        raise UsageError(problems)
    for node in session.members():
        if node.index == index and node.running:
            raise UsageError(
                f"{node.name} ({node.ssh_host}) is reachable, and only a host that is gone for good can be "
                f"replaced. Switch it off first; 'sudo sh {RELEASE}' on it releases it later"
            )
        if node.index == index:
            forget(session, index)
    dry_run.plan(Step(node_name(index), f"be {host} from the next boot on, in place of {before}"))
    session.saved(wanted)
    return host
