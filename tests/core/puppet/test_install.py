"""The program that installs packages on nodes, as scripts for masters and agents include it."""

import subprocess
from pathlib import Path

import pytest

from fabfile.core.templates import render

FAKE_APT = """#!/bin/sh
# Answers like apt-get, the first times with what the file says.
echo "$@" >>"$TRIES"
answer=$(sed -n "$(wc -l <"$TRIES")p" "$ANSWERS")
[ -z "$answer" ] || { echo "$answer" >&2; exit 100; }
"""


@pytest.mark.parametrize(
    ("answers", "code", "tries"),
    [
        ([], 0, 2),
        (["E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1 (apt-get)"] * 7, 0, 9),
        (["", "E: Failed to fetch http://deb.debian.org/x.deb  404  Not Found"], 0, 4),
        (["E: broken"] * 99, 1, 5),
    ],
    ids=["at once", "locked seven times", "a package that is gone", "always broken"],
)
def test_an_installation_that_fails_is_retried(
    tmp_path: Path, answers: list[str], code: int, tries: int
) -> None:
    programs = {
        "apt-get": FAKE_APT,
        "apt-cache": '#!/bin/sh\n[ "$2" = b ]\n',
        "sleep": "#!/bin/sh\n",
        "dpkg": "#!/bin/sh\n",
    }
    for name, text in programs.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "tries").touch()
    (tmp_path / "answers").write_text("".join(line + "\n" for line in answers))
    script = render("puppet/install-packages.sh").replace(
        "/run/sirikata-cluster.apt-lists", str(tmp_path / "fresh")
    )
    environment = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "TRIES": str(tmp_path / "tries"),
        "ANSWERS": str(tmp_path / "answers"),
    }
    done = subprocess.run(
        ["sh", "-c", script, "-", "a|b", "c"], env=environment, capture_output=True, text=True, check=False
    )
    asked = (tmp_path / "tries").read_text().splitlines()
    assert (done.returncode, len(asked)) == (code, tries), done.stderr
    if code:
        assert done.stderr == "E: broken\napt could not install a|b c\n"
    else:
        assert asked[-1].endswith("install b c")
