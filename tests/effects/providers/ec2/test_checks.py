"""Checks before a launch on EC2: all problems at once, each with a next step."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fabfile.core.ec2.options import Ec2Options
from fabfile.core.errors import Problem
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.effects.providers.base import ROLES
from fabfile.effects.providers.ec2 import catalog, checks, errors, security_groups
from fabfile.effects.providers.ec2.api import Api, forget_sessions
from fabfile.effects.providers.ec2.errors import ApiError
from tests.ec2lab.laboratory import Laboratory


@pytest.fixture
def lab(ec2_lab: Laboratory) -> Laboratory:
    ec2_lab.reset()
    return ec2_lab


@pytest.fixture
def environment(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The environment, to change it before the first call."""
    forget_sessions()
    yield monkeypatch
    forget_sessions()


def a_spec(size: int = 3, puppet_master: str = "", suite: str = "trixie", **ec2: Any) -> ClusterSpec:
    return ClusterSpec(
        name="web",
        uid="3f2a",
        size=size,
        provider="ec2",
        puppet_master=puppet_master,
        suite=suite,
        ec2=Ec2Options(**ec2),
    )


def found_in(spec: ClusterSpec, **more: Any) -> list[Problem]:
    return checks.problems(Api(spec.ec2.region), spec, ROLES, **more)


def problems(spec: ClusterSpec, **more: Any) -> list[str]:
    return [str(problem) for problem in found_in(spec, **more)]


def test_the_defaults_are_valid_and_use_the_newest_debian_image(lab: Laboratory) -> None:
    assert problems(a_spec(keypair="lab-key")) == []
    api = Api()
    assert catalog.image(api, a_spec()).name == "debian-13-amd64-20251006-2257"
    assert catalog.image(api, a_spec(suite="bookworm")).name.startswith("debian-12-amd64-")
    assert catalog.image(api, a_spec(instance_type="t4g.small")).name.startswith("debian-13-arm64-")
    assert catalog.instance_type(api, a_spec(), "node").name == "t3.small"
    assert catalog.instance_type(api, a_spec(), "master").name == "t3.medium"
    zones = [subnet.zone for subnet in catalog.subnets(api, a_spec())]
    assert zones == ["eu-central-1a", "eu-central-1b"]


def test_an_ssm_parameter_names_the_image(lab: Laboratory) -> None:
    found = catalog.image(Api(), a_spec(ami="ssm:/aws/service/debian/release/12/latest/amd64"))
    assert found.name.startswith("debian-12-amd64-")
    assert (found.root_device, found.root_size) == ("/dev/xvda", 8)


def test_nothing_is_looked_up_twice_and_calls_do_not_grow_with_nodes(lab: Laboratory) -> None:
    counts = []
    for size in (2, 30):
        lab.forget_calls()
        spec = a_spec(size, keypair="lab-key")
        api = Api()
        assert checks.problems(api, spec, ROLES) == []
        counts.append(lab.counts())
        catalog.image(api, spec), catalog.subnets(api, spec), security_groups.group_ids(api, spec)
        assert lab.counts() == counts[-1]
    assert counts[0] == counts[1]
    assert all(count <= 2 for count in counts[0].values()), "at most one for each role"


