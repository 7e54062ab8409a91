"""What is found before a launch on EC2: everything at once, each with a next step."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fabfile.core.ec2.options import Ec2Options
from fabfile.core.spec.cluster import ClusterSpec
from fabfile.effects.providers.base import ROLES
from fabfile.effects.providers.ec2 import catalog as lookups
from fabfile.effects.providers.ec2 import checks, errors, security_groups
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


def problems(spec: ClusterSpec, **more: Any) -> list[str]:
    return checks.problems(Api(spec.ec2.region), spec, ROLES, **more)


def test_defaults_are_sound_and_are_debians_own_newest(lab: Laboratory) -> None:
    assert problems(a_spec(keypair="lab-key")) == []
    api = Api()
    assert lookups.image(api, a_spec()).name == "debian-13-amd64-20251006-2257"
    assert lookups.image(api, a_spec(suite="bookworm")).name.startswith("debian-12-amd64-")
    assert lookups.image(api, a_spec(instance_type="t4g.small")).name.startswith("debian-13-arm64-")
    assert lookups.instance_type(api, a_spec(), "node").name == "t3.small"
    assert lookups.instance_type(api, a_spec(), "master").name == "t3.medium"
    zones = [subnet.zone for subnet in lookups.subnets(api, a_spec())]
    assert zones == ["eu-central-1a", "eu-central-1b"]


def test_images_are_found_by_parameters_of_the_systems_manager(lab: Laboratory) -> None:
    found = lookups.image(Api(), a_spec(ami="ssm:/aws/service/debian/release/12/latest/amd64"))
    assert found.name.startswith("debian-12-amd64-")
    assert (found.root_device, found.root_size) == ("/dev/xvda", 8)


def test_nothing_is_asked_twice_and_no_machine_costs_a_call(lab: Laboratory) -> None:
    counts = []
    for size in (2, 30):
        lab.forget_calls()
        spec = a_spec(size, keypair="lab-key")
        api = Api()
        assert checks.problems(api, spec, ROLES) == []
        counts.append(lab.counts())
        lookups.image(api, spec), lookups.subnets(api, spec), security_groups.groups(api, spec)
        assert lab.counts() == counts[-1]
    assert counts[0] == counts[1]
    assert all(count <= 2 for count in counts[0].values()), "one a role at most"


@pytest.mark.parametrize(
    ("ec2", "said"),
    [
        ({"ami": "ami-0123456789abcdef0"}, r"image ami-0123456789abcdef0 does not exist .*eu-central-1.*another region\?"),
        ({"ami": "ssm:/no/such"}, r"no SSM parameter '/no/such'"),
        ({"ami": "ssm:/lab/nonsense"}, r"'/lab/nonsense' holds 'not an image'"),
        ({"ami": "ssm:/lab/gone"}, r"ami-0dead0000000a0640, which ssm:/lab/gone names, does not exist"),
        ({"ami": "ami-0deb130000000b064"}, r"is for arm64, and t3\.small is x86_64.*--ami"),
        ({"instance_type": "t4g.small", "ami": "ssm:/lab/debian"}, r"is for x86_64, and t4g\.small is arm64"),
        ({"instance_type": "t3.smal"}, r"no instance type 't3\.smal'\. Did you mean t3\.small"),
        ({"instance_type": "t3.micro"}, r"t3\.micro has 1024 MiB .* Puppet master .*--puppet-master=HOST"),
        ({"keypair": "lab-kye"}, r"no key pair 'lab-kye' .*from AWS_DEFAULT_REGION.* Existing: lab-key\."),
        ({"group": "nope"}, r"no security group 'nope' .*Existing: default\. .*fab ec2\.security-create nope"),
        ({"group": "sg-0123456789abcdef0"}, r"no security group 'sg-0123456789abcdef0'"),
        ({"group": "elsewhere"}, r"'elsewhere' is of vpc-\w+, but the subnets are of vpc-\w+\. .*subnet-\w+ in "),
        ({"subnets": ("subnet-0123456789abcdef0",)}, r"no subnet subnet-0123456789abcdef0"),
        ({"region": "eu-cental-1"}, r"no AWS region 'eu-cental-1'\. Did you mean eu-central-1"),
        ({"region": "us-west-2"}, r"us-west-2 has no image of Debian 13"),
        ({"address": "public"}, r"get no public address: .*--address=private"),
    ],
    ids=str,
)  # fmt: skip
def test_one_thing_that_is_wrong_is_one_sentence_or_two(
    lab: Laboratory, ec2: dict[str, Any], said: str
) -> None:
    found = problems(a_spec(**ec2))
    assert [problem for problem in found if re.search(said, problem)], found
    # An empty region has neither images nor a default group that is of use, and without a public address no way in.
    assert len(found) <= (3 if "region" in ec2 else 2), found


def test_one_thing_does_not_hide_the_others(lab: Laboratory) -> None:
    spec = a_spec(
        instance_type="t9.huge", ami="ami-0123456789abcdef0", keypair="nokey", group="nogroup",
        subnets=("subnet-0123456789abcdef0",),
    )  # fmt: skip
    found = problems(spec)
    for words in ("'t9.huge'", "ami-0123456789abcdef0", "'nokey'", "'nogroup'", "subnet-0123456789abcdef0"):
        assert sum(words in problem for problem in found) == 1, (words, found)
    assert len(found) == 5


def test_subnets_of_different_vpcs_are_refused(lab: Laboratory) -> None:
    mixed = (lab.account.subnets[0].id, lab.account.other_subnet.id)
    (found,) = problems(a_spec(subnets=mixed))
    assert "different VPCs" in found and all(one in found for one in mixed)


def test_a_subnet_of_another_vpc_takes_that_ones_group(lab: Laboratory) -> None:
    spec = a_spec(subnets=(lab.account.other_subnet.id,), group="elsewhere")
    assert security_groups.groups(Api(), spec) == [lab.account.other_group.id]


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
    assert [subnet.zone for subnet in lookups.subnets(api, spec)] == ["eu-central-1b"]
    other = Api()
    monkeypatch.setattr(other, "pages", pages)
    offered = {"eu-central-1c"}
    assert any(
        "t3.small is not offered in eu-central-1a, eu-central-1b, where the subnets are, but in eu-central-1c"
        in problem
        for problem in checks.problems(other, spec, ROLES)
    )


def test_a_group_that_cuts_its_own_members_off_is_refused(lab: Laboratory) -> None:
    bare = lab.account.ec2.create_security_group("bare", "bare", vpc_id=lab.account.vpc.id)
    found = problems(a_spec(group="bare"))
    assert f"'bare' ({bare.id}) does not admit UDP 5405-5412 (corosync), TCP 8140 (Puppet)" in found[0]
    assert "admits SSH (TCP 22) from nowhere" in found[1]
    assert all("fab ec2.security-create bare" in problem for problem in found)
    assert "8140" not in problems(a_spec(group="bare", puppet_master="puppet.example.edu"))[0]


def test_too_few_free_addresses_are_found(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    for subnet in lab.account.subnets:
        monkeypatch.setattr(subnet, "_available_ip_addresses", 4)
    (found,) = problems(a_spec(size=5))
    assert "no subnet has 5 free addresses" in found and lab.account.subnets[0].id in found
    assert problems(a_spec(size=5), launching={"node": 4}) == []


def test_a_quota_is_counted_with_what_runs(lab: Laboratory) -> None:
    spec = a_spec(keypair="lab-key")  # 3 x 2 vCPUs, and 2 of the master
    lab.quota("L-1216C47A", 8)
    assert problems(spec) == []
    lab.quota("L-1216C47A", 7)
    (found,) = problems(spec)
    assert "may run 7 vCPUs" in found and "runs 0" in found and "needs 8 more" in found
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


def test_a_quota_that_may_not_be_asked_for_is_left_to_the_launch(lab: Laboratory) -> None:
    lab.fail("UnauthorizedOperation", "GetServiceQuota")
    assert problems(a_spec()) == []


def test_credentials_that_are_missing_and_a_region_that_is_missing_are_told_together(
    lab: Laboratory, environment: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        environment.delenv(name)
    credentials, region = problems(a_spec())
    assert "no AWS credentials" in credentials and "aws configure" in credentials
    assert "no AWS region" in region and "--region" in region
    assert lab.calls == []


def test_half_of_the_credentials_is_told_once(lab: Laboratory, environment: pytest.MonkeyPatch) -> None:
    environment.delenv("AWS_SECRET_ACCESS_KEY")
    (found,) = problems(a_spec())
    assert "incomplete" in found and "AWS_SECRET_ACCESS_KEY" in found


def test_a_profile_that_does_not_exist_is_named(lab: Laboratory, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AWS_PROFILE", "no-such-profile")
    (found,) = problems(a_spec())
    assert "no-such-profile" in found and "AWS_PROFILE" in found


def test_an_unknown_caller_is_told_that_alone_and_where_the_credentials_came_from(
    lab: Laboratory, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("AWS_ACCESS_KEY_ID", "AKIASOMEBODYELSE0000")
    (found,) = problems(a_spec(ami="ami-0123456789abcdef0"))
    assert "does not accept" in found and "the environment (AWS_ACCESS_KEY_ID)" in found
    assert len(lab.calls) == 1


def test_expired_credentials_are_told_alone(lab: Laboratory) -> None:
    lab.fail("ExpiredToken")
    (found,) = problems(a_spec(ami="ami-0123456789abcdef0"))
    assert (
        "the environment (AWS_ACCESS_KEY_ID) have expired" in found
        and "Set new ones: AWS_ACCESS_KEY_ID" in found
    )
    assert "aws sso login" not in found and "clock" not in found


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("shared-credentials-file", "~/.aws/credentials have expired (C: S). Put new ones there: aws configure"),
        ("custom-process", "'credential_process'"),
        ("sso", "AWS SSO have expired (C: S). Log in again: aws sso login --profile office"),
        ("assume-role", "source_profile"),
        ("iam-role", "this instance's role have expired (C: S). They are renewed by themselves"),
        ("of-tomorrow", "from of-tomorrow have expired (C: S). Renew them where they come from"),
    ],
)  # fmt: skip
def test_whose_credentials_have_expired_is_told_how_those_are_renewed(
    environment: pytest.MonkeyPatch, tmp_path: Path, method: str, said: str
) -> None:
    (tmp_path / "config").write_text("[profile office]\n")
    environment.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    environment.setenv("AWS_PROFILE", "office")
    environment.setattr("boto3.Session.get_credentials", lambda session: SimpleNamespace(method=method))
    answer = {"Error": {"Code": "C", "Message": "S"}}
    environment.setattr(errors, "_EXPIRED", {"C"})
    told = str(errors.refused("DescribeVpcs", answer, Api().credentials_source))
    assert said in told
    assert ("aws sso login" in told) == (method == "sso")


def test_an_expired_request_may_come_from_a_wrong_clock(lab: Laboratory) -> None:
    lab.fail("RequestExpired")
    (found,) = problems(a_spec())
    assert "clock may also be wrong" in found


def test_throttling_and_a_dead_network_are_failures_with_one_sentence(
    lab: Laboratory, environment: pytest.MonkeyPatch
) -> None:
    lab.fail("RequestLimitExceeded", times=100)
    with pytest.raises(ApiError, match=r"throttles DescribeInstanceTypes.*Wait a minute"):
        problems(a_spec())
    lab.faults.clear()
    environment.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    forget_sessions()
    with pytest.raises(ApiError, match="did not answer DescribeInstanceTypes") as caught:
        problems(a_spec())
    assert "\n" not in str(caught.value)


def test_a_call_that_is_forbidden_is_named_and_hides_nothing(lab: Laboratory) -> None:
    lab.fail("UnauthorizedOperation", "DescribeKeyPairs")
    found = problems(a_spec(keypair="lab-key", group="nope"))
    assert any("may not call DescribeKeyPairs" in problem for problem in found)
    assert any("'nope'" in problem for problem in found)


def test_a_launch_that_is_forbidden_is_found_by_asking_for_it(lab: Laboratory) -> None:
    lab.fail("UnauthorizedOperation", "RunInstances", times=2)
    (found,) = problems(a_spec())
    assert "may not call RunInstances" in found
    assert not lab.instances()


@pytest.mark.parametrize(
    "said",
    [
        "You are not authorized to perform this operation. User: arn:aws:iam::1:user/x is not authorized to perform: "
        "ec2:CreateTags on resource: arn:aws:ec2:eu-central-1:1:instance/* because no identity-based policy allows it. "
        "Encoded authorization failure message: abc",
        "You are not authorized to perform this operation. Encoded authorization failure message: abc",
    ],
)
def test_what_is_forbidden_is_read_or_decoded(
    lab: Laboratory, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    api = Api()
    real = api.call

    def call(operation: str, **parameters: Any) -> Any:
        if operation == "run_instances":
            raise ApiError("RunInstances", "UnauthorizedOperation", said)
        if operation == "decode_authorization_message":
            assert parameters["EncodedMessage"] == "abc"
            message = '{"allowed":false,"context":{"action":"ec2:CreateTags","resource":"arn:aws:ec2:eu-central-1:1:instance/*"}}'
            return {"DecodedMessage": message}
        return real(operation, **parameters)

    monkeypatch.setattr(api, "call", call)
    (found,) = checks.problems(api, a_spec(), ROLES)
    assert "ec2:CreateTags is not allowed on arn:aws:ec2:eu-central-1:1:instance/*" in found
    assert "fab ec2.policy" in found and "Encoded" not in found


def test_the_question_launches_nothing(lab: Laboratory) -> None:
    assert problems(a_spec(spot=True, keypair="lab-key")) == []
    assert not lab.instances()
    assert lab.counts()["RunInstances"] == 2, "one a role"
