"""The options of a cluster that only EC2 has."""

import pytest

from fabfile.core.ec2.options import Ec2Options, ec2_problems, machine_type


@pytest.mark.parametrize(
    ("options", "field", "text"),
    [
        (
            Ec2Options(instance_type="small"),
            "instance_type",
            "instance_type expects an instance type, for example t3.small, got 'small'",
        ),
        (Ec2Options(ami="debian"), "ami", "ami-0123456789abcdef0 or ssm:/my/parameter, got 'debian'"),
        (Ec2Options(region="Frankfurt"), "region", "eu-central-1, got 'Frankfurt'"),
        (Ec2Options(group="sg-mine"), "group", "'sg-mine'"),
        (Ec2Options(keypair="schlüssel"), "keypair", "'schlüssel'"),
        (Ec2Options(subnets=("subnet-0123abcd", "here")), "subnets", "'here'"),
        (Ec2Options(address="mine"), "address", "address expects one of auto, public, private, got 'mine'"),  # type: ignore[arg-type]
        (Ec2Options(spot=True, max_price="cheap"), "max_price", "0.01, got 'cheap'"),
        (Ec2Options(max_price="0.01"), "max_price", "max_price is for spot instances only: add spot"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_invalid_option_is_a_problem_of_its_field(options: Ec2Options, field: str, text: str) -> None:
    (problem,) = ec2_problems(options)
    assert (problem.field, problem.subject) == (field, "")
    assert text in str(problem)


def test_the_defaults_are_valid() -> None:
    assert ec2_problems(Ec2Options()) == []
    assert machine_type(Ec2Options(), "node") == "t3.small"
    assert machine_type(Ec2Options(), "master") == "t3.medium"
    assert machine_type(Ec2Options(instance_type="m7i.large"), "master") == "m7i.large"
