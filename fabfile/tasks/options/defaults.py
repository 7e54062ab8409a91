"""Options of EC2 that were not typed: from the environment, else from the project's fabric.yaml."""

import os
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from ...core.ec2.options import Ec2Options, ec2_problems
from ...core.errors import Problem, UsageError, named, shown
from ...core.spec.cluster import ClusterSpec, validate
from ...effects.files.text import whole

# The variables of the first sirikata-cluster.
VARIABLES = {"BASE_AMI": "ami", "INSTANCE_TYPE": "instance_type", "SECURITY_GROUP": "group"}
_FIELDS = tuple(field.name for field in fields(Ec2Options))
_FILE = "fabric.yaml, sirikata_cluster.ec2"

EC2_HELP = {
    "instance_type": "EC2 instance type (default t3.small, for a Puppet master t3.medium)",
    "group": "EC2 security group (default: the VPC's own)",
    "ami": "EC2 machine image, or 'ssm:/parameter' (default: the newest Debian)",
    "region": "AWS region (default: what the AWS configuration says)",
    "subnet": "EC2 subnet; may be repeated, in the order to try",
    "spot": "request EC2 spot instances",
    "max_price": "highest price of a spot instance, in US dollars an hour",
    "address": "which address SSH goes to: auto (default), public, private",
    "pem": "the private key file of the key pair",
}


def with_ec2(c: Any, typed: Mapping[str, Any], spec: ClusterSpec, *, only: bool = False) -> ClusterSpec:
    """The specification with its EC2 options: as typed, else from the environment, else from fabric.yaml.

    `only`: the typed ones are for EC2 alone.  Raises UsageError with every problem, and the source of its
    value.
    """
    given = {field: value for field, value in typed.items() if value}
    if spec.provider != "ec2":
        if only and given:
            options = " and ".join(map(named, given))
            verb = "is" if len(given) == 1 else "are"
            text = f"{options} {verb} for machines on EC2: add {named('provider')}=ec2"
            raise UsageError([*validate(spec), Problem("", "provider", text)])
        return replace(spec, ec2=_options(given))
    environment, document = _environment(), _document(c)
    problems = [Problem("fabric.yaml", "", text) for text in document.pop("problems", [])]
    sources = {field: where for field in document for where in [_FILE]}
    sources |= {field: name for name, field in VARIABLES.items() if field in environment}
    found = {**document, **environment, **given}
    for field in found:
        if field not in given:
            alone = _options({field: found[field]} | ({"spot": True} if field == "max_price" else {}))
            problems += [
                replace(problem, text=f"{problem.text} (from {sources[field]})")
                for problem in ec2_problems(alone)
            ]
    if problems:
        raise UsageError([*validate(replace(spec, ec2=_options(given))), *problems])
    if not found.get("spot") and "max_price" not in given:
        found.pop("max_price", None)  # which is a default for spot instances only
    return replace(spec, ec2=_options(found))


def region(c: Any, typed: str) -> str:
    """The region:

    As typed, else from fabric.yaml; empty: the one that boto3 finds by itself.  Raises UsageError.
    """
    chosen = Ec2Options(region=typed or str(_document(c).get("region", "")))
    if problems := ec2_problems(chosen):
        raise UsageError(problems)
    return chosen.region


def _options(found: Mapping[str, Any]) -> Ec2Options:
    # A specification outlives the folder that it was made in.
    return Ec2Options(**{**found, "pem": whole(found.get("pem", ""))})


def _environment() -> dict[str, Any]:
    return {field: os.environ[name] for name, field in VARIABLES.items() if os.environ.get(name)}


def _document(c: Any) -> dict[str, Any]:
    """The options of EC2 in the project's fabric.yaml, and under `problems` what is wrong with them."""
    section = c.config.get("sirikata_cluster", {})
    values = section.get("ec2", {}) if isinstance(section, Mapping) else None
    if not isinstance(values, Mapping):
        return {
            "problems": [
                "sirikata_cluster must contain a mapping 'ec2', for example sirikata_cluster: {ec2: {ami: …}}"
            ]
        }
    found: dict[str, Any] = {}
    problems = [
        f"ec2 has no option {key!r}: choose one of {', '.join(_FIELDS)}"
        for key in values
        if key not in _FIELDS
    ]
    for field in _FIELDS:
        value = values.get(field)
        if value in (None, "", []):
            continue
        try:
            found[field] = _value(field, value)
        except ValueError as error:
            problems.append(f"ec2.{field} must be {error}, got {shown(value)}")
    return found | ({"problems": problems} if problems else {})


def _value(field: str, value: Any) -> Any:
    """A value of the document as the option takes it.  Raises ValueError, whose text says what it must be."""
    if field == "spot":
        if not isinstance(value, bool):
            raise ValueError("true or false")
        return value
    if field == "subnets":
        words = [value] if isinstance(value, str) else value
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ValueError("a list of subnets")
        return tuple(words)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError("a word")
    return str(value)
