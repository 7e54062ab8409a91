"""Versions of Sirikata: where they come from, and which services run from the one in use."""

import subprocess
from pathlib import Path

import pytest

from fabfile.core.services.service import Service
from fabfile.core.sirikata import release
from fabfile.core.sirikata.release import Release
from fabfile.core.spec.cluster import ClusterSpec, validate

A, B = "a" * 64, "b" * 64


@pytest.mark.parametrize("url", ["ftp://a/b", "https://", "puppet:///cluster/x", "http://a b/c"])
def test_an_address_that_nodes_cannot_fetch_is_refused(url: str) -> None:
    assert release.url_problems(url)


@pytest.mark.parametrize(
    "url", ["https://example.edu/s.tar.bz2", "http://10.0.0.1:80/s", "file:///srv/s.tar"]
)
def test_an_address_is_not_a_file(url: str) -> None:
    assert release.is_url(url)
    assert release.url_problems(url) == []
    assert not release.is_url("builds/sirikata.tar.bz2")


def test_a_specification_holds_both_versions() -> None:
    spec = ClusterSpec(name="demo", uid="3f2a", size=3)
    far, served = Release(url="https://a/b", sha256=A), Release(url=f"{release.SERVED}{B}", sha256=B)
    spec = release.with_releases(release.with_releases(spec, far, Release()), served, far)
    assert (release.current(spec), release.before(spec)) == (served, far)
    assert (served.served, far.served) == (True, False)
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
    assert release.runs_from(service) is runs


def test_a_service_of_another_version_than_the_one_in_use_is_outdated(tmp_path: Path) -> None:
    """Version b from 100 on, a from 200, and b again from 300: `starts` are the services' times."""
    starts = {"ab": "@150", "ba": "@250", "bb": "@350", "edge": "@300", "never": ""}
    root, systemctl = tmp_path / "sirikata", tmp_path / "systemctl"
    root.mkdir()
    (root / "current").symlink_to(f"/versions/{B}")
    (root / "uses").write_text(f"100 {B}\n200 {A}\n300 {B}\n")
    cases = "".join(f"*-{name}.service) echo '{start}' ;;\n" for name, start in starts.items())
    systemctl.write_text(f"#!/bin/sh\nfor unit; do :; done\ncase $unit in\n{cases}esac\n")
    systemctl.chmod(0o755)
    script = release.outdated_script(list(starts), str(root))
    done = subprocess.run(
        ["sh", "-c", script],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["ba", "edge", "never"]


def test_a_node_reports_its_version_once_it_is_written_down(tmp_path: Path) -> None:
    script = release.version_script(str(tmp_path))

    def printed() -> str:
        return subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.strip()

    assert printed() == ""
    (tmp_path / "current").symlink_to(f"{tmp_path}/versions/{A}")
    assert printed() == ""
    (tmp_path / "uses").write_text(f"1 {B}\n2 {A}\n")
    assert printed() == A
