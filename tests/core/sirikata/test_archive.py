"""What may be in an archive of Sirikata."""

import pytest

from fabfile.core.sirikata import archive
from fabfile.core.sirikata.archive import Entry

GOOD = [
    Entry(path="bin", kind="folder"),
    Entry(path="bin/space", kind="file", executable=True),
    Entry(path="lib/libsirikata.so.0", kind="file"),
    Entry(path="lib/libsirikata.so", kind="link", target="libsirikata.so.0"),
    Entry(path="share/data", kind="link", target="../lib/./libsirikata.so"),
]


def problems(*more: Entry, entries: list[Entry] = GOOD) -> list[str]:
    return [str(problem) for problem in archive.problems("build", [*entries, *more], archive.FOLDERS)]


def test_a_build_is_sound_also_when_its_folders_are_only_implied() -> None:
    assert problems() == []


def test_every_problem_is_reported_at_once() -> None:
    found = problems(
        Entry(path="lib/away", kind="link", target="/usr/lib/libc.so.6"),
        Entry(path="lib/out", kind="link", target="../../secret"),
        Entry(path="lib/nothing", kind="link", target="libgone.so"),
        Entry(path="lib/round", kind="link", target="round"),
        Entry(path="share/pipe", kind="other", what="a pipe"),
        Entry(path="share/twin", kind="hard link", target="share/none"),
        Entry(path="../evil", kind="file"),
        Entry(path="/etc/passwd", kind="file"),
    )
    assert len(found) == 8
    assert "'lib/away' is a link to '/usr/lib/libc.so.6': make it relative" in " ".join(found)
    assert "'share/pipe' is a pipe" in " ".join(found)
    assert sum("outside" in text for text in found) == 2
    assert sum("not in the archive" in text for text in found) == 4


def test_what_is_missing_at_the_top_is_named_with_what_is_there() -> None:
    found = problems(entries=[Entry(path="sirikata/bin/space", kind="file", executable=True)])
    assert len(found) == 1
    assert "build: no bin/, no lib/, no share/ at the top, only sirikata." in found[0]


@pytest.mark.parametrize(
    ("program", "fits"),
    [
        (Entry(path="bin/space", kind="file"), False),
        (Entry(path="bin/deep/space", kind="file", executable=True), False),
        (Entry(path="bin/space", kind="link", target="../lib/space"), True),
        (Entry(path="bin/space", kind="hard link", target="lib/space"), True),
    ],
)
def test_a_program_in_bin_must_be_executable(program: Entry, fits: bool) -> None:
    rest = [Entry(path="lib/space", kind="file", executable=True), Entry(path="share", kind="folder")]
    found = problems(entries=[Entry(path="bin", kind="folder"), program, *rest])
    assert found == ([] if fits else ["build: no file in bin/ is executable: chmod +x the programs"])


def test_many_problems_are_counted_and_not_all_listed() -> None:
    found = problems(*(Entry(path=f"lib/{n}", kind="link", target="/x") for n in range(100)))
    assert len(found) == 21
    assert "80 more" in found[-1]
