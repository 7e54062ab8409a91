"""The resource agent ocf:sirikata:service, run by hand on a real machine, as Pacemaker would run it.

Parameters travel over standard input, as a shell script on a command line is itself something that `ps`
shows.
"""

import json
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol
from uuid import uuid4

import pytest

from fabfile.core.services.placeholders import fill

AGENT = "/usr/lib/ocf/resource.d/sirikata/service"

# What the OCF standard calls these exit codes.
SUCCESS, GENERIC, UNIMPLEMENTED, INSTALLED, CONFIGURED, NOT_RUNNING = 0, 1, 3, 5, 6, 7

# What reaching the node and a busy machine may add to an operation, in seconds.
SLACK = 2

# Characters that a shell, systemd, D-Bus or awk gives a meaning to.
ODD_TEXTS = [
    "two words",
    "",
    "it's",
    'say "hello"',
    "$HOME",
    "${HOME}",
    "a$$b",
    "$(touch /run/evaluated)",
    "`touch /run/evaluated`",
    "%h %n %%",
    "; touch /run/evaluated",
    "a|b&c>d<e",
    "*",
    "~",
    "# no comment",
    "!",
    "\\",
    "back\\slash \\n \\x41 \\$",
    "&",
    "first\nsecond",
    "ends in a newline\n",
    "\ttab",
    "grüße, 世界 🌍",
    "--option=value",
    "'\"'\"'",
]


class Result(Protocol):
    exit: int
    out: str
    err: str


class Node(Protocol):
    def sudo(self, script: str, stdin: bytes = b"") -> Result: ...


def quoted(text: str) -> str:
    return shlex.quote(str(text))


@dataclass
class Service:
    """One resource: its parameters, and the agent's operations on it."""

    node: Node
    place: str
    name: str = field(default_factory=lambda: f"test-{uuid4().hex[:8]}")
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        return f"sirikata-service-{self.name}.service"

    def script(self, action: str, limit: float = 60) -> str:
        """What Pacemaker does to have the agent do that: the parameters as variables, then its program."""
        exports = {f"OCF_RESKEY_{name}": value for name, value in self.parameters.items()} | {
            "OCF_ROOT": "/usr/lib/ocf",
            "OCF_RA_VERSION_MAJOR": "1",
            "OCF_RESOURCE_INSTANCE": self.name,
            "OCF_RESKEY_CRM_meta_timeout": str(int(limit * 1000)),
        }
        script = "".join(f"export {name}={quoted(value)}\n" for name, value in exports.items())
        return script + f"exec {AGENT} {action} </dev/null\n"

    def run(self, action: str, limit: float = 60) -> Result:
        return self.node.sudo("exec sh -s", self.script(action, limit).encode())

    def must(self, action: str, limit: float = 60) -> None:
        result = self.run(action, limit)
        assert result.exit == SUCCESS, result.err

    def processes(self) -> list[int]:
        # A control group that is gone has no process.
        found = self.node.sudo(
            f"cat /sys/fs/cgroup/system.slice/{quoted(self.unit)}/cgroup.procs 2>/dev/null"
        )
        return [int(pid) for pid in found.out.split()]

    def main_process(self) -> int:
        return int(self.node.sudo(f"systemctl show --property=MainPID --value {quoted(self.unit)}").out)

    def leftovers(self) -> str:
        """The files and the unit that this resource has on the node, one a line."""
        return self.node.sudo(
            f"find /run/resource-agents -name {quoted('*' + self.unit + '*')};"
            f"systemctl list-units --all --plain --no-legend {quoted(self.unit)}"
        ).out


@pytest.fixture
def place(node: Node) -> Iterator[str]:
    """A directory on the node that everyone may write to."""
    path = node.sudo("d=$(mktemp -d /run/agent-XXXXXX) && chmod 1777 $d && echo $d").out.strip()
    yield path
    node.sudo(f"rm -rf {path}")


@pytest.fixture
def service(node: Node, place: str) -> Iterator[Callable[..., Service]]:
    """Makes services, which are stopped and forgotten after the test."""
    made: list[Service] = []

    def make(command: str | None = "/bin/sleep 1000", name: str = "", **parameters: str) -> Service:
        one = Service(node, place, parameters=parameters)
        if command is not None:
            one.parameters["command"] = command
        if name:
            one.name = name
        made.append(one)
        return one

    yield make
    ends = (f"systemctl kill -s KILL {quoted(each.unit)}\n({each.script('stop', 20)})\n" for each in made)
    node.sudo("exec sh -s", "".join(ends).encode())


def write(node: Node, path: str, text: str, mode: str = "0755") -> str:
    result = node.sudo(f"cat >{quoted(path)} && chmod {mode} {quoted(path)}", text.encode())
    assert result.exit == 0, result.err
    return path


def alive(node: Node, pid: int) -> bool:
    return node.sudo(f"kill -0 {pid}").exit == 0


def wait_for(happened: Callable[[], bool], limit: float = 5) -> None:
    deadline = time.monotonic() + limit
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def reason(result: Result) -> str:
    lines = [line for line in result.err.splitlines() if line.startswith("ocf-exit-reason:")]
    assert len(lines) == 1, f"one reason was expected in {result.err!r}"
    return lines[0].removeprefix("ocf-exit-reason:")


