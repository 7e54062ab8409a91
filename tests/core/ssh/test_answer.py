"""A script runs as `sh` runs it, whatever the login shell, and its answer is told from that shell's words."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabfile.core.ssh.answer import Answer, Call

MARK = "3f2a" * 8
SHELLS = [shell for shell in ("sh", "bash", "zsh", "fish", "tcsh") if shutil.which(shell)]


def called(
    call: Call, stdin: bytes = b"", login: str = "sh", **options: str
) -> tuple[int | None, bytes, bytes]:
    done = subprocess.run(
        [login, "-c", call.command],
        input=call.head + stdin,
        capture_output=True,
        check=False,
        env=options or None,
    )
    out, err = Answer(call.mark), Answer(call.mark)
    found = out.take(done.stdout), err.take(done.stderr)
    assert out.begun and out.ended and err.ended, done
    return out.code, *found


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("root", [False, True])
def test_a_script_gets_its_input_and_gives_both_outputs_and_its_code(shell: str, root: bool) -> None:
    script = (
        "read -r line; echo \"got $line, it's $(cat | wc -c)\"; printf '%s\\n' 'no \\n end' >&2; exit 7\n\n"
    )
    call = Call(script, MARK, root=root)
    if root and subprocess.run(["sh", "-c", '[ "$(id -u)" = 0 ] || sudo -n true'], check=False).returncode:
        pytest.skip("sudo is not free of a password here")
    assert called(call, b"first\nrest", shell) == (7, b"got first, it's 4\n", b"no \\n end\n")


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=200),
    st.binary(max_size=5000),
)
def test_any_text_and_any_input_arrive_as_they_are(text: str, stdin: bytes) -> None:
    script = f"cat <<'{MARK}END'\n{text}\n{MARK[:9]}END\n{MARK}END\ncat >&2"
    assert called(Call(script, MARK), stdin) == (0, f"{text}\n{MARK[:9]}END\n".encode(), stdin)


def test_a_script_may_be_larger_than_an_argument() -> None:
    script = ": " + "x" * 300_000 + "\necho end"
    assert called(Call(script, MARK)) == (0, b"end\n", b"")
    assert called(Call(script, MARK, seconds=60)) == (0, b"end\n", b"")


def test_nothing_of_a_script_is_in_a_command_line_or_the_environment() -> None:
    script = "tr '\\0' ' ' </proc/$PPID/cmdline; cat /proc/$PPID/environ; : s3cret"
    assert b"s3cret" not in called(Call(script, MARK))[1]


@pytest.mark.parametrize(
    ("script", "code"),
    [("kill -9 $$", 137), ("exec sh -c 'kill -9 $$'", 137), ("(", 2), ("set -e; false; true", 1)],
    ids=["the shell", "a program", "a syntax error", "a failed command"],
)
def test_a_script_ends_as_sh_reports_it(script: str, code: int | None) -> None:
    call = Call(script, MARK)
    done = subprocess.run(["sh", "-c", call.command], input=call.head, capture_output=True, check=False)
    assert done.returncode == code
    answer = Answer(MARK)
    answer.take(done.stdout)
    assert answer.code in (code, None)  # none where the shell that would give it is gone


def test_a_script_that_takes_too_long_is_ended_with_what_it_started() -> None:
    script = "cat; sleep 4711 & echo $!; sleep 4712"
    code, out, _ = called(Call(script, MARK, seconds=0.3), b"input\n")
    assert (code, out[:6]) == (124, b"input\n")
    command = Path(f"/proc/{out[6:].decode().strip()}/cmdline")
    assert not (command.exists() and command.read_bytes())  # a zombie has none


def test_a_noisy_login_shell_is_not_heard(tmp_path: Path) -> None:
    noise = tmp_path / "noise"
    noise.write_text("echo Welcome; echo oops >&2; printf 3f2a; trap 'echo bye; echo bye >&2' EXIT\n")
    assert called(Call("echo ok; echo er >&2", MARK), login="bash", BASH_ENV=str(noise)) == (
        0,
        b"ok\n",
        b"er\n",
    )


@given(
    st.binary(max_size=300), st.binary(max_size=300), st.lists(st.integers(1, 9), max_size=80), st.booleans()
)
def test_an_answer_is_the_same_in_whichever_pieces_it_comes(
    noise: bytes, output: bytes, sizes: list[int], almost: bool
) -> None:
    output += MARK[:31].encode() * almost
    whole = noise + f"{MARK}\n".encode() + output + f"{MARK} 0\n".encode() + noise
    answer, found = Answer(MARK), b""
    for size in sizes:
        found, whole = found + answer.take(whole[:size]), whole[size:]
    assert found + answer.take(whole) == output
    assert (answer.code, answer.ended, answer.rest()) == (0, True, b"")


def test_an_output_that_is_cut_off_keeps_what_came() -> None:
    answer = Answer(MARK)
    assert answer.take(f"{MARK}\nhalf {MARK[:5]}".encode()) == b"half "
    assert (answer.rest(), answer.code) == (MARK[:5].encode(), None)
