"""What a run of an agent says, and why one failed."""

import pytest

from fabfile.core.puppet import runs

REPORT = """--- !ruby/object:Puppet::Transaction::Report
metrics:
  time: !ruby/object:Puppet::Util::Metric
    name: time
    values:
    - - total
      - Total
      - 3.25
logs:
- !ruby/object:Puppet::Util::Log
  level: !ruby/sym {level}
  message: {message}
status: {status}
environment: web_1
resource_statuses:
  File[/etc/motd]: !ruby/object:Puppet::Resource::Status
    resource: File[/etc/motd]
    changed: {changed}
    failed: false
    skipped: false
    events:
    - !ruby/object:Puppet::Transaction::Event
      message: "content changed"
      status: success
  Exec[x]: !ruby/object:Puppet::Resource::Status
    resource: Exec[x]
    changed: false
    failed: {failed}
    skipped: false
    events:
    - !ruby/object:Puppet::Transaction::Event
      message: "x returned 1"
      status: failure
  Service[y]: !ruby/object:Puppet::Resource::Status
    resource: Service[y]
    changed: false
    failed: false
    skipped: {failed}
    events: []
"""


def run(code: int, *, log: str = "", **values: str) -> runs.AgentRun:
    defaults = {
        "level": "notice",
        "message": "done",
        "status": "changed",
        "changed": "true",
        "failed": "false",
    }
    return runs.parse_run("node0", f"exit {code}\n" + REPORT.format(**{**defaults, **values}), log)


def test_a_run_that_changed_something() -> None:
    done = run(2)
    assert (done.outcome, done.seconds, done.environment) == ("changed", 3.25, "web_1")
    assert [str(change) for change in done.changed] == ["File[/etc/motd]: content changed"]
    assert (done.failed, done.skipped, done.errors) == ((), (), ())


def test_a_run_that_changed_nothing() -> None:
    done = run(0, status="unchanged", changed="false")
    assert (done.outcome, done.changed) == ("unchanged", ())


def test_a_failed_resource_is_told_in_its_own_words() -> None:
    done = run(6, status="failed", failed="true")
    assert done.outcome == "failed"
    problem, said = runs.explain(done, "web-1")
    assert "failed to apply 1 of its resources, and skipped 1" in problem
    assert said == "Exec[x]: x returned 1"


def test_a_catalog_that_does_not_compile_is_told_in_the_masters_words() -> None:
    words = "Could not retrieve catalog from remote server: Error 500 on SERVER: Evaluation Error: Unknown function"
    problem, said = runs.explain(run(1, level="err", message=repr(words), status="failed"), "web-1")
    assert problem == "the Puppet master cannot compile its catalog"
    assert words in said


@pytest.mark.parametrize(
    ("log", "problem"),
    [
        ("Info: Certificate for node0.web-1 has not been signed yet\nExiting now because", "does not sign"),
        ("Error: certificate verify failed [self-signed certificate in certificate chain]", "trusts another"),
        ("Error: SSL_read: ssl/tls alert certificate unknown (SSL alert number 46)", "no longer accepts"),
        ("Error: Failed to open TCP connection to puppet:8140 (Connection refused)", "cannot reach"),
        ("Error: something new", "exited with 1"),
    ],
)
def test_a_run_without_a_report_is_explained(log: str, problem: str) -> None:
    done = runs.parse_run("node0", "exit 1\n", log)
    assert done.outcome == "failed"
    told, said = runs.explain(done, "web-1")
    assert problem in told
    assert said.splitlines()[0] in log
    assert "{" not in told


@pytest.mark.parametrize("out", ["", "exit 1\n--- [", "exit 0\n--- text", "exit x\n"])
def test_broken_output_is_a_failed_or_an_empty_run(out: str) -> None:
    done = runs.parse_run("node0", out, "Error: no space left")
    assert done.changed == ()
    assert done.outcome == ("unchanged" if out.startswith("exit 0") else "failed")


def test_many_and_long_words_are_shortened() -> None:
    errors = tuple(f"{number} " + "x" * 900 for number in range(9))
    _, said = runs.explain(runs.AgentRun(node="n", exit=1, outcome="failed", errors=errors), "web-1")
    assert said.endswith("... and 5 more")
    assert max(map(len, said.splitlines())) < 350
