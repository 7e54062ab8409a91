"""Command lines are split as /bin/sh splits them, here and by the resource agent on the nodes."""

import os
import shlex
import subprocess
from functools import cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fabfile.core import words
from fabfile.core.pacemaker import escaping
from fabfile.core.services import file
from tests.paths import ROOT

AGENT = ROOT / "data/puppet/modules/sirikata_cluster/files/service"

# Neither a surrogate nor a NUL, which no argument can hold.
anything = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
# What stands for itself outside of quotes, in sh too.
letters = st.sampled_from("abcXYZ019_-+=:,./@%é日ß\r\v\u00a0\u3000🐢\x7f")
blanks = st.sampled_from([" ", "\t", "  "])
joined = st.just("\\\n")
escaped = anything.filter(lambda letter: letter != "\n").map("\\{}".format)
single = st.text(anything).map(lambda text: "'" + text.replace("'", "") + "'")
inside = anything.filter(lambda letter: letter not in '"$`\\') | joined | anything.map("\\{}".format)
double = st.lists(inside).map(lambda parts: '"' + "".join(parts) + '"')
whole = st.lists(st.one_of(letters, blanks, joined, escaped, single, double)).map("".join)
# Quotes that may not be closed; so nothing in it may be more than text outside of them either.
broken = st.lists(st.one_of(letters, blanks, st.sampled_from("'\"\\"))).map("".join)


def by_sh(line: str) -> list[str] | None:
    """The words of a command line for /bin/sh; None where it refuses it."""
    script = """eval "set -- $line"; for word; do printf '%s\\0' "$word"; done"""
    return _words(["/bin/sh", "-c", script], line)


def by_agent(line: str) -> list[str] | None:
    """The words that a service starts with on a node."""
    script = f"{_lexer()}\nquoted=$(split_words line plain) || exit\n"
    script += """eval "set -- $quoted"; for word; do printf '%s\\0' "$word"; done"""
    return _words(["/bin/sh", "-c", script], line)


@cache
def _lexer() -> str:
    start = "\nsplit_words() {"
    # Placeholders stand for themselves.
    values = "node=NODE fqdn=FQDN address=ADDRESS workdir=WORKDIR pidfile=PIDFILE"
    return values + start + AGENT.read_text().partition(start)[2].partition("\n}\n")[0] + "\n}\n"


def _words(command: list[str], line: str) -> list[str] | None:
    environment = {"PATH": os.environ["PATH"], "line": line}
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    return None if done.returncode else done.stdout.decode().split("\0")[:-1]


def split(line: str) -> list[str] | None:
    try:
        return words.split(line)
    except ValueError:
        return None


@settings(deadline=None, max_examples=200)
@given(line=whole)
def test_a_command_line_is_split_as_sh_splits_it(line: str) -> None:
    assert words.split(line) == by_sh(line)


@settings(deadline=None, max_examples=200)
@given(line=broken)
def test_incomplete_quotes_are_refused_as_sh_refuses_them(line: str) -> None:
    assume((len(line) - len(line.rstrip("\\"))) % 2 == 0)  # POSIX does not say what sh makes of that
    assert split(line) == by_sh(line)


@settings(deadline=None, max_examples=200)
@given(line=whole)
def test_a_node_starts_the_words_that_were_split_here(line: str) -> None:
    assert by_agent(escaping.encode(line)) == words.split(line)
    assert words.split(escaping.decode(escaping.encode(line))) == words.split(line)


@settings(deadline=None, max_examples=200)
@given(line=whole | broken)
def test_the_agent_reads_what_earlier_versions_stored(line: str) -> None:
    assert by_agent(line.replace("$'", "$ '")) == split(line.replace("$'", "$ '"))


@given(line=whole)
def test_what_a_cluster_holds_cannot_be_split_in_two_ways(line: str) -> None:
    held = escaping.encode(line)
    assert escaping.is_printable(held)
    if "$'" not in held and "\\" not in held.replace("'\"'\"'", ""):
        assert shlex.split(held) == words.split(line)


@given(line=whole)
def test_a_command_line_that_is_read_and_written_stays_the_same(line: str) -> None:
    held = escaping.encode(line)
    assert escaping.encode(escaping.decode(held)) == held
    assert not escaping.is_rewritten(escaping.decode(held))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a b\n", ["a", "b"]),
        ("a \\\n  b \\\n  c\n", ["a", "b", "c"]),
        ("a\\\nb", ["ab"]),
        ('"a\\\nb"', ["ab"]),
        ("'a\\\nb'", ["a\\\nb"]),
        ('"\\$x \\`y\\` \\"z\\" \\\\ \\q"', ['$x `y` "z" \\ \\q']),
        ("$'a' \"$'b'\"", ["$a", "$'b'"]),
        ("a\rb", ["a\rb"]),
    ],
)
def test_quotes_mean_what_they_mean_in_posix(line: str, expected: list[str]) -> None:
    assert words.split(line) == expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [("a 'b", "a quote that is not closed"), ('"', "quote"), ("a\\", "ends in a backslash")],
)
def test_a_command_line_without_an_end_says_what_it_lacks(line: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        words.split(line)


def test_a_command_may_take_several_lines_of_a_file() -> None:
    text = "web:\n  command: |\n    /bin/sh -c 'exit 0' \\\n      --port 80 \\\n      --name \"a b\"\n"
    (web,) = file.read("f", text, 3)
    assert words.split(web.command) == ["/bin/sh", "-c", "exit 0", "--port", "80", "--name", "a b"]
    assert by_agent(escaping.encode(web.command)) == words.split(web.command)
