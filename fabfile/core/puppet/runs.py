"""Runs of a Puppet agent: the script of one, and what its report says.

puppet-agent(8); Puppet documentation, "Report format" (version 12; older ones differ in nothing that is read
here).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from ..templates import script

Outcome = Literal["unchanged", "changed", "failed"]


@dataclass(frozen=True)
class Change:
    """What happened to one resource, `File[/etc/corosync/corosync.conf]`, in Puppet's words."""

    resource: str
    message: str

    def __str__(self) -> str:
        return f"{self.resource}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class AgentRun:
    """One watched run of one node's agent.

    exit         the agent's exit code
    outcome      `failed` when any resource failed, or when there was no catalog to apply
    changed      the resources that were changed
    failed       the resources that could not be changed
    skipped      the resources left out, since one that they depend on failed
    left_out     the resources left out though none failed, as by a schedule or `noop` of their own
    seconds      the duration of the run, from the start of its process
    environment  the environment of the catalog
    errors       the errors of the run, other than those of resources
    """

    node: str
    exit: int
    outcome: Outcome
    changed: tuple[Change, ...] = ()
    failed: tuple[Change, ...] = ()
    skipped: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    seconds: float = 0.0
    environment: str = ""
    errors: tuple[str, ...] = ()


def run_script() -> str:
    """Runs the agent once, watched, and starts its daemon again.  Prints `exit CODE` and the report."""
    return script("puppet/environment.sh", "puppet/agent-run.sh")


def parse_run(node: str, out: str, log: str) -> AgentRun:
    """What `run_script` printed: the outcome of one run."""
    head, _, text = out.partition("\n")
    code = int(head.removeprefix("exit ")) if re.fullmatch(r"exit \d+", head) else 1
    report = _load(text)
    statuses = [status for status in report.get("resource_statuses", {}).values() if isinstance(status, dict)]
    errors = _errors(report, log)
    failed = tuple(
        _with_words(_change(status, "failure"), report) for status in statuses if _is_failed(status)
    )
    skipped = tuple(_name(status) for status in statuses if status.get("skipped"))
    # 0: nothing to do, 2: changed, 4 and 6: resources failed, 1: no run (puppet-agent(8),
    # --detailed-exitcodes).
    bad = code not in (0, 2) or report.get("status") in (None, "failed") or failed
    return AgentRun(
        node=node,
        exit=code,
        outcome="failed" if bad else "changed" if code == 2 else "unchanged",
        changed=tuple(
            _change(status, "success")
            for status in statuses
            if status.get("changed") and not _is_failed(status)
        ),
        failed=failed,
        skipped=skipped if failed else (),
        left_out=(() if failed else skipped) + tuple(map(_name, filter(_is_only_simulated, statuses))),
        seconds=_seconds(report),
        environment=str(report.get("environment") or ""),
        errors=errors,
    )


def explain(run: AgentRun, cluster: str) -> tuple[str, str]:
    """Why a run failed: the problem in a line, and the agent's own words."""
    if run.failed:
        text = f"Puppet failed to apply {len(run.failed)} of its resources"
        text += f", and skipped {len(run.skipped)} that depend on them" if run.skipped else ""
        return text, _shorten([str(change) for change in run.failed])
    words = "\n".join(run.errors)
    for pattern, problem in _REASONS:
        if re.search(pattern, words):
            return problem.format(cluster=cluster, node=run.node), _shorten(run.errors)
    without = " and wrote no report" if run.exit in (0, 2) else ""
    return f"the Puppet agent exited with {run.exit}{without}", _shorten(run.errors)


_RENEW = (
    "Give the node a new certificate: fab cluster.nodes.run {cluster} 'sudo rm -rf \"$(sudo puppet config"
    " print ssldir --section agent)\"', then fab puppet.agents.restart {cluster}"
)

