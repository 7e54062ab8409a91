"""Problems as values, and the tree of errors.

ClusterError                a sentence for the user: what, which, the next step   exit 1
|- UsageError               wrong use: names, sizes, files, what is missing       exit 2
|  |- NotFound              no such cluster, node or service
|  `- Preflight             what this host or account lacks
|- StoreError               a file of ours that cannot be read, or that another process holds
|- NodeError                one node refused or failed, with its last lines
`- NodeFailures             several nodes: one line each                          exit 1, or 3 when some
succeeded
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

# Around the name of a field inside a text: characters that no text holds (Unicode 23.7, Noncharacters).
_FIELD = re.compile("\ufdd0([^\ufdd1]*)\ufdd1")


def named(field: str) -> str:
    """The name of a field inside the text of a Problem, shown as it is typed: `--stop-timeout`."""
    return f"\ufdd0{field}\ufdd1"


def shown(value: object) -> str:
    """A value as the text of a Problem shows it: in quotes, without the middle of one that is long."""
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:120]} … {text[-40:]} ({len(text)} characters)"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with what was given.

    subject  what it is about: a service, a host, a file and its line; empty: the command itself
    field    the field to change, by its name in Python; empty: the subject as a whole
    text     the sentence: what is wrong, with which value, the next step; it names fields by `named(...)`
    """

    subject: str
    field: str
    text: str

    def spelled(self, spell: Callable[[str], str] = str) -> str:
        """The sentence with its subject.

        `spell` returns a field as it is typed: an option, a key, a keyword.
        """
        text = _FIELD.sub(lambda match: spell(match[1]), self.text)
        text = text if len(text) <= 2000 else f"{text[:1500]} … {text[-400:]}"
        subject = self.subject if len(self.subject) <= 200 else f"{self.subject[:120]} …"
        sentence = f"{subject}: {text}" if self.subject else text
        # Bytes that the user typed and that are not UTF-8 (PEP 383) can be printed only as escapes.
        return sentence.encode(errors="backslashreplace").decode()

    def __str__(self) -> str:
        return self.spelled()


def as_problems(found: "Iterable[str | Problem]") -> list[Problem]:
    """Sentences about the whole command as problems; problems stay as they are."""
    return [each if isinstance(each, Problem) else Problem("", "", each) for each in found]


class ClusterError(Exception):
    """A failure that the user can act on.  Its text is shown as it is, without a traceback."""

    exit_code = 1


class UsageError(ClusterError):
    """The request cannot be carried out as it was given.  Holds every problem found, not only the first."""

    exit_code = 2

    def __init__(self, problems: "str | Problem | Iterable[str | Problem]") -> None:
        given = [problems] if isinstance(problems, str | Problem) else problems
        self.problems = list(dict.fromkeys(as_problems(given)))
        super().__init__("\n".join(map(str, self.problems)))


class NotFound(UsageError):
    """No cluster, node or service has that name."""


class Preflight(UsageError):
    """The host or the account lacks something; found before anything was started."""


class StoreError(ClusterError):
    """A specification or state file that cannot be used, or that another process holds."""


class NodeError(ClusterError):
    """One node refused or failed.

    node     its name
    said     the last lines that it printed
    lasting  whether trying again cannot help
    """

    def __init__(self, node: str, problem: str, said: str = "", *, lasting: bool = False) -> None:
        self.node, self.problem, self.said, self.lasting = node, problem, said.strip(), lasting
        super().__init__(f"{node}: {problem}" + (f": {self.said}" if self.said else ""))


class NodeFailures(ClusterError):
    """Some or all nodes failed at one action.

    failures   the error of each failed node, by its name, in the order of the nodes
    succeeded  the names of the other nodes; where their results are given too, `results` keeps them
    """

    exit_code_partly = 3

    def __init__(
        self,
        action: str,
        failures: Mapping[str, ClusterError],
        succeeded: Sequence[str] | Mapping[str, object] = (),
    ) -> None:
        self.action, self.failures, self.succeeded = action, dict(failures), list(succeeded)
        self.results = dict(succeeded) if isinstance(succeeded, Mapping) else {}
        total = len(self.failures) + len(self.succeeded)
        self.exit_code = self.exit_code_partly if self.succeeded else 1
        said = list(map(str, self.failures.values()))
        head = f"{action}: {len(said)} of {total} nodes failed"
        super().__init__("\n".join(said if total == 1 else [head, *(f"  {each}" for each in said)]))
