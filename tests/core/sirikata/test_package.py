"""Packages of Sirikata: what may be in one, checksums, versions, and which services run from the one in use."""

import subprocess
from pathlib import Path

import pytest

from fabfile.core.services.service import Service
from fabfile.core.sirikata import archive as package
from fabfile.core.sirikata.archive import Entry, Release
from fabfile.core.spec.cluster import ClusterSpec, validate

A, B = "a" * 64, "b" * 64
GOOD = [
    Entry(path="bin", kind="folder"),
    Entry(path="bin/space", kind="file", executable=True),
    Entry(path="lib/libsirikata.so.0", kind="file"),
    Entry(path="lib/libsirikata.so", kind="link", target="libsirikata.so.0"),
    Entry(path="share/data", kind="link", target="../lib/./libsirikata.so"),
]


def problems(*more: Entry, entries: list[Entry] = GOOD) -> list[str]:
    return package.problems("build", [*entries, *more], package.FOLDERS)


def test_a_build_is_a_package_also_when_its_folders_are_only_implied() -> None:
    assert problems() == []


def test_every_problem_is_told_at_once() -> None:
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
    assert sum("outside" in one for one in found) == 2
    assert sum("not in the package" in one for one in found) == 3


def test_what_is_missing_at_the_top_is_named_with_what_is_there() -> None:
    found = problems(entries=[Entry(path="sirikata/bin/space", kind="file", executable=True)])
    assert len(found) == 1
    assert "build has no bin/, no lib/, no share/ at its top, but sirikata." in found[0]


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


def test_a_great_many_problems_are_counted_and_not_all_listed() -> None:
    found = problems(*(Entry(path=f"lib/{n}", kind="link", target="/x") for n in range(100)))
    assert len(found) == 21
    assert "80 more" in found[-1]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{A}  sirikata.tar.bz2\n", A),
        (f"{A.upper()} *sirikata.tar.bz2\n", A),
        (f"{A}\n", A),
        (f"{B}  other.tar\n{A}  ./sirikata.tar.bz2\n", A),
        (f"{B}  one.tar\n{A}  two.tar\n", None),
        ("<html>not found</html>", None),
        ("", None),
    ],
)
def test_a_checksum_is_found_in_what_sha256sum_wrote(text: str, found: str | None) -> None:
    assert package.parse_checksum(text, "sirikata.tar.bz2") == found


@pytest.mark.parametrize("url", ["ftp://a/b", "https://", "puppet:///cluster/x", "http://a b/c"])
def test_an_address_that_nodes_cannot_fetch_is_refused(url: str) -> None:
    assert package.url_problems(url)


@pytest.mark.parametrize(
    "url", ["https://example.edu/s.tar.bz2", "http://10.0.0.1:80/s", "file:///srv/s.tar"]
)
def test_an_address_is_told_from_a_file(url: str) -> None:
    assert package.is_url(url)
    assert package.url_problems(url) == []
    assert not package.is_url("builds/sirikata.tar.bz2")


def test_a_specification_holds_both_versions_and_swaps_them_in_one_step() -> None:
    spec = ClusterSpec(name="demo", uid="3f2a", size=3)
    one, two = Release(url="https://a/one", sha256=A), Release(url=f"{package.SERVED}{B}", sha256=B)
    spec = package.asked(package.asked(spec, one, Release()), two, one)
    assert (package.current(spec), package.before(spec)) == (two, one)
    assert (two.served, one.served) == (True, False)
    assert validate(spec) == []


@pytest.mark.parametrize(
    ("service", "runs"),
    [
        (Service(id="a", command="/opt/sirikata/current/bin/space --id=1"), True),
        (
            Service(
                id="a", command="/usr/lib/sirikata-cluster/run --as=a -- /opt/sirikata/current/bin/space"
            ),
            True,
        ),
        (Service(id="a", command="/bin/x --plugins=/opt/sirikata/current/lib"), True),
        (
            Service(id="a", command="/srv/x", env=(("LD_LIBRARY_PATH", "/lib:/opt/sirikata/current/lib"),)),
            True,
        ),
        (Service(id="a", command="/srv/x", cwd="/opt/sirikata/current"), True),
        (Service(id="a", command="/srv/opt/sirikata/current/bin/x"), False),
        (Service(id="a", command="/opt/sirikata/current.old/bin/x"), False),
        (Service(id="a", command="/usr/bin/redis-server", health="/opt/sirikata/current/bin/ask"), False),
    ],
)
def test_which_services_run_from_the_version_in_use(service: Service, runs: bool) -> None:
    assert package.runs_from(service) is runs


def test_a_service_is_stale_when_the_version_that_it_started_from_is_not_in_use(tmp_path: Path) -> None:
    """Version b from 100 on, a from 200, and b again from 300: `starts` are the services' times."""
    starts = {"ab": "@150", "ba": "@250", "bb": "@350", "edge": "@300", "never": ""}
    root, systemctl = tmp_path / "sirikata", tmp_path / "systemctl"
    root.mkdir()
    (root / "current").symlink_to(f"/versions/{B}")
    (root / "uses").write_text(f"100 {B}\n200 {A}\n300 {B}\n")
    cases = "".join(f"*-{name}.service) echo '{start}' ;;\n" for name, start in starts.items())
    systemctl.write_text(f"#!/bin/sh\nfor unit; do :; done\ncase $unit in\n{cases}esac\n")
    systemctl.chmod(0o755)
    script = package.stale_script(list(starts)).replace(package.ROOT, str(root))
    done = subprocess.run(
        ["sh", "-c", script],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["ba", "edge", "never"]


def test_a_node_tells_its_version_once_it_is_written_down(tmp_path: Path) -> None:
    script = package.version_script().replace(package.ROOT, str(tmp_path))

    def said() -> str:
        return subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.strip()

    assert said() == ""
    (tmp_path / "current").symlink_to(f"{tmp_path}/versions/{A}")
    assert said() == ""
    (tmp_path / "uses").write_text(f"1 {B}\n2 {A}\n")
    assert said() == A