@pytest.mark.parametrize(
    ("ec2", "field", "text"),
    [
        (
            {"ami": "ami-0123456789abcdef0"},
            "ami",
            r"image ami-0123456789abcdef0 does not exist .*eu-central-1.*another region\?",
        ),
        ({"ami": "ssm:/no/such"}, "ami", r"SSM parameter '/no/such' .*does not exist"),
        ({"ami": "ssm:/lab/nonsense"}, "ami", r"'/lab/nonsense' must hold .*, got 'not an image'"),
        ({"ami": "ssm:/lab/gone"}, "ami", r"ami-0dead0000000a0640 \(from ssm:/lab/gone\) does not exist"),
        ({"ami": "ami-0deb130000000b064"}, "ami", r"is for arm64, but t3\.small is x86_64.*another ami"),
        (
            {"instance_type": "t4g.small", "ami": "ssm:/lab/debian"},
            "ami",
            r"is for x86_64, but t4g\.small is arm64",
        ),
        (
            {"instance_type": "t3.smal"},
            "instance_type",
            r"no instance type 't3\.smal'\. Did you mean t3\.small",
        ),
        (
            {"instance_type": "t3.micro"},
            "instance_type",
            r"t3\.micro has 1024 MiB .* Puppet master .*puppet_master",
        ),
        (
            {"keypair": "lab-kye"},
            "keypair",
            r"key pair 'lab-kye' does not .*from AWS_DEFAULT_REGION.* Existing: lab-key\.",
        ),
        (
            {"group": "nope"},
            "group",
            r"group 'nope' does not .*Existing: default\. .*fab ec2\.security-create nope",
        ),
        ({"group": "sg-0123456789abcdef0"}, "group", r"group 'sg-0123456789abcdef0' does not exist"),
        (
            {"group": "elsewhere"},
            "group",
            r"'elsewhere' is in vpc-\w+, but the subnets are in vpc-\w+\. .*subnet-\w+ in ",
        ),
        (
            {"subnets": ("subnet-0123456789abcdef0",)},
            "subnets",
            r"subnet subnet-0123456789abcdef0 does not exist",
        ),
        ({"region": "eu-cental-1"}, "region", r"no AWS region 'eu-cental-1'\. Did you mean eu-central-1"),
        ({"region": "us-west-2"}, "ami", r"us-west-2 has no image of Debian 13"),
        ({"address": "public"}, "subnets", r"are assigned no public address: .*address=private"),
    ],
    ids=str,
)
def test_each_problem_is_about_its_field_and_hides_behind_no_other(
    lab: Laboratory, ec2: dict[str, Any], field: str, text: str
) -> None:
    found = found_in(a_spec(**ec2))
    assert [problem for problem in found if problem.field == field and re.search(text, str(problem))], found
    # An empty region has neither images nor a usable default group, and instances without a public address no
    # SSH.
    assert len(found) <= (3 if "region" in ec2 else 2), found


def test_all_problems_are_reported_at_once(lab: Laboratory) -> None:
    spec = a_spec(
        instance_type="t9.huge",
        ami="ami-0123456789abcdef0",
        keypair="nokey",
        group="nogroup",
        subnets=("subnet-0123456789abcdef0",),
    )
    found = problems(spec)
    for words in ("'t9.huge'", "ami-0123456789abcdef0", "'nokey'", "'nogroup'", "subnet-0123456789abcdef0"):
        assert sum(words in problem for problem in found) == 1, (words, found)
    assert len(found) == 5


def test_subnets_of_different_vpcs_are_refused(lab: Laboratory) -> None:
    mixed = (lab.account.subnets[0].id, lab.account.other_subnet.id)
    (found,) = problems(a_spec(subnets=mixed))
    assert "all nodes must be in one VPC" in found and all(each in found for each in mixed)


def test_subnets_of_another_vpc_take_a_group_of_that_vpc(lab: Laboratory) -> None:
    spec = a_spec(subnets=(lab.account.other_subnet.id,), group="elsewhere")
    assert security_groups.group_ids(Api(), spec) == [lab.account.other_group.id]


