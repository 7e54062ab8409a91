"""The IAM policy: what the sources call, and nothing else."""

import ast
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.session import Session

from fabfile.flows import ec2
from tests.paths import ROOT

SOURCES = ROOT / "fabfile"
# boto3's names of services, and IAM's prefixes of their actions.
PREFIXES = {"ec2": "ec2", "ssm": "ssm", "service-quotas": "servicequotas", "sts": "sts"}
# What EC2 does in the caller's name: it makes its role for spot instances at the account's first.
INDIRECT = {"iam:CreateServiceLinkedRole"}
# Actions that cannot be limited to resources (Service Authorization Reference, "Amazon EC2"), or are
# harmless.
ANYWHERE = (
    "ec2:Describe",
    "ec2:GetConsoleOutput",
    "servicequotas:GetServiceQuota",
    "sts:DecodeAuthorizationMessage",
)


def statements() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ec2.policy())["Statement"]
    return found


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def allowed() -> set[str]:
    return {action for statement in statements() for action in listed(statement["Action"])}


def operations() -> dict[str, str]:
    """Every operation of those services, by its name in boto3: the IAM action."""
    found = {}
    for service, prefix in PREFIXES.items():
        for operation in Session().get_service_model(service).operation_names:
            snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation)[1:]
            found.setdefault(snake, f"{prefix}:{operation}")
    return found


def called() -> Iterator[str]:
    """The IAM action of every operation that the sources name."""
    known = operations()
    for path in sorted((SOURCES / "effects" / "providers" / "ec2").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "value", None)
            if isinstance(name, str) and name in known:
                yield known[name]


def test_what_the_sources_call_is_allowed_and_nothing_else() -> None:
    used = set(called())
    # Tags at launch are an action of their own.
    assert {"ec2:RunInstances", "ec2:CreateTags", "ec2:TerminateInstances", "ssm:GetParameter"} <= used
    assert allowed() - INDIRECT == used


@pytest.mark.parametrize("statement", statements(), ids=lambda statement: statement["Sid"])
def test_what_changes_something_is_limited_to_what_is_ours(statement: dict[str, Any]) -> None:
    actions = listed(statement["Action"])
    assert statement["Effect"] == "Allow"
    assert not any("*" in action for action in actions)
    if "*" in listed(statement["Resource"]):
        assert all(action.startswith(ANYWHERE) for action in actions), actions
        return
    # What is only read, or only launched from, carries no tag of ours; what is made, changed or ended does.
    foreign = {"image", "key-pair", "security-group", "subnet", "vpc", "parameter"}
    kinds = {arn.rpartition(":")[2].partition("/")[0] for arn in listed(statement["Resource"])}
    if "Condition" not in statement:
        assert kinds <= foreign and set(actions) <= {
            "ec2:RunInstances",
            "ec2:CreateSecurityGroup",
            "ssm:GetParameter",
        }


def test_every_statement_can_be_found_again() -> None:
    names = [statement["Sid"] for statement in statements()]
    assert len(set(names)) == len(names)
    assert all(name.isalnum() for name in names)
    assert len(ec2.policy().replace(" ", "").replace("\n", "")) < 6144, "a managed policy holds no more"