def daemon(node: Node, place: str, child: str = "exec sleep 1000", more: str = "") -> str:
    """A program that goes to the background and writes the process id of its child to its first argument."""
    script = f"#!/bin/sh\nsetsid sh -c {quoted(child)} </dev/null >/dev/null 2>&1 &\necho $! >$1\n{more}\n"
    return write(node, f"{place}/daemon", script)


# --- the agent as a member of its kind ---


def test_the_conformance_tester_passes(node: Node) -> None:
    if node.sudo("command -v ocf-tester && command -v xmllint").exit != 0:
        pytest.skip("this node has no ocf-tester or no xmllint")
    result = node.sudo(f"ocf-tester -v -n conformance -o 'command=/bin/sleep 1000' {AGENT} 2>&1")
    assert result.exit == 0, result.out
    assert "passed all tests" in result.out


def test_the_meta_data_suit_the_document_type(node: Node) -> None:
    if node.sudo("command -v xmllint").exit != 0:
        pytest.skip("this node has no xmllint")
    result = node.sudo(
        f"OCF_ROOT=/usr/lib/ocf {AGENT} meta-data | xmllint --noout --dtdvalid"
        " /usr/share/resource-agents/ra-api-1.dtd -"
    )
    assert result.exit == 0, result.err


def test_an_action_that_the_agent_does_not_have_is_said_to_be_unimplemented(
    service: Callable[..., Service],
) -> None:
    assert service().run("promote").exit == UNIMPLEMENTED


# --- start, monitor, stop ---


def test_a_service_lives_from_its_start_to_its_stop(service: Callable[..., Service]) -> None:
    sleep = service()
    assert sleep.run("monitor").exit == NOT_RUNNING
    sleep.must("start")
    sleep.must("monitor")
    assert len(sleep.processes()) == 1
    sleep.must("stop")
    assert sleep.run("monitor").exit == NOT_RUNNING
    assert sleep.processes() == []
    assert sleep.leftovers() == ""


def test_a_second_start_leaves_the_running_process_alone(service: Callable[..., Service]) -> None:
    sleep = service()
    sleep.must("start")
    before = sleep.main_process()
    sleep.must("start")
    assert sleep.main_process() == before


def test_a_second_stop_succeeds(service: Callable[..., Service]) -> None:
    sleep = service()
    sleep.must("start")
    sleep.must("stop")
    sleep.must("stop")


@pytest.mark.parametrize("name", ["web:0", "web.service", "web@1", "wëb", "a-b_c.d"])
def test_any_name_of_a_resource_gives_a_unit(service: Callable[..., Service], name: str) -> None:
    sleep = service(name=name, env="A=b")
    sleep.must("start")
    sleep.must("monitor")
    sleep.must("stop")
    assert sleep.run("monitor").exit == NOT_RUNNING


def test_a_node_without_the_program_says_that_it_does_not_run_and_stops_it(
    service: Callable[..., Service],
) -> None:
    absent = service("/opt/absent/program", user="nobody-of-that-name", cwd="/absent", pidfile="/absent/pid")
    probe = absent.run("monitor")
    assert (probe.exit, probe.err) == (NOT_RUNNING, "")
    absent.must("stop")


# --- what is refused, and with which code ---


