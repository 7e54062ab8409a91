"""What a run of an agent says, and why one failed."""

from pathlib import Path

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


def test_a_failed_resource_is_reported_in_its_own_words() -> None:
    done = run(6, status="failed", failed="true")
    assert done.outcome == "failed"
    problem, said = runs.explain(done, "web-1")
    assert "failed to apply 1 of its resources, and skipped 1" in problem
    assert said == "Exec[x]: x returned 1"


def test_a_catalog_that_does_not_compile_is_reported_as_the_master_does() -> None:
    words = (
        "Could not retrieve catalog from remote server: Error 500 on SERVER: Evaluation Error: Unknown"
        " function"
    )
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
        (
            "Notice: Skipping run of Puppet configuration client; administratively disabled (Reason: 'x');",
            "is disabled. Enable it",
        ),
        ("Error: something new", "exited with 1"),
    ],
)
def test_a_run_without_a_report_is_explained(log: str, problem: str) -> None:
    done = runs.parse_run("node0", "exit 1\n", log)
    assert done.outcome == "failed"
    text, said = runs.explain(done, "web-1")
    assert problem in text
    assert said.splitlines()[0] in log
    assert "{" not in text


@pytest.mark.parametrize("out", ["", "exit 1\n--- [", "exit 0\n--- text", "exit x\n"])
def test_a_run_whose_report_cannot_be_read_failed(out: str) -> None:
    done = runs.parse_run("node0", out, "Error: no space left")
    assert (done.changed, done.outcome) == ((), "failed")
    _, said = runs.explain(done, "web-1")
    assert said == "no space left"


@pytest.mark.parametrize("how", ["noop", "skipped"])
def test_a_run_says_what_it_left_out(how: str) -> None:
    text = REPORT.format(level="notice", message="x", status="unchanged", changed="false", failed="false")
    if how == "noop":
        text = text.replace("status: success", "status: noop")
    else:
        text = text.replace("skipped: false", "skipped: true", 1)
    done = runs.parse_run("node0", f"exit 0\n{text}", "")
    assert (done.outcome, done.left_out, done.skipped) == ("unchanged", ("File[/etc/motd]",), ())


def test_a_run_takes_no_setting_of_the_node_that_leaves_something_out() -> None:
    script = runs.run_script()
    for option in ("--no-noop", "--tags=", "--skip_tags=", "--no-use_cached_catalog", "--report"):
        assert f" {option}" in script or f"'{option}" in script


def test_many_and_long_words_are_shortened() -> None:
    errors = tuple(f"{number} " + "x" * 900 for number in range(9))
    _, said = runs.explain(runs.AgentRun(node="n", exit=1, outcome="failed", errors=errors), "web-1")
    assert said.endswith("... and 5 more")
    assert max(map(len, said.splitlines())) < 350


# What run_script printed on Debian 12 (Puppet 7.23) and 13 (8.10).  Of the resources that stayed as they
# were, two are kept; `golden` is a class whose command fails, or that does not compile.

GOLDEN = Path(__file__).parent / "golden"


def golden(case: str) -> runs.AgentRun:
    return runs.parse_run("node0", (GOLDEN / f"{case}.out").read_text(), (GOLDEN / f"{case}.err").read_text())


@pytest.mark.parametrize("release", ["puppet-7", "puppet-8"])
class TestOutputOfBothReleases:
    def test_of_a_run_that_changed_nothing(self, release: str) -> None:
        done = golden(f"{release}-unchanged")
        assert (done.exit, done.outcome, done.environment) == (0, "unchanged", "demo")
        assert (done.changed, done.failed, done.skipped, done.errors) == ((), (), (), ())
        assert 1 < done.seconds < 60

    def test_of_a_run_that_changed_a_file(self, release: str) -> None:
        done = golden(f"{release}-changed")
        assert (done.exit, done.outcome) == (2, "changed")
        assert [change.resource for change in done.changed] == ["File[/etc/sirikata-cluster/workdir]"]
        assert done.changed[0].message.startswith("defined content as '{sha256}")

    def test_of_a_run_with_a_command_that_failed(self, release: str) -> None:
        done = golden(f"{release}-failed")
        problem, words = runs.explain(done, "demo")
        assert (done.exit, done.skipped) == (4, ("File[/root/golden]",))
        assert problem == "Puppet failed to apply 1 of its resources, and skipped 1 that depend on them"
        assert words.startswith("Exec[golden: fails]: change from 'notrun' to ['0'] failed")
        assert words.endswith("no space left")

    @pytest.mark.parametrize(
        ("case", "problem", "words"),
        [
            ("not-compiled", "cannot compile its catalog", "Unknown function: 'golden_unknown'"),
            ("no-master", "cannot reach the Puppet master", "Connection refused"),
            ("not-signed", "does not sign its certificate", "waitforcert"),
        ],
    )
    def test_of_a_run_without_a_catalog(self, release: str, case: str, problem: str, words: str) -> None:
        done = golden(f"{release}-{case}")
        said, why = runs.explain(done, "demo")
        assert (done.exit, done.outcome, done.changed) == (1, "failed", ())
        assert problem in said
        assert words in why
