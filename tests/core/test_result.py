"""How the end of a command is reported."""

import pytest

from fabfile.core.result import Result


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (4, "exited with 4"),
        (137, "exited with 137 (killed by SIGKILL)"),
        (255, "exited with 255"),
        (-1, "ended without an exit code"),
    ],
)
def test_the_end_of_a_command_in_words(code: int, words: str) -> None:
    assert Result(code, "", "").ending == words