def test_a_zone_that_does_not_offer_the_type_is_left_out(
    lab: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, spec = Api(), a_spec()
    real = api.pages

    def pages(operation: str, result: str, **parameters: Any) -> list[Any]:
        found = real(operation, result, **parameters)
        if operation == "describe_instance_type_offerings":
            return [offer for offer in found if offer["Location"] in offered]
        return found

    monkeypatch.setattr(api, "pages", pages)
    offered = {"eu-central-1b"}
    assert [subnet.zone for subnet in catalog.subnets(api, spec)] == ["eu-central-1b"]
    other = Api()
    monkeypatch.setattr(other, "pages", pages)
    offered = {"eu-central-1c"}
    assert any(
        "is not offered in the zones of the subnets (eu-central-1a, eu-central-1b), but in eu-central-1c"
        in str(problem)
        for problem in checks.problems(other, spec, ROLES)
    )


def test_a_group_that_does_not_admit_its_own_members_is_refused(lab: Laboratory) -> None:
    bare = lab.account.ec2.create_security_group("bare", "bare", vpc_id=lab.account.vpc.id)
    found = problems(a_spec(group="bare"))
    assert f"'bare' ({bare.id}) does not admit UDP 5405-5412 (corosync), TCP 8140 (Puppet)" in found[0]
    assert "does not admit SSH (TCP 22)" in found[1]
    assert all("fab ec2.security-create bare" in problem for problem in found)
    assert "8140" not in problems(a_spec(group="bare", puppet_master="puppet.example.edu"))[0]


def test_too_few_free_addresses_are_a_problem(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    for subnet in lab.account.subnets:
        monkeypatch.setattr(subnet, "_available_ip_addresses", 4)
    (found,) = problems(a_spec(size=5))
    assert "no subnet has 5 free addresses" in found and lab.account.subnets[0].id in found
    assert problems(a_spec(size=5), launching={"node": 4}) == []


def test_a_quota_counts_what_is_running(lab: Laboratory) -> None:
    spec = a_spec(keypair="lab-key")  # 3 x 2 vCPUs, and 2 of the master
    lab.quota("L-1216C47A", 8)
    assert problems(spec) == []
    lab.quota("L-1216C47A", 7)
    (found,) = problems(spec)
    assert "quota is 7 vCPUs" in found and "0 are in use" in found and "needs 8 more" in found
    assert "--quota-code L-1216C47A --desired-value 8" in found
    assert problems(spec, launching={"node": 3}) == [], "the master exists"
    lab.quota("L-34B43A08", 1)
    assert "spot" in problems(a_spec(spot=True), launching={"node": 1})[0]
    assert (
        problems(
            a_spec(puppet_master="localhost", instance_type="g4dn.xlarge", spot=True), launching={"node": 1}
        )
        == []
    )


def test_a_quota_that_the_caller_may_not_see_is_left_to_the_launch(lab: Laboratory) -> None:
    lab.fail("UnauthorizedOperation", "GetServiceQuota")
    assert problems(a_spec()) == []


def test_missing_credentials_and_a_missing_region_are_reported_together(
    lab: Laboratory, environment: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        environment.delenv(name)
    credentials, region = problems(a_spec())
    assert "no AWS credentials" in credentials and "aws configure" in credentials
    assert "no AWS region" in region and "AWS_DEFAULT_REGION" in region
    assert lab.calls == []


def test_incomplete_credentials_are_reported_once(lab: Laboratory, environment: pytest.MonkeyPatch) -> None:
    environment.delenv("AWS_SECRET_ACCESS_KEY")
    (found,) = problems(a_spec())
    assert "incomplete" in found and "AWS_SECRET_ACCESS_KEY" in found


def test_a_profile_that_does_not_exist_is_named(lab: Laboratory, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AWS_PROFILE", "no-such-profile")
    (found,) = problems(a_spec())
    assert "no-such-profile" in found and "AWS_PROFILE" in found


def test_credentials_that_ec2_rejects_are_the_only_problem_reported(
    lab: Laboratory, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("AWS_ACCESS_KEY_ID", "AKIASOMEBODYELSE0000")
    (found,) = problems(a_spec(ami="ami-0123456789abcdef0"))
    assert "does not accept" in found and "the environment (AWS_ACCESS_KEY_ID)" in found
    assert len(lab.calls) == 1


def test_expired_credentials_are_the_only_problem_reported(lab: Laboratory) -> None:
    lab.fail("ExpiredToken")
    (found,) = problems(a_spec(ami="ami-0123456789abcdef0"))
    assert (
        "the environment (AWS_ACCESS_KEY_ID) have expired" in found
        and "Set new ones: AWS_ACCESS_KEY_ID" in found
    )
    assert "aws sso login" not in found and "clock" not in found


@pytest.mark.parametrize(
    ("method", "text"),
    [
        (
            "shared-credentials-file",
            "~/.aws/credentials have expired (C: S). Put new ones there: aws configure",
        ),
        ("custom-process", "'credential_process'"),
        ("sso", "AWS SSO have expired (C: S). Log in again: aws sso login --profile office"),
        ("assume-role", "source_profile"),
        ("iam-role", "this instance's role have expired (C: S). AWS renews them automatically"),
        ("of-tomorrow", "from of-tomorrow have expired (C: S). Renew them where they come from"),
    ],
)
def test_expired_credentials_come_with_how_to_renew_them(
    environment: pytest.MonkeyPatch, tmp_path: Path, method: str, text: str
) -> None:
    (tmp_path / "config").write_text("[profile office]\n")
    environment.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    environment.setenv("AWS_PROFILE", "office")
    environment.setattr("boto3.Session.get_credentials", lambda session: SimpleNamespace(method=method))
    response: Any = {"Error": {"Code": "C", "Message": "S"}}
    environment.setattr(errors, "_EXPIRED", {"C"})
    shown = str(errors.refused("DescribeVpcs", response, Api().credentials_source))
    assert text in shown
    assert ("aws sso login" in shown) == (method == "sso")


def test_an_expired_request_hints_at_a_wrong_clock(lab: Laboratory) -> None:
    lab.fail("RequestExpired")
    (found,) = problems(a_spec())
    assert "clock" in found


def test_throttling_and_a_dead_network_are_failures_of_one_line(
    lab: Laboratory, environment: pytest.MonkeyPatch
) -> None:
    lab.fail("RequestLimitExceeded", times=100)
    with pytest.raises(
        ApiError, match=r"throttles DescribeInstanceTypes.*request rate limit.*again in a minute"
    ):
        problems(a_spec())
    lab.faults.clear()
    environment.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    forget_sessions()
    with pytest.raises(ApiError, match="did not respond to DescribeInstanceTypes") as caught:
        problems(a_spec())
    assert "\n" not in str(caught.value)


def test_a_forbidden_call_is_named_and_hides_no_other_problem(lab: Laboratory) -> None:
    lab.fail("UnauthorizedOperation", "DescribeKeyPairs")
    found = problems(a_spec(keypair="lab-key", group="nope"))
    assert any("may not call DescribeKeyPairs" in problem for problem in found)
    assert any("'nope'" in problem for problem in found)


def test_a_forbidden_launch_is_found_by_a_dry_run(lab: Laboratory) -> None:
    lab.fail("UnauthorizedOperation", "RunInstances", times=2)
    (found,) = problems(a_spec())
    assert "may not call RunInstances" in found
    assert not lab.instances()


@pytest.mark.parametrize(
    "message",
    [
        (
            "You are not authorized to perform this operation. User: arn:aws:iam::1:user/x is not authorized"
            " to perform: ec2:CreateTags on resource: arn:aws:ec2:eu-central-1:1:instance/* because no"
            " identity-based policy allows it. Encoded authorization failure message: abc"
        ),
        "You are not authorized to perform this operation. Encoded authorization failure message: abc",
    ],
)
def test_the_forbidden_action_is_read_or_decoded(
    lab: Laboratory, monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    api = Api()
    real = api.call

    def call(operation: str, **parameters: Any) -> Any:
        if operation == "run_instances":
            raise ApiError("RunInstances", "UnauthorizedOperation", message)
        if operation == "decode_authorization_message":
            assert parameters["EncodedMessage"] == "abc"
            resource = "arn:aws:ec2:eu-central-1:1:instance/*"
            decoded = f'{{"allowed":false,"context":{{"action":"ec2:CreateTags","resource":"{resource}"}}}}'
            return {"DecodedMessage": decoded}
        return real(operation, **parameters)

    monkeypatch.setattr(api, "call", call)
    (found,) = map(str, checks.problems(api, a_spec(), ROLES))
    assert "ec2:CreateTags is not allowed on arn:aws:ec2:eu-central-1:1:instance/*" in found
    assert "fab ec2.policy" in found and "Encoded" not in found


def test_the_dry_run_launches_nothing(lab: Laboratory) -> None:
    assert problems(a_spec(spot=True, keypair="lab-key")) == []
    assert not lab.instances()
    assert lab.counts()["RunInstances"] == 2, "one for each role"
