"""A service: a command line that the cluster keeps running on one node.  Each option is declared once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from ..errors import Problem, named
from ..spec.types import Holders, place_problems, required_capability
from . import checks

if TYPE_CHECKING:
    # How a type checker sees a field that converts what it is given (dataclasses: descriptor-typed fields).
    class Ids:
        def __get__(self, service: object, owner: type) -> tuple[str, ...]: ...
        def __set__(self, service: object, ids: Sequence[str]) -> None: ...

    class Variables:
        def __get__(self, service: object, owner: type) -> tuple[tuple[str, str], ...]: ...
        def __set__(
            self, service: object, variables: Mapping[str, str] | Sequence[tuple[str, str]]
        ) -> None: ...

else:
    Ids = tuple[str, ...]
    Variables = tuple[tuple[str, str], ...]

# In a dataclass that is read from a file: an unknown key is a typing error, not a wish to be ignored.
UNKNOWN_KEYS_ARE_ERRORS: Final = {"extra": "forbid"}

_NONE: Any = ()


@dataclass(frozen=True, kw_only=True)
class Option:
    """The declaration of one field of a service.

    help       what it is, as `fab --help`, the documentation and the resource agent's meta-data show it
    check      what is wrong with a value that is not the default, as predicates of the field
    metavar    what stands for its value in the documentation: SECONDS
    unset      what an empty value means: "the journal"
    word       its name in commands and files, where that is not the field's
    negated    the help of the option that turns it off, for what is on by default
    parameter  whether it is a parameter of the resource agent, which restarts the service when it changes
    split      whether it is split into words as a shell would
    """

    help: str
    check: Callable[[Any], list[str]] = lambda value: []
    metavar: str = ""
    unset: str = ""
    word: str = ""
    negated: str = ""
    parameter: bool = True
    split: bool = False


def _declared(text: str, **details: Any) -> dict[str, Option]:
    return {"option": Option(help=text, **details)}


_IDS: Final = {"metavar": "ID", "parameter": False}
_SECONDS: Final = {"metavar": "SECONDS", "check": checks.seconds}
_PATH: Final = {"metavar": "PATH", "check": checks.path}
_PROBE: Final = {"metavar": "PROBE", "check": checks.probe, "split": True}


@dataclass(frozen=True)
class Service:
    """What to run, and how it is kept alive.

    A field is declared here and nowhere else: the options of `fab service.add`, the words of a file, the
    parameters of Cluster.add_service() and the table in the documentation are views of it (options.py).
    Every text but the id, the user, the signal and the limits may hold placeholders (placeholders.py).
    """

    __pydantic_config__ = UNKNOWN_KEYS_ARE_ERRORS

    id: str = field(
        metadata=_declared("id in the cluster", metavar="ID", check=checks.identifier, parameter=False)
    )
    command: str = field(
        metadata=_declared(
            "command line to run; starts with an absolute path",
            metavar="COMMAND",
            check=checks.command_line,
            split=True,
        )
    )
    _: KW_ONLY
    on: int | str | None = field(
        default=None,
        metadata=_declared(
            "node to prefer: its index, or 'capability:WORD' for those that have it",
            metavar="NODE",
            unset="any",
            parameter=False,
        ),
    )
    user: str = field(
        default="",
        metadata=_declared("user to run as", metavar="USER", unset="root", check=checks.user),
    )
    cwd: str = field(default="", metadata=_declared("working directory", unset="/", **_PATH))
    env: Variables = field(
        default=_NONE,
        metadata=_declared("environment variables", metavar="KEY=VALUE", check=checks.environment),
    )
    monitor: int = field(
        default=10, metadata=_declared("seconds between two checks", parameter=False, **_SECONDS)
    )
    failover: bool = field(
        default=True,
        metadata=_declared(
            "whether it may run elsewhere when its node dies",
            negated="keep it on its node, even when that dies",
            parameter=False,
        ),
    )
    pidfile: str = field(
        default="", metadata=_declared("PID file of a command that goes to the background", **_PATH)
    )
    ready: str = field(
        default="",
        metadata=_declared(
            "probe that succeeds once it serves: a command, tcp:PORT or http://HOST:PORT/PATH", **_PROBE
        ),
    )
    health: str = field(
        default="",
        metadata=_declared("probe that succeeds while it serves; else it is restarted", **_PROBE),
    )
    log: str = field(
        default="", metadata=_declared("file on the node for its output", unset="the journal", **_PATH)
    )
    after: Ids = field(default=_NONE, metadata=_declared("service that must run before it starts", **_IDS))
    beside: Ids = field(
        default=_NONE, metadata=_declared("service to share a node with", word="with", **_IDS)
    )
    apart_from: Ids = field(default=_NONE, metadata=_declared("service never to share a node with", **_IDS))
    start_timeout: int = field(default=60, metadata=_declared("seconds to become ready", **_SECONDS))
    stop_timeout: int = field(
        default=20, metadata=_declared("seconds to stop before it is killed", **_SECONDS)
    )
    stop_signal: str = field(
        default="TERM",
        metadata=_declared("signal that asks it to stop", metavar="SIGNAL", check=checks.signal),
    )
    memory: str = field(
        default="",
        metadata=_declared("limit on memory, such as 512M", metavar="SIZE", check=checks.memory),
    )
    cpu: str = field(
        default="",
        metadata=_declared(
            "limit on processor time, in cores (1.5) or percent of one (150%)",
            metavar="CORES",
            check=checks.cpu,
        ),
    )

    def __post_init__(self) -> None:
        """Keep as tuples what may be given as a list, as one id or, of variables, as a mapping."""
        for each in fields(self):
            if each.default == ():
                value = getattr(self, each.name)
                many = (
                    value.items()
                    if isinstance(value, Mapping)
                    else [value]
                    if isinstance(value, str)
                    else value
                )
                object.__setattr__(self, each.name, tuple(many))


def validate(service: Service, size: int, holders: Holders | None = None) -> list[Problem]:
    """Every problem of a service by itself on a cluster of that size.

    `holders` are the nodes that have each capability; None: whether any node has the required one does not
    matter. What it is to other services is for relations.set_problems().
    """
    problems = []
    for each in fields(Service):
        option: Option = each.metadata["option"]
        value = getattr(service, each.name)
        if each.default is MISSING or value != each.default:
            problems += [
                Problem(service.id, each.name, f"{named(each.name)} {said}") for said in option.check(value)
            ]
    problems += place_problems(service.on, size, holders, service.id)
    if not service.failover and not isinstance(service.on, int):
        why = f": any node with {service.on} may run it" if required_capability(service.on) else ""
        text = (
            f"without failover a service needs a node of its own{why}. Set {named('on')} to the index of a"
            " node"
        )
        problems.append(Problem(service.id, "on" if required_capability(service.on) else "failover", text))
    return problems