@pytest.mark.parametrize(
    ("parameters", "code", "said"),
    [
        ({"command": ""}, CONFIGURED, "command"),
        ({"command": "  \n "}, CONFIGURED, "command"),
        ({"command": "sleep 1000"}, CONFIGURED, "absolute"),
        ({"command": "./sleep 1000"}, CONFIGURED, "absolute"),
        ({"command": "/bin/sleep '1000"}, CONFIGURED, "quote"),
        ({"command": '/bin/sleep "1000'}, CONFIGURED, "quote"),
        ({"command": "/bin/sleep 1000\\"}, CONFIGURED, "backslash"),
        ({"command": "'/opt/a$b' 1"}, CONFIGURED, "dollar"),
        ({"command": "/bin/sleep $'1000"}, CONFIGURED, "quote"),
        ({"command": "/bin/sleep $'\\q'"}, CONFIGURED, "escape"),
        ({"command": "/bin/sleep $'\\x4'"}, CONFIGURED, "escape"),
        ({"command": "/bin/sleep $'\\x00'"}, CONFIGURED, "escape"),
        ({"env": "A=1 2B=2"}, CONFIGURED, "word 2"),
        ({"env": "A=1 secret"}, CONFIGURED, "word 2"),
        ({"env": "A='1"}, CONFIGURED, "quote"),
        ({"ready": 'test "'}, CONFIGURED, "quote"),
        ({"cwd": "tmp"}, CONFIGURED, "cwd"),
        ({"pidfile": "pid"}, CONFIGURED, "pidfile"),
        ({"log": "log"}, CONFIGURED, "log"),
        ({"stop_signal": "SIGNOTHING"}, CONFIGURED, "stop_signal"),
        ({"start_timeout": "soon"}, CONFIGURED, "start_timeout"),
        ({"memory": "much"}, CONFIGURED, "memory"),
        ({"cpu": "all"}, CONFIGURED, "cpu"),
        ({"cpu": "0"}, CONFIGURED, "cpu"),
        ({"ready": "tcp:http"}, CONFIGURED, "tcp:http"),
        ({"health": "tcp::0"}, CONFIGURED, "tcp::0"),
        ({"health": "http://:80/"}, CONFIGURED, "http://:80/"),
        ({"health": "http://host:99999/"}, CONFIGURED, "99999"),
        ({"stop_timeout": "soon"}, CONFIGURED, "stop_timeout"),
        ({"stop_timeout": "0"}, CONFIGURED, "stop_timeout"),
        ({"command": "/opt/absent/program"}, INSTALLED, "/opt/absent/program"),
        ({"command": "/etc/passwd"}, INSTALLED, "/etc/passwd"),
        ({"command": "/tmp"}, INSTALLED, "/tmp"),
        ({"user": "nobody-of-that-name"}, INSTALLED, "nobody-of-that-name"),
        ({"cwd": "/absent"}, INSTALLED, "/absent"),
        ({"log": "/absent/log"}, INSTALLED, "/absent/"),
        ({"ready": "no-such-program --now"}, INSTALLED, "no-such-program"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_a_wrong_parameter_differs_from_a_node_that_lacks_something(
    service: Callable[..., Service], parameters: dict[str, str], code: int, said: str
) -> None:
    wrong = service(**parameters)
    for action in ("validate-all", "start"):
        result = wrong.run(action)
        assert result.exit == code, result.err
        assert said in reason(result)
        assert "secret" not in result.err
    assert wrong.processes() == []


def test_no_command_at_all_is_a_wrong_configuration(service: Callable[..., Service]) -> None:
    assert service(None).run("validate-all").exit == CONFIGURED


def test_right_parameters_are_valid(service: Callable[..., Service]) -> None:
    service(user="nobody", cwd="/tmp", env="A=b", ready="true", log="/tmp/log", stop_signal="INT").must(
        "validate-all"
    )


# --- quoting ---


def received(
    node: Node, service: Callable[..., Service], place: str, written: str, **parameters: str
) -> list[str]:
    """The arguments that a program gets for a command line."""
    show = write(
        node,
        f"{place}/show",
        f'#!/bin/sh\n{{ printf "%s\\0" "$@"; env -0; }} >{place}/part\n'
        f"[ $# -gt 0 ] || : >{place}/part\nmv {place}/part {place}/whole\nexec sleep 1000\n",
    )
    service(f"{show} {written}", ready=f"test -e {place}/whole", **parameters).must("start")
    whole = bytes.fromhex(node.sudo(f"od -An -v -tx1 {place}/whole").out).decode()
    return whole.split("\0")[:-1]


def test_quoted_words_arrive_as_they_are(node: Node, service: Callable[..., Service], place: str) -> None:
    got = received(node, service, place, shlex.join([*ODD_TEXTS, "end"]))
    assert got[: len(ODD_TEXTS) + 1] == [*ODD_TEXTS, "end"]
    assert node.sudo("test -e /run/evaluated").exit != 0


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("a  b\tc\nd", ["a", "b", "c", "d"]),
        ("a\\ b", ["a b"]),
        ("a\\\nb", ["ab"]),
        ("a\"b c\"'d e'f", ["ab cd ef"]),
        ('"\\"\\\\\\$\\`\\a"', ['"\\$`\\a']),
        ("'\\'", ["\\"]),
        ("'' \"\"", ["", ""]),
        ("$'a\\nb\\tc\\rd' x$'\\'\\\"\\\\'y $'' $'$HOME'", ["a\nb\tc\rd", "x'\"\\y", "", "$HOME"]),
        ("$'gr\\xc3\\xbc\\xC3\\x9fe \\x41\\x7f'", ["grüße A\x7f"]),
        ("\"$'a'\" '$'b $", ["$'a'", "$b", "$"]),
        ("$HOME ${HOME} $$ $(id) `id`", ["$HOME", "${HOME}", "$$", "$(id)", "`id`"]),
        ("a;b | c & d > /run/evaluated", ["a;b", "|", "c", "&", "d", ">", "/run/evaluated"]),
        ("/etc/* ~ {a,b} # x", ["/etc/*", "~", "{a,b}", "#", "x"]),
        ("%n %i %%", ["%n", "%i", "%%"]),
    ],
)
def test_a_command_line_is_split_as_a_shell_does_and_never_expanded(
    node: Node, service: Callable[..., Service], place: str, written: str, words: list[str]
) -> None:
    assert received(node, service, place, f"{written} end")[: len(words) + 1] == [*words, "end"]
    assert node.sudo("test -e /run/evaluated").exit != 0


def test_the_shell_of_a_command_that_names_one_works(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    inner = f'echo "$((6 * 7)) $A" | cat >{place}/answer; exec sleep 1000'
    service(f"/bin/sh -c {quoted(inner)}", env="A='x  y'", ready=f"test -s {place}/answer").must("start")
    assert node.sudo(f"cat {place}/answer").out == "42 x  y\n"


# --- the environment ---


def test_variables_arrive_as_they_are(node: Node, service: Callable[..., Service], place: str) -> None:
    variables = [f"ODD{index}={text}" for index, text in enumerate(ODD_TEXTS)]
    got = received(node, service, place, "x", env=f"FIRST=1 {shlex.join(variables)}\nFIRST=2")
    assert {entry for entry in got if entry.startswith("ODD")} == set(variables)
    assert "FIRST=2" in got and "FIRST=1" not in got
    assert node.sudo("test -e /run/evaluated").exit != 0


def test_the_command_to_tell_readiness_runs_like_the_service(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    check = write(
        node, f"{place}/check", f'#!/bin/sh\necho "$(id -un) $(id -gn) $PWD $ODD $user $HOME" >{place}/seen\n'
    )
    service(user="daemon", cwd="/usr", env="ODD='a $b' user=x", ready=check).must("start")
    assert node.sudo(f"cat {place}/seen").out == "daemon daemon /usr a $b x /usr/sbin\n"


def test_variables_do_not_reach_what_root_runs(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    # Such as a path of libraries that the user may write to.  These two have each process leave a file of its
    # user.
    debug = f"LD_DEBUG=files LD_DEBUG_OUTPUT={place}/debug"
    service(user="nobody", env=f"{debug} PATH=/absent", ready="/bin/true").must("start")
    assert set(node.sudo(f"stat -c %U {place}/debug.*").out.split()) == {"nobody"}


def test_no_one_else_can_read_a_variable(node: Node, service: Callable[..., Service], place: str) -> None:
    # Looks for the secret all the while as an ordinary user, without having it in a command line itself.
    spy = write(
        node,
        f"{place}/spy",
        "#!/bin/sh\n"
        "while :; do {\n"
        "  cat /proc/[0-9]*/cmdline /run/resource-agents/* /run/systemd/transient/*\n"
        "  systemctl show 'sirikata-service-*'\n"
        f"}} 2>/dev/null | tr '\\0' '\\n' | grep -aq 'hunter[2]' && : >{place}/found\n"
        f": >{place}/looked; done\n",
    )
    node.sudo(f"systemd-run --quiet --unit=spy-test -p User=nobody {spy}")
    try:
        wait_for(lambda: node.sudo(f"test -e {place}/looked").exit == 0)
        secret = service(env="PASSWORD=hunter2", ready=f"test -e {place}/never")
        assert secret.run("start", limit=4).exit == GENERIC
        secret.parameters["ready"] = "true"
        secret.must("start")
        environment = node.sudo(f"tr '\\0' '\\n' </proc/{secret.main_process()}/environ").out
        assert "PASSWORD=hunter2" in environment.splitlines()
        secret.must("stop")
    finally:
        node.sudo("systemctl kill -s KILL spy-test; systemctl stop spy-test; systemctl reset-failed spy-test")
    assert node.sudo(f"test -e {place}/found").exit != 0
    assert secret.leftovers() == ""


# --- user, directory, log ---


@pytest.mark.parametrize("user", ["daemon", "1"])
def test_a_service_runs_as_its_user_in_its_directory(
    node: Node, service: Callable[..., Service], place: str, user: str
) -> None:
    inner = f'echo "$(id -un) $(id -Gn) $PWD $USER" >{place}/seen; exec sleep 1000'
    ready = f"/bin/sh -c 'test $USER = daemon && test -s {place}/seen'"
    service(f"/bin/sh -c {quoted(inner)}", user=user, cwd="/usr/lib", ready=ready).must("start")
    assert node.sudo(f"cat {place}/seen").out == "daemon daemon /usr/lib daemon\n"


@pytest.mark.parametrize(
    "odd", ["a b", "$HOME", "%h", "back\\x41slash", "*?[a]", "grüße", 'it\'s "so"', "a:b", "-x", "~"]
)
def test_paths_may_have_odd_names(node: Node, service: Callable[..., Service], place: str, odd: str) -> None:
    directory = f"{place}/{odd}"
    node.sudo(f"mkdir -p {quoted(directory)}")
    program = daemon(node, directory, child="exec sleep 1000", more="pwd").replace("'", "'\\''")
    if "$" in odd:
        program = daemon(node, place, child="exec sleep 1000", more="pwd")
    forked = service(
        f"'{program}' {quoted(directory + '/pid')}",
        cwd=directory,
        pidfile=f"{directory}/pid",
        log=f"{directory}/log",
    )
    forked.must("start")
    forked.must("monitor")
    assert node.sudo(f"cat {quoted(directory + '/log')}").out == f"{directory}\n"
    forked.must("stop")
    assert node.sudo(f"test -e {quoted(directory + '/pid')}").exit != 0


def test_a_log_gets_output_and_errors_after_what_it_has(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    log = write(node, f"{place}/the log", "old\n", "0644")
    inner = "echo out; echo err >&2; exec sleep 1000"
    service(f"/bin/sh -c {quoted(inner)}", user="nobody", log=log).must("start")
    assert node.sudo(f"cat {quoted(log)}").out == "old\nout\nerr\n"


# --- starts that fail ---


@pytest.mark.parametrize("logged", [False, True], ids=["journal", "log"])
def test_a_command_that_ends_at_once_fails_to_start_with_its_last_words(
    service: Callable[..., Service], place: str, logged: bool
) -> None:
    inner = "echo unimportant; echo; echo 'cannot bind 100% of <port> \"80\" — ende' >&2; exit 1"
    parameters = {"log": f"{place}/log"} if logged else {}
    broken = service(f"/bin/sh -c {quoted(inner)}", **parameters)
    result = broken.run("start")
    assert result.exit == GENERIC
    assert "status 1" in reason(result)
    # The XML that Pacemaker 2.1 makes of a reason is only sound without certain characters.
    assert "cannot bind 100% of (port) '80' — ende" in reason(result)
    assert broken.run("monitor").exit == NOT_RUNNING
    assert broken.leftovers() == ""


def test_last_words_are_not_those_of_an_earlier_start(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    broken = service("/bin/sh -c 'echo first; exit 1'")
    assert "first" in reason(broken.run("start"))
    broken.parameters["command"] = "/bin/sh -c 'echo second; exit 2'"
    later = reason(broken.run("start"))
    assert "second" in later and "first" not in later


def test_a_command_that_ends_well_but_at_once_fails_to_start(service: Callable[..., Service]) -> None:
    result = service("/bin/sh -c 'echo done already'").run("start")
    assert result.exit == GENERIC
    assert "done already" in reason(result)


@pytest.mark.parametrize("logged", [False, True], ids=["journal", "log"])
@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("#!/bin/sh\nsleep 1000\n", "0700", "Permission denied"),
        ("#!/absent/interpreter\n", "0755", "No such file"),
        ("\x7fELF no", "0755", "Exec format error"),
    ],
)
def test_a_program_that_cannot_be_executed_fails_to_start(
    node: Node, service: Callable[..., Service], place: str, text: str, mode: str, said: str, logged: bool
) -> None:
    program = write(node, f"{place}/program", text, mode)
    parameters = {"log": f"{place}/log"} if logged else {}
    result = service(program, user="nobody", **parameters).run("start")
    assert result.exit == GENERIC
    assert program in reason(result)
    assert said in reason(result)


def test_a_service_that_is_never_ready_fails_in_time_and_is_gone(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    check = write(node, f"{place}/check", "#!/bin/sh\necho port 80 is closed >&2; exit 7\n")
    slow = service("/bin/sh -c 'echo still loading; exec sleep 1000'", ready=check)
    began = time.monotonic()
    result = slow.run("start", limit=4)
    assert time.monotonic() - began < 4 + SLACK
    assert result.exit == GENERIC
    for said in ("not become ready", "status 7", "port 80 is closed", "still loading"):
        assert said in reason(result)
    assert slow.processes() == []
    assert slow.leftovers() == ""


def test_a_check_that_hangs_does_not_hold_up_the_start(service: Callable[..., Service]) -> None:
    hung = service("/bin/sh -c 'trap \"\" TERM; while :; do sleep 1; done'", ready="sleep 1000")
    began = time.monotonic()
    assert hung.run("start", limit=6).exit == GENERIC
    assert time.monotonic() - began < 6 + SLACK
    assert hung.processes() == []


def test_a_start_waits_until_the_service_is_ready(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    inner = f"sleep 1; touch {place}/up; exec sleep 1000"
    service(f"/bin/sh -c {quoted(inner)}", ready=f"test -e {place}/up").must("start")
    assert node.sudo(f"test -e {place}/up").exit == 0


def test_a_service_that_dies_while_it_gets_ready_fails_at_once(service: Callable[..., Service]) -> None:
    began = time.monotonic()
    result = service("/bin/sh -c 'sleep 1; echo no memory; exit 3'", ready="false").run("start")
    assert time.monotonic() - began < 5 + SLACK
    assert result.exit == GENERIC
    assert "status 3" in reason(result) and "no memory" in reason(result)


# --- crashes ---


def test_a_killed_main_process_is_seen_and_started_again(node: Node, service: Callable[..., Service]) -> None:
    sleep = service()
    sleep.must("start")
    node.sudo(f"kill -9 {sleep.main_process()}")
    seen = sleep.run("monitor")
    assert seen.exit == NOT_RUNNING
    assert "signal 9" in reason(seen)
    sleep.must("stop")
    sleep.must("start")
    sleep.must("monitor")


def test_a_stop_after_a_crash_leaves_nothing(node: Node, service: Callable[..., Service]) -> None:
    sleep = service(env="A=b")
    sleep.must("start")
    node.sudo(f"kill -9 {sleep.main_process()}")
    sleep.must("stop")
    assert sleep.leftovers() == ""


def test_a_start_after_a_crash_needs_no_stop(node: Node, service: Callable[..., Service]) -> None:
    sleep = service()
    sleep.must("start")
    node.sudo(f"kill -9 {sleep.main_process()}")
    sleep.must("start")
    sleep.must("monitor")


def test_children_do_not_pass_for_the_main_process_and_end_with_it(
    node: Node, service: Callable[..., Service]
) -> None:
    family = service(
        "/bin/sh -c '(trap \"\" TERM; while :; do sleep 1; done) & exec sleep 1000'", stop_timeout="2"
    )
    family.must("start")
    assert len(family.processes()) >= 2
    node.sudo(f"kill -9 {family.main_process()}")
    # The stubborn child still runs: the service is neither up nor gone, and must not be started elsewhere.
    assert family.run("monitor").exit == GENERIC
    family.must("stop")
    assert family.processes() == []
    assert family.run("monitor").exit == NOT_RUNNING


def test_what_forked_away_is_gone_after_a_stop(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    stray = f"(setsid sh -c '(sleep 1000 & echo $! >{place}/stray) &' &) ; exec sleep 1000"
    family = service(f"/bin/sh -c {quoted(stray)}", ready=f"test -s {place}/stray")
    family.must("start")
    pid = int(node.sudo(f"cat {place}/stray").out)
    assert alive(node, pid)
    family.must("stop")
    assert not alive(node, pid)


def test_an_interrupted_start_is_undone_by_a_stop(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    slow = write(node, f"{place}/slow", "#!/bin/sh\nsleep 1000\n")
    hung = service(slow, pidfile=f"{place}/pid", env="A=b")
    exports = "".join(
        f"export OCF_RESKEY_{name}={quoted(value)}\n" for name, value in hung.parameters.items()
    )
    script = (
        f"export OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE={hung.name}\n{exports}timeout -s KILL 1 {AGENT}"
        " start\n"
    )
    node.sudo("exec sh -s", script.encode())
    assert hung.run("monitor").exit == GENERIC
    hung.must("stop")
    assert hung.run("monitor").exit == NOT_RUNNING
    assert hung.leftovers() == ""


# --- what stands for something of the node ---


def test_placeholders_are_filled_in_on_the_node(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    odd = [
        "NODE,NODES my_NODE NODE=FQDN $NODE ${NODE} ADDRESS:1 (PIDFILE)",
        "NODE",
        "in a NODE",
        "PIDFILE",
        "WORKDIR/x",
    ]
    script = (
        '#!/bin/sh\n{ printf "%s\\n" "$@" "$B"; pwd; } >$C/out\nsleep 1000 >/dev/null 2>&1 &\necho $! >"$4"\n'
    )
    program = write(node, f"{place}/show", script)
    node.sudo(f"mkdir {place}/node2")
    filled = service(
        shlex.join([program, *odd]),
        env=f"B='at ADDRESS' NODE=NODE C={place}",
        cwd=f"{place}/NODE",
        log=f"{place}/NODE.log",
        ready=f"test -s {place}/out -a NODE = node2",
    )
    filled.must("start")
    conf = node.sudo("cat /etc/corosync/corosync.conf").out
    cluster = conf.partition("cluster_name: ")[2].split()[0]
    address = conf.partition("name: node2")[2].partition("ring0_addr: ")[2].split()[0]
    values = {"NODE": "node2", "FQDN": f"node2.{cluster}", "ADDRESS": address}
    values["WORKDIR"] = node.said("cat /etc/sirikata-cluster/workdir")
    values["PIDFILE"] = f"/run/sirikata/{filled.name}/pid"
    shown = node.sudo(f"cat {place}/out").out.splitlines()
    assert shown == [*(fill(text, values) for text in odd), f"at {address}", f"{place}/node2"]
    assert node.sudo(f"test -e {place}/node2.log").exit == 0


def test_a_command_that_names_its_pid_file_goes_to_the_background(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    program = write(
        node, f"{place}/forks", '#!/bin/sh\nsleep 1000 </dev/null >/dev/null 2>&1 &\necho $! >"$1"\n'
    )
    forks = service(f"{program} PIDFILE", user="nobody")
    forks.must("start")
    forks.must("monitor")
    pid = int(node.sudo(f"cat /run/sirikata/{forks.name}/pid").out)
    assert pid in forks.processes()
    assert node.sudo(f"stat -c %U /run/sirikata/{forks.name}").out.strip() == "nobody"
    node.sudo(f"kill -9 {pid}")
    wait_for(lambda: forks.run("monitor").exit == NOT_RUNNING)
    forks.must("stop")
    assert node.sudo(f"test -e /run/sirikata/{forks.name}").exit != 0


# --- probes over the network, and health ---

# Answers every connection with the bytes in a file; the status is changed by writing that.
SERVER = """#!/usr/bin/python3
import socket, sys, time
time.sleep(float(sys.argv[3]))
s = socket.socket(socket.AF_INET6)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("::", int(sys.argv[1])))
s.listen(50)
while True:
    c, _ = s.accept()
    said = open(sys.argv[2], "rb").read()
    if said:
        try:
            c.recv(9999)
            c.sendall(said)
        except OSError:
            pass
    c.close()
"""


@pytest.mark.parametrize(
    ("probe", "answer", "passes"),
    [
        ("tcp:7801", "", True),
        ("tcp:ADDRESS:7801", "", True),
        ("tcp:[::1]:7801", "", True),
        ("tcp:7802", "", False),
        ("http://localhost:7801/x?a=b&c=$d", "HTTP/1.1 200 OK\r\n\r\nbody", True),
        ("http://[::1]:7801", "HTTP/1.0 302 Found\r\n\r\n", True),
        ("http://127.0.0.1:7801/", "HTTP/1.1 503 Busy\r\n\r\n", False),
        ("http://127.0.0.1:7801/", "SSH-2.0-OpenSSH\r\n", False),
        ("http://127.0.0.1:7801/", "", False),
    ],
)
def test_a_probe_asks_over_the_network(
    node: Node, service: Callable[..., Service], place: str, probe: str, answer: str, passes: bool
) -> None:
    program = write(node, f"{place}/server", SERVER)
    write(node, f"{place}/answer", answer)
    server = service(f"{program} 7801 {place}/answer 0.5", ready=probe, start_timeout="20" if passes else "3")
    result = server.run("start")
    assert result.exit == (SUCCESS if passes else GENERIC), result.err
    if not passes:
        assert "did not become ready in 3 s" in reason(result)
        assert probe in reason(result)
        assert server.processes() == []


def test_without_a_readiness_probe_a_start_waits_for_health(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    program = write(node, f"{place}/server", SERVER)
    write(node, f"{place}/answer", "")
    slow = service(f"{program} 7803 {place}/answer 2", health="tcp:7803")
    slow.must("start")
    slow.must("monitor")


def test_a_service_that_lives_and_does_not_serve_is_seen(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    program = write(node, f"{place}/server", SERVER)
    write(node, f"{place}/answer", "HTTP/1.1 200 OK\r\n\r\n")
    sick = service(f"{program} 7804 {place}/answer 0", health="http://127.0.0.1:7804/health")
    sick.must("start")
    sick.must("monitor")
    write(node, f"{place}/answer", "HTTP/1.1 500 Sorry\r\n\r\n")
    result = sick.run("monitor", limit=20)
    assert result.exit == GENERIC
    assert "HTTP/1.1 500 Sorry" in reason(result)
    assert len(sick.processes()) == 1
    assert "probe" not in node.sudo(f"ls /run/resource-agents | grep {sick.name}").out


def test_a_hiccup_is_no_reason_to_restart(node: Node, service: Callable[..., Service], place: str) -> None:
    tries = f"n=$(cat {place}/tries); echo $((n + 1)) >{place}/tries; test $n != 1"
    node.sudo(f"echo 0 >{place}/tries; chmod 666 {place}/tries")
    hiccups = service(health=f"/bin/sh -c {quoted(tries)}", user="nobody")
    hiccups.must("start")
    hiccups.must("monitor")
    assert node.sudo(f"cat {place}/tries").out.strip() == "3"


def test_a_health_probe_that_hangs_is_a_failure_in_time(service: Callable[..., Service]) -> None:
    hangs = service(health="/bin/sleep 1000", ready="true")
    hangs.must("start")
    began = time.monotonic()
    result = hangs.run("monitor", limit=5)
    assert time.monotonic() - began < 5 + SLACK
    assert result.exit == GENERIC
    assert "/bin/sleep timed out" in reason(result)


# --- limits ---

HOG = (
    "#!/usr/bin/python3\nimport time\nx = bytearray(150 << 20)\nfor i in range(0, len(x), 4096): x[i] ="
    " 1\ntime.sleep(1000)\n"
)


def test_a_service_beyond_its_memory_does_not_go_on(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    hog = service(write(node, f"{place}/hog", HOG), memory="100M")
    hog.run("start")
    wait_for(lambda: hog.run("monitor").exit != SUCCESS, limit=20)
    result = hog.run("monitor")
    # By the kernel, or by the monitor where that has no memory controller.
    assert (result.exit, "memory" in reason(result)) == (GENERIC, True) or not hog.processes()
    hog.must("stop")
    modest = service(f"{place}/hog", memory="1G")
    modest.must("start")
    time.sleep(1)
    modest.must("monitor")


@pytest.mark.parametrize(("cpu", "quota"), [("150%", "1.500000s"), ("0.25", "250ms")])
def test_limits_reach_systemd(node: Node, service: Callable[..., Service], cpu: str, quota: str) -> None:
    limited = service(cpu=cpu, memory="64M")
    limited.must("start")
    found = node.sudo(
        f"systemctl show -p CPUQuotaPerSecUSec -p MemoryMax -p MemorySwapMax {limited.unit}"
    ).out.split()
    assert set(found) == {f"CPUQuotaPerSecUSec={quota}", f"MemoryMax={64 << 20}", "MemorySwapMax=0"}


# --- stops ---


@pytest.mark.parametrize("stop_signal", ["SIGINT", "USR1"])
def test_a_stop_sends_the_signal_that_was_asked_for(
    node: Node, service: Callable[..., Service], place: str, stop_signal: str
) -> None:
    name = stop_signal.removeprefix("SIG")
    inner = f"trap 'echo {name} >{place}/got; exit' {name}; : >{place}/up; while :; do sleep 0.1; done"
    polite = service(f"/bin/sh -c {quoted(inner)}", stop_signal=stop_signal, ready=f"test -e {place}/up")
    polite.must("start")
    polite.must("stop")
    assert node.sudo(f"cat {place}/got").out == f"{name}\n"


@pytest.mark.parametrize(
    ("stop_timeout", "limit"), [("1", 40), ("60", 4)], ids=["own limit", "limit of the operation"]
)
def test_a_service_that_ignores_its_signal_is_killed(
    node: Node, service: Callable[..., Service], place: str, stop_timeout: str, limit: int
) -> None:
    inner = f"trap '' TERM; : >{place}/up; while :; do sleep 1; done"
    deaf = service(f"/bin/sh -c {quoted(inner)}", stop_timeout=stop_timeout, ready=f"test -e {place}/up")
    deaf.must("start")
    began = time.monotonic()
    deaf.must("stop", limit)
    assert time.monotonic() - began < 4 + SLACK
    assert deaf.processes() == []
    assert deaf.leftovers() == ""


# --- commands that daemonize ---


def test_a_daemon_is_followed_by_its_pid_file(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    pidfile = f"{place}/the pid"
    forked = service(f"{daemon(node, place)} {quoted(pidfile)}", pidfile=pidfile)
    forked.must("start")
    forked.must("monitor")
    assert int(node.sudo(f"cat {quoted(pidfile)}").out) in forked.processes()
    forked.must("start")
    forked.must("stop")
    assert forked.run("monitor").exit == NOT_RUNNING
    assert forked.processes() == []
    assert node.sudo(f"test -e {quoted(pidfile)}").exit != 0


def test_a_daemon_of_another_user_may_write_its_pid_file_late(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    child = f"sleep 1; echo $$ >{place}/pid; exec sleep 1000"
    program = daemon(node, place, child)
    service(f"{program} /dev/null", user="nobody", pidfile=f"{place}/pid").must("start")


def test_a_daemon_that_dies_is_seen(node: Node, service: Callable[..., Service], place: str) -> None:
    forked = service(f"{daemon(node, place)} {place}/pid", pidfile=f"{place}/pid")
    forked.must("start")
    node.sudo(f"kill -9 $(cat {place}/pid)")
    wait_for(lambda: forked.run("monitor").exit == NOT_RUNNING)
    forked.must("start")
    forked.must("monitor")


def test_children_of_a_daemon_do_not_pass_for_it_and_end_in_a_stop(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    program = daemon(node, place, more="setsid sleep 1001 </dev/null >/dev/null 2>&1 &")
    forked = service(f"{program} {place}/pid", pidfile=f"{place}/pid")
    forked.must("start")
    assert len(forked.processes()) == 2
    node.sudo(f"kill -9 $(cat {place}/pid)")
    wait_for(lambda: forked.run("monitor").exit == GENERIC)
    assert len(forked.processes()) == 1
    forked.must("stop")
    assert forked.processes() == []


@pytest.mark.parametrize("pid", ["1", "stranger", "", "-1", "99999999", "words"])
def test_a_reused_pid_is_not_taken_for_the_service(
    node: Node, service: Callable[..., Service], place: str, pid: str
) -> None:
    node.sudo("systemd-run --quiet --unit=stranger-test sleep 1000")
    try:
        stranger = int(node.sudo("systemctl show --property=MainPID --value stranger-test").out)
        forked = service(f"{daemon(node, place)} {place}/pid", pidfile=f"{place}/pid")
        forked.must("start")
        write(node, f"{place}/pid", f"{stranger if pid == 'stranger' else pid}\n", "0644")
        assert forked.run("monitor").exit == GENERIC
        forked.must("stop")
        # The stale file of a machine that went down, say.
        write(node, f"{place}/pid", f"{stranger if pid == 'stranger' else pid}\n", "0644")
        assert forked.run("monitor").exit == NOT_RUNNING
        forked.must("start")
        forked.must("monitor")
        forked.must("stop")
        assert alive(node, stranger)
    finally:
        node.sudo("systemctl stop stranger-test")


def test_a_daemon_that_names_a_stranger_fails_and_the_stranger_lives(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    node.sudo("systemd-run --quiet --unit=stranger-test sleep 1000")
    try:
        stranger = int(node.sudo("systemctl show --property=MainPID --value stranger-test").out)
        program = daemon(node, place, more=f"echo {stranger} >$1")
        liar = service(f"{program} {place}/pid", pidfile=f"{place}/pid")
        result = liar.run("start", limit=4)
        assert result.exit == GENERIC
        assert f"{place}/pid" in reason(result)
        assert liar.processes() == []
        assert alive(node, stranger)
    finally:
        node.sudo("systemctl stop stranger-test")


def test_a_daemon_that_fails_before_it_forks_shows_its_last_words(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    program = write(node, f"{place}/broken", "#!/bin/sh\necho the licence has expired >&2\nexit 4\n")
    result = service(program, pidfile=f"{place}/pid").run("start")
    assert result.exit == GENERIC
    assert "the licence has expired" in reason(result)


def test_a_daemon_that_stays_in_the_foreground_fails_to_start_in_time(
    service: Callable[..., Service], place: str
) -> None:
    stays = service("/bin/sleep 1000", pidfile=f"{place}/pid")
    began = time.monotonic()
    result = stays.run("start", limit=4)
    assert time.monotonic() - began < 4 + SLACK
    assert result.exit == GENERIC
    assert "background" in reason(result)
    assert stays.processes() == []


# --- systemd around it ---


def test_a_service_outlives_a_reload_of_systemd(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    forked = service(
        f"{daemon(node, place)} {place}/pid 'a $b'", pidfile=f"{place}/pid", env="A='$b %n \"c\"'"
    )
    forked.must("start")
    node.sudo("systemctl daemon-reload")
    forked.must("monitor")
    forked.must("stop")
    assert forked.leftovers() == ""


def test_a_systemd_that_executes_itself_anew_fails_no_operation(
    node: Node, service: Callable[..., Service], place: str
) -> None:
    forked = service(f"{daemon(node, place)} {place}/pid", pidfile=f"{place}/pid")
    storm = f"touch {place}/on; while [ -e {place}/on ]; do systemctl daemon-reexec; sleep 0.3; done"
    node.sudo(f"systemd-run --quiet --collect --service-type=exec sh -c '{storm}'")
    try:
        for action in ("start", "monitor", "monitor", "monitor", "stop"):
            forked.must(action)
    finally:
        node.sudo(f"rm -f {place}/on")
    assert forked.leftovers() == ""


def test_a_machine_that_shuts_down_lets_pacemaker_end_before_the_service(
    node: Node, service: Callable[..., Service]
) -> None:
    sleep = service()
    sleep.must("start")
    before = node.sudo(f"systemctl show --property=Before --value {sleep.unit}").out.split()
    assert {"pacemaker.service", "pacemaker_remote.service", "shutdown.target"} <= set(before)
