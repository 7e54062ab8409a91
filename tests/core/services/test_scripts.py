"""Scripts that change and watch services, on programs that stand for Pacemaker's."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from fabfile.core.services import scripts as service_scripts
from tests.programs import run_with

# The configuration is a file: a line with its version, then a line a thing.  Whenever a copy is worked on,
# another process changes the original, as often as the file `busy` says; and before each patch an operation
# somewhere ends, as often as the file `running` says.
CIBADMIN = r"""#!/bin/sh
cd FOLDER
bump() { # EPOCH UPDATES
  awk -v e="$1" -v u="$2" -F'"' '
    NR == 1 { printf "<cib epoch=\"%d\" num_updates=\"%d\"/>\n", $2 + e, e ? 0 : $4 + u; next }
    { print }' cib >next
  mv next cib
}
case $* in
  *--xpath*) exit 105 ;;
  *marks.xml*) ;;
  *--no-children*)
    head -n 1 cib
    read -r left <running
    [ "$left" -eq 0 ] || { echo $((left - 1)) >running; bump 0 1; }
    ;;
  *--query*) cat cib ;;
  *--modify*)
    read -r left <busy
    if [ "$left" -gt 0 ]; then
      echo $((left - 1)) >busy
      bump 1 0
      echo "theirs $left" >>cib
    fi
    cat "$6" >>"$CIB_file" ;;
  *--patch*)
    echo try >>tries
    if [ -e broken ]; then echo "no such schema" >&2; exit 1; fi
    if [ "$(head -n 1 cib)" != "$(head -n 1 "$4" | sed 's/source/cib/')" ]; then
      echo "Call failed: Update was older than existing configuration" >&2; exit 103
    fi
    { cat "$4" | sed 1d; } >things
    { head -n 1 cib; cat things; } >next && mv next cib && bump 1 0 ;;
esac
"""
# The patch is the new configuration with the version that it was made of.
CRM_DIFF = '#!/bin/sh\ncmp -s "$3" "$5" && exit 0; sed "1s/cib/source/" "$5"; exit 1\n'


@dataclass
class Pacemaker:
    folder: Path

    def change(self, *, busy: int, seconds: int, running: int = 0) -> "subprocess.CompletedProcess[str]":
        (self.folder / "busy").write_text(f"{busy}\n")
        (self.folder / "running").write_text(f"{running}\n")
        path = f"{self.folder}:{os.environ['PATH']}"
        return subprocess.run(
            ["sh", "-c", service_scripts.add_services_script(seconds=seconds)],
            input="marks\nweb\n",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PATH": path},
        )

    @property
    def holds(self) -> list[str]:
        return (self.folder / "cib").read_text().splitlines()[1:]

    @property
    def tries(self) -> int:
        return (self.folder / "tries").read_text().count("try")


@pytest.fixture
def pacemaker(tmp_path: Path) -> Pacemaker:
    for name, text in {"cibadmin": CIBADMIN, "crm_diff": CRM_DIFF}.items():
        program = tmp_path / name
        program.write_text(text.replace("FOLDER", str(tmp_path)))
        program.chmod(0o755)
    (tmp_path / "cib").write_text('<cib epoch="0" num_updates="0"/>\nold\n')
    return Pacemaker(tmp_path)


def test_a_change_is_repeated_until_no_other_change_interferes(
    pacemaker: Pacemaker,
) -> None:
    done = pacemaker.change(busy=30, seconds=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert pacemaker.tries == 1
    assert pacemaker.holds == ["old", *(f"theirs {left}" for left in range(30, 0, -1)), "web"]


def test_operations_that_end_meanwhile_cost_a_change_only_another_try(pacemaker: Pacemaker) -> None:
    done = pacemaker.change(busy=2, running=5, seconds=60)
    assert (done.returncode, done.stderr, pacemaker.tries) == (0, "", 4)
    assert pacemaker.holds == ["old", "theirs 2", "theirs 1", "web"]


def test_a_change_gives_up_when_its_time_is_over(pacemaker: Pacemaker) -> None:
    done = pacemaker.change(busy=1_000_000, seconds=1)
    assert done.returncode == 1
    assert done.stderr == "the cluster refuses the change: others change it all the time\n"
    assert "web" not in pacemaker.holds


def test_what_is_refused_for_another_reason_is_not_tried_as_long(pacemaker: Pacemaker) -> None:
    (pacemaker.folder / "broken").touch()
    done = pacemaker.change(busy=0, seconds=600)
    assert (done.returncode, pacemaker.tries) == (1, 20)
    assert done.stderr == "the cluster refuses the change: no such schema\n"


def test_no_script_grows_with_the_services_that_it_is_about() -> None:
    ids = [f"{'x' * 56}{number:04}" for number in range(1000)]
    limit = 128 * 1024  # bytes of one argument: MAX_ARG_STRLEN, execve(2)
    assert len(service_scripts.abort_script(ids)) < limit
    for script in (
        service_scripts.add_services_script,
        service_scripts.apply_services_script,
        service_scripts.remove_services_script,
        service_scripts.set_roles_script,
    ):
        assert len(script()) < 10_000


def test_hostile_values_stay_values() -> None:
    assert "node='$(reboot)'\n" in service_scripts.move_script("web", "$(reboot)")
    assert "id='a;reboot'\n" in service_scripts.cleanup_script("a;reboot")


# What crm_mon printed on clusters of Debian 12 (2.1) and 13 (3.0), where `web` runs and `bad` failed on each
# node.
GOLDEN = Path(__file__).parents[1] / "pacemaker" / "golden"


def wait_for(service_id: str, version: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Wait for a service of such a cluster, which has settled."""
    golden = f"{GOLDEN}/pacemaker-{version}"
    programs = {
        "cibadmin": "",
        "crm_mon": (
            f"case $* in *failures*) cat {golden}-failures.txt ;; *) cat {golden}-resources.txt ;; esac"
        ),
        "crmadmin": "case $* in *dc_lookup*) echo node0 ;; *) echo S_IDLE ;; esac",
    }
    return run_with(programs, service_scripts.wait_running_script(service_id, seconds=60), folder)


@pytest.mark.parametrize("version", ["2.1", "3.0"])
def test_a_service_that_runs_is_waited_for_no_longer(version: str, tmp_path: Path) -> None:
    done = wait_for("web", version, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("version", ["2.1", "3.0"])
def test_why_a_service_does_not_run_is_said_once_the_cluster_has_settled(
    version: str, tmp_path: Path
) -> None:
    done = wait_for("bad", version, tmp_path)
    first, *more = done.stderr.splitlines()
    assert (done.returncode, len(more)) == (1, 2)
    assert first.startswith("bad does not run: bad start on node")
    assert all("/bin/false did not st" in line and "exited with status 1" in line for line in (first, *more))
