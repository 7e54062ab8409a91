"""EC2 as a user sees it: options and where they come from, refusals, security groups; in the laboratory."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fabric.main import make_program

from fabfile import flows
from fabfile.effects.providers.ec2.api import forget_sessions
from fabfile.effects.store.store import Store
from tests.ec2lab.laboratory import Laboratory
from tests.paths import ROOT

Fab = Callable[..., tuple[int, str, str]]


@pytest.fixture
def lab(ec2_lab: Laboratory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laboratory]:
    monkeypatch.setenv("SIRIKATA_CLUSTER_HOME", str(tmp_path / "home"))
    ec2_lab.reset()
    yield ec2_lab
    allowed = {action.partition(":")[2] for action in re.findall(r'"(\w+:\w+)"', flows.ec2.policy())}
    assert set(ec2_lab.counts()) <= allowed, "the IAM policy allows every call"


@pytest.fixture
def fab(
    lab: Laboratory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Fab]:
    """The command line, in this process: its exit code, standard output and standard error."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "fabfile").symlink_to(ROOT / "fabfile")
    monkeypatch.chdir(project)
    modules = dict(sys.modules)

    def run(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = 0
        try:
            make_program().run(["fab", *arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return code, out, err

    yield run
    sys.modules.update(modules)


def refused(done: tuple[int, str, str], *words: str) -> None:
    """Wrong use: exit code 2, every word in it, nothing on standard output."""
    code, out, err = done
    assert (code, out) == (2, ""), done
    for word in words:
        assert word in err, err


def test_a_specification_is_saved_with_everything_that_was_typed(fab: Fab, lab: Laboratory) -> None:
    lab.forget_calls()
    code, out, _ = fab(
        "cluster.create",
        "web",
        "2",
        "ahoy.example.edu",
        "lab-key",
        "--instance-type=t3.micro",
        "--group=default",
        "--ami=ssm:/lab/debian",
        "--region=eu-central-1",
        "--subnet=subnet-0123456789abcdef0",
        "--subnet=subnet-0fedcba9876543210",
        "--spot",
        "--max-price=0.01",
        "--address=private",
        "--pem=key.pem",
    )
    assert (code, out) == (0, "web: 2 nodes on ec2, nothing booted yet. Next: fab cluster.nodes.boot web\n")
    ec2 = Store("web").spec().ec2
    assert (ec2.keypair, ec2.instance_type, ec2.group, ec2.ami) == (
        "lab-key",
        "t3.micro",
        "default",
        "ssm:/lab/debian",
    )
    assert (ec2.region, ec2.spot, ec2.max_price, ec2.address) == ("eu-central-1", True, "0.01", "private")
    assert ec2.subnets == ("subnet-0123456789abcdef0", "subnet-0fedcba9876543210")
    assert ec2.pem == str(Path.cwd() / "key.pem")
    assert lab.calls == [], "creating makes no calls"


def test_options_precede_the_environment_which_precedes_the_project(
    fab: Fab, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = {
        "ami": "ami-00000001",
        "instance_type": "t3.large",
        "group": "file",
        "keypair": "file-key",
        "subnets": "subnet-00000001",
    }
    Path("fabric.yaml").write_text(json.dumps({"sirikata_cluster": {"ec2": document | {"max_price": 0.02}}}))
    monkeypatch.setenv("BASE_AMI", "ami-00000002")
    monkeypatch.setenv("INSTANCE_TYPE", "t3.medium")
    assert fab("cluster.create", "web", "2", "own", "lab-key", "--ami=ami-00000003")[0] == 0
    ec2 = Store("web").spec().ec2
    assert (ec2.ami, ec2.instance_type, ec2.group, ec2.keypair) == (
        "ami-00000003",
        "t3.medium",
        "file",
        "lab-key",
    )
    assert ec2.subnets == ("subnet-00000001",)
    assert ec2.max_price == "", "a price is for spot instances"
    monkeypatch.setenv("SECURITY_GROUP", "environment")
    assert fab("cluster.create", "other", "2", "own", "lab-key", "--spot")[0] == 0
    assert (Store("other").spec().ec2.group, Store("other").spec().ec2.max_price) == ("environment", "0.02")
    assert fab("local.create", "here", "1")[0] == 0
    assert Store("here").spec().ec2.ami == "", "local machines take no EC2 options"


def test_all_problems_are_reported_with_their_sources(fab: Fab, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("fabric.yaml").write_text(
        json.dumps(
            {"sirikata_cluster": {"ec2": {"typ": "t3.small", "spot": "yes please", "region": "Frankfurt"}}}
        )
    )
    monkeypatch.setenv("BASE_AMI", "debian")
    refused(
        fab(
            "cluster.create",
            "Web",
            "99",
            "a host",
            "lab-key",
            "--address=mine",
            "--subnet=here",
            "--group=sg-mine",
        ),
        "'Web'",
        "SIZE must be a number of nodes from 1 to 32, got 99",
        "'a host'",
        "'mine'",
        "'here'",
        "'sg-mine'",
        "ec2 has no option 'typ'",
        "ec2.spot must be true or false, got 'yes please'",
        "'Frankfurt'",
        "(from fabric.yaml",
        "'debian'",
        "(from BASE_AMI)",
    )
    Path("fabric.yaml").write_text(json.dumps({"sirikata_cluster": ["ec2"]}))
    refused(fab("cluster.create", "web", "2", "own", "lab-key"), "must contain a mapping")
    refused(fab("cluster.create", "web", "2", "own", "lab-key", "--max-price=1"), "add --spot")


# Problems of the account, as a boot reports them.
WRONG = [
    (["--ami=ami-0123456789abcdef0"], ["ami-0123456789abcdef0 does not exist", "eu-central-1"]),
    (["--instance-type=t3.smal"], ["'t3.smal'", "Did you mean t3.small"]),
    (["--group=nope"], ["'nope'", "Existing: default", "fab ec2.security-create nope"]),
    (["--group=elsewhere"], ["'elsewhere' is in vpc-", "--subnet"]),
    (["--region=eu-central-9"], ["'eu-central-9'", "Did you mean eu-central-"]),
]


@pytest.mark.parametrize(("options", "said"), WRONG, ids=lambda value: value[0])
def test_a_boot_refuses_what_the_account_does_not_have(
    fab: Fab, lab: Laboratory, options: list[str], said: list[str]
) -> None:
    assert fab("cluster.create", "web", "2", "own", "lab-key", *options)[0] == 0
    for task in ("cluster.nodes.boot", "ec2.check"):
        refused(fab(task, "web"), *said)
    assert not lab.instances()


def test_a_boot_refuses_an_unknown_key_pair_and_a_full_quota_at_once(fab: Fab, lab: Laboratory) -> None:
    fab("cluster.create", "web", "2", "own", "lab-kye")
    lab.quota("L-1216C47A", 3)
    refused(fab("cluster.nodes.boot", "web"), "'lab-kye'", "Existing: lab-key", "quota is 3 vCPUs", "6 more")
    assert not lab.instances()


def test_a_boot_refuses_credentials_that_are_missing_unknown_or_expired(
    fab: Fab, lab: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    fab("cluster.create", "web", "2", "own", "lab-key")
    lab.fail("RequestExpired", times=10)
    refused(fab("cluster.nodes.boot", "web"), "have expired", "Set new ones: AWS_ACCESS_KEY_ID")
    lab.faults.clear()
    try:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASOMEBODYELSE0000")
        forget_sessions()
        refused(fab("cluster.nodes.boot", "web"), "does not accept", "the environment (AWS_ACCESS_KEY_ID)")
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        forget_sessions()
        refused(fab("cluster.nodes.boot", "web"), "no AWS credentials", "aws configure")
    finally:
        forget_sessions()


def test_long_throttling_is_a_failure_with_a_next_step(fab: Fab, lab: Laboratory) -> None:
    fab("cluster.create", "web", "2", "own", "lab-key")
    lab.fail("RequestLimitExceeded", times=100)
    code, out, err = fab("cluster.nodes.boot", "web")
    assert (code, out) == (1, "")
    assert err.count("error:") == 1 and "throttles DescribeInstances" in err and "again in a minute" in err


def test_what_would_be_launched_is_shown(fab: Fab) -> None:
    fab("cluster.create", "web", "2", "own", "lab-key", "--spot")
    code, out, _ = fab("ec2.check", "web")
    assert code == 0
    for words in (
        "1 x master",
        "t3.medium, spot",
        "2 x node",
        "t3.small, spot",
        "debian-13-amd64-20251006-2257",
        "eu-central-1a (subnet-",
        "lab-key",
    ):
        assert words in out
    fab("local.create", "here", "1")
    refused(fab("ec2.check", "here"), "'here' is not on EC2")
    refused(fab("ec2.puppet-master-boot", "here"), "'here' is not on EC2")
    fab("cluster.create", "theirs", "2", "puppet.example.edu", "lab-key")
    refused(fab("ec2.puppet-master-boot", "theirs"), "puppet.example.edu", "puppet.master.config")


def test_security_groups_are_created_updated_and_deleted(fab: Fab) -> None:
    code, out, _ = fab("ec2.security-create", "sirikata", "--open=6667/tcp")
    assert code == 0
    for words in (
        ": created",
        "UDP 5405-5412 from sg-",
        "TCP 8140 from sg-",
        "TCP 22 from 203.0.113.7/32",
        "TCP 6667 from 0.0.0.0/0",
    ):
        assert words in out
    assert "nothing to change" in fab("ec2.security-create", "sirikata", "--open=6667/tcp")[1]
    changed = fab(
        "ec2.security-create", "sirikata", "--ssh-from=192.0.2.0/24", "--ssh-from=2001:db8::/32", "--narrow"
    )[1]
    assert "revoked      TCP 22 from 203.0.113.7/32" in changed and "TCP 22 from 2001:db8::/32" in changed
    code, out, err = fab("ec2.security-delete", "sirikata")
    assert code == 0 and "is deleted" in out and "wait for the last instance" in err
    refused(fab("ec2.security-delete", "sirikata"), "no security group 'sirikata'")
    refused(
        fab("ec2.security-create", "sg-1", "--ssh-from=x", "--open=y", "--vpc=z"),
        "'sg-1'",
        "--ssh-from expects",
        "'x'",
        "--open expects",
        "'y'",
        "'z'",
    )
    refused(fab("ec2.security-create", "web", "--region=Frankfurt"), "'Frankfurt'")
    refused(fab("ec2.security-delete", "web", "--wait-timeout=soon"), "'soon'")


def test_without_a_public_address_the_option_is_suggested(fab: Fab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIRIKATA_CLUSTER_CHECKIP", "http://127.0.0.1:9/")
    code, _, err = fab("ec2.security-create", "sirikata")
    assert code == 1 and "--ssh-from=" in err
    assert fab("ec2.security-create", "sirikata", "--ssh-from=203.0.113.0/24")[0] == 0


def test_up_refuses_another_region_for_an_existing_cluster(fab: Fab) -> None:
    fab("cluster.create", "web", "2", "own", "lab-key", "--region=eu-central-1")
    refused(fab("up", "web", "--region=eu-west-1", "--keypair=other"), "add --provider=ec2")
    refused(
        fab("up", "web", "--provider=ec2", "--region=eu-west-1", "--keypair=other"),
        "region 'eu-central-1', not 'eu-west-1'",
        "keypair 'lab-key', not 'other'",
    )


def test_a_real_process_reports_the_same(lab: Laboratory) -> None:
    program = Path(sys.executable).with_name("fab")
    done = subprocess.run(
        [program, "cluster.create", "web", "2", "own", "nokey", "--group=nope", "ec2.check", "web"],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("error:") == 2 and "'nokey'" in done.stderr and "'nope'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_cluster_keeps_the_region_that_it_was_created_in(
    fab: Fab, lab: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (
        fab("ec2.security-create", "web", "cluster.create", "web", "1", "own", "lab-key", "--group=web")[0]
        == 0
    )
    assert Store("web").spec().ec2.region == "eu-central-1"
    assert fab("cluster.nodes.boot", "web", "--wait-timeout=0")[0] == 0
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    forget_sessions()
    try:
        assert "node0" in fab("cluster.nodes.list", "web")[1]
        code, _, err = fab("cluster.destroy", "web")
        assert code == 1 and "node0" in err
    finally:
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        forget_sessions()
    assert fab("cluster.nodes.terminate", "web", "cluster.destroy", "web")[0] == 0
    assert lab.leaks() == []


def test_an_adoption_with_a_wrong_key_file_writes_nothing(fab: Fab, lab: Laboratory) -> None:
    fab("ec2.security-create", "web", "cluster.create", "web", "1", "own", "lab-key", "--group=web")
    assert fab("cluster.nodes.boot", "web", "--wait-timeout=0")[0] == 0
    Store("web").remove()
    refused(fab("cluster.adopt", "web", "--pem=/no/such.pem"), "/no/such.pem")
    assert not Store("web").exists
    # The machines of this laboratory do not respond, so their keys cannot be fetched: partly done.
    code, _, err = fab("cluster.adopt", "web")
    assert code == 3 and "--pem=FILE" in err
    refused(fab("cluster.adopt", "web", "--id=web-0000"), Store("web").spec().id)
    assert fab("cluster.nodes.terminate", "web", "cluster.destroy", "web")[0] == 0
    assert lab.leaks() == []


def test_an_invalid_wait_timeout_launches_nothing(fab: Fab, lab: Laboratory) -> None:
    fab("ec2.security-create", "web", "cluster.create", "web", "1", "own", "lab-key", "--group=web")
    refused(fab("cluster.nodes.boot", "web", "--wait-timeout=-1"), "-1", "at least 0")
    assert lab.leaks() == []


def test_a_spot_node_reclaimed_before_first_contact_is_in_the_status(fab: Fab, lab: Laboratory) -> None:
    fab("ec2.security-create", "web", "cluster.create", "web", "1", "own", "lab-key", "--group=web", "--spot")
    assert fab("cluster.nodes.boot", "web", "--wait-timeout=0")[0] == 0
    lab.pass_time()
    (node,) = [each for each in lab.living() if each.tags["sirikata-cluster:role"] == "node"]
    lab.reclaim(node.id)
    lab.pass_time()
    out = fab("cluster.status", "web")[1]
    assert "reclaimed by EC2" in out and "Puppet master exists" in out
    assert fab("cluster.nodes.terminate", "web", "cluster.destroy", "web")[0] == 0