# By the words of the agent; the first match counts.  Puppet's lib/puppet/ssl/state_machine.rb,
# lib/puppet/ssl/verifier.rb.
_REASONS = (
    (
        r"no certificate found and waitforcert is disabled|has not been signed",
        (
            "the Puppet master does not sign its certificate: the node's token is not the cluster's, or an"
            " earlier request of the same name was refused. Remove such requests (fab puppet.master.config"
            " {cluster}) and try again; if that does not help, terminate and boot the node, which gives it"
            " the token"
        ),
    ),
    (
        r"certificate verify failed|self.signed certificate in certificate chain|unable to get local issuer",
        "it trusts another Puppet master than the one that answers, as after the master was rebuilt. "
        + _RENEW,
    ),
    (
        r"alert certificate (unknown|revoked|expired)|certificate revoked|does not match its private key|"
        r"does not match the local|mismatch between the CSR",
        "the Puppet master no longer accepts its certificate, or has another one of the same name (on the"
        " master: puppetserver ca clean --certname {node}.{cluster}). " + _RENEW,
    ),
    (
        r"Connection refused|Failed to open TCP connection|No route to host|execution expired|getaddrinfo",
        (
            "it cannot reach the Puppet master. Check there that the server runs (systemctl status"
            " puppetserver), and that the node may connect to its port 8140"
        ),
    ),
    (r"Run of Puppet configuration client already in progress", "another run of its agent does not finish"),
    (
        r"administratively disabled",
        "its Puppet agent is disabled. Enable it: fab cluster.nodes.run {cluster} 'sudo puppet agent"
        " --enable', then fab puppet.agents.restart {cluster}",
    ),
    (
        r"Could not retrieve catalog|Evaluation Error|Syntax error|Server Error",
        "the Puppet master cannot compile its catalog",
    ),
)


def _shorten(texts: Sequence[str]) -> str:
    """The first few, a line each.

    Of a long one the beginning, and the end, where a command says why it failed.
    """
    lines = [" ".join(text.split()) for text in texts]
    lines = [line if len(line) <= 320 else f"{line[:140]} ... {line[-170:]}" for line in lines]
    more = [f"... and {len(lines) - 4} more"] if len(lines) > 4 else []
    return "\n".join(lines[:4] + more)


def _is_failed(status: dict[str, Any]) -> bool:
    return bool(status.get("failed") or status.get("failed_to_restart"))


def _is_only_simulated(status: dict[str, Any]) -> bool:
    """Whether Puppet only noted what it would change, which is what `noop` means."""
    events = status.get("events") or []
    return any(isinstance(event, dict) and event.get("status") == "noop" for event in events)


def _name(status: dict[str, Any]) -> str:
    return str(status.get("resource"))


def _change(status: dict[str, Any], kind: str) -> Change:
    """A resource, with the messages of its events of that kind."""
    events = [event for event in status.get("events") or [] if isinstance(event, dict)]
    messages = [str(event.get("message")) for event in events if event.get("status") == kind]
    messages = messages or [str(event.get("message")) for event in events]
    return Change(_name(status), "; ".join(dict.fromkeys(messages)) or kind)


def _with_words(change: Change, report: dict[str, Any]) -> Change:
    """The failure of a command with the last lines that it wrote, which Puppet logs as notices."""
    entries = [entry for entry in report.get("logs") or [] if isinstance(entry, dict)]
    ours = [entry for entry in entries if str(entry.get("source")).endswith(f"/{change.resource}/returns")]
    words = [str(entry.get("message")).strip() for entry in ours if entry.get("level") == "notice"]
    return Change(change.resource, f"{change.message}: {' '.join(words[-2:])}") if words else change


def _seconds(report: dict[str, Any]) -> float:
    metrics = report.get("metrics")
    times = metrics.get("time", {}).get("values", []) if isinstance(metrics, dict) else []
    return next((float(value[2]) for value in times if value[0] == "total"), 0.0)


_LEVEL = re.compile(r"^(Error|Warning|Info|Notice): ")


def _errors(report: dict[str, Any], log: str) -> tuple[str, ...]:
    """The errors, each once: from the report, or from the log if there is none."""
    entries = [entry for entry in report.get("logs") or [] if isinstance(entry, dict)]
    errors = [
        str(entry.get("message"))
        for entry in entries
        if entry.get("level") in ("err", "crit", "alert", "emerg")
    ]
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors += [
        _LEVEL.sub("", line) for line in lines if line.startswith("Error: ") or line.startswith("Exiting;")
    ]
    if not errors and not entries:
        errors = lines[-3:]
    return tuple(dict.fromkeys(text.strip() for text in errors))


def _load(text: str) -> dict[str, Any]:
    """A report, with its Ruby objects as plain mappings; empty if the text is not one."""
    try:
        loaded = yaml.load(text, Loader=_loader())
    except yaml.YAMLError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _loader() -> type:
    base: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    if not _Loaders:

        class Loader(base):  # type: ignore[misc]
            """The safe loader, which ignores the tags `!ruby/object:…` and `!ruby/sym …`."""

        Loader.add_multi_constructor("!ruby/", _plain)
        _Loaders.append(Loader)
    return _Loaders[0]


_Loaders: list[type] = []


def _plain(loader: Any, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)
