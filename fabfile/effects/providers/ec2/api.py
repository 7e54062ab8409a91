"""The calls to AWS: the only use of boto3.

Credentials, region, retries and endpoints come from boto3's own chain (Boto3 documentation, "Credentials" and
"Configuration"), so profiles, SSO, roles and AWS_ENDPOINT_URL work as everywhere.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ....core.ec2.options import zone_text
from ....core.errors import Preflight
from ... import dry_run
from . import errors
from .errors import Source, source

if TYPE_CHECKING:
    from boto3 import Session
    from types_boto3_ec2 import EC2Client
    from types_boto3_ec2.type_defs import FilterTypeDef
    from types_boto3_service_quotas import ServiceQuotasClient
    from types_boto3_ssm import SSMClient
    from types_boto3_sts import STSClient

T = TypeVar("T")


class Api:
    """One account in one region."""

    def __init__(self, region: str = "") -> None:
        self._region = region
        self._known: dict[tuple[str, ...], Any] = {}

    @property
    def ec2(self) -> "EC2Client":
        """EC2's calls; boto3 repeats those that are throttled or fail inside EC2.

        These and the calls of the other services raise ApiError, or Preflight when boto3 is not set up.
        """
        return cast("EC2Client", _Calls(self, "ec2", retried=True))

    @property
    def ec2_unretried(self) -> "EC2Client":
        """EC2's calls, each made once.

        To boto3 an error that says that a zone has no room is one of the server's, which it would repeat for
        minutes.
        """
        return cast("EC2Client", _Calls(self, "ec2", retried=False))

    @property
    def ssm(self) -> "SSMClient":
        """Systems Manager's calls."""
        return cast("SSMClient", _Calls(self, "ssm", retried=True))

    @property
    def quotas(self) -> "ServiceQuotasClient":
        """Service Quotas' calls."""
        return cast("ServiceQuotasClient", _Calls(self, "service-quotas", retried=True))

    @property
    def sts(self) -> "STSClient":
        """The Security Token Service's calls."""
        return cast("STSClient", _Calls(self, "sts", retried=True))

    @property
    def region(self) -> str:
        """The region that calls go to.  Raises Preflight when none is set, or one that cannot be."""
        return str(self._client("ec2").meta.region_name)

    @property
    def has_region(self) -> bool:
        """Whether boto3 finds the name of a region, be it one or not."""
        from botocore.exceptions import BotoCoreError

        try:
            return bool(self._region or _session().region_name)
        except BotoCoreError:
            return False

    @property
    def region_source(self) -> str:
        """Where the region comes from, in words: `from AWS_DEFAULT_REGION`."""
        if self._region:
            return "as the cluster's specification says"
        if os.environ.get("AWS_DEFAULT_REGION"):
            return "from AWS_DEFAULT_REGION"
        return "from the AWS configuration"

    @property
    def credentials_source(self) -> Source:
        """Where the credentials came from.  Raises Preflight when there are none."""
        from botocore.exceptions import BotoCoreError, NoCredentialsError

        try:
            session = _session()
            found = session.get_credentials()
        except BotoCoreError as error:
            raise errors.setup(error) from None
        if found is None:
            raise errors.setup(NoCredentialsError())
        profile = session.profile_name
        return source(str(found.method), "" if profile == "default" else profile)

    def call(self, operation: str, *, service: str = "ec2", retried: bool = True, **parameters: Any) -> Any:
        """One call by its name in boto3, for example `describe_vpcs`."""
        looks = operation.startswith(("describe_", "get_", "decode_")) or bool(parameters.get("DryRun"))
        dry_run.guard(operation, looks=looks)
        method = getattr(self._client(service, retried), operation)
        return self._guarded(operation, partial(method, **parameters))

    def pages(self, operation: str, result: str, **parameters: Any) -> list[Any]:
        """All pages of a listing of EC2's: the items under the key `result`."""

        def collect() -> list[Any]:
            pages = self._client("ec2").get_paginator(operation).paginate(**parameters)
            return [item for page in pages for item in page.get(result, [])]

        return self._guarded(operation, collect)

    def cached(self, key: tuple[str, ...], ask: Callable[[], T]) -> T:
        """What `ask` returned, or the Preflight that it raised, the first time for that key."""
        if key not in self._known:
            try:
                self._known[key] = ask()
            except Preflight as error:
                self._known[key] = error
        known: T | Preflight = self._known[key]
        if isinstance(known, Preflight):
            raise known
        return known

    def known_regions(self) -> list[str]:
        """The names of all regions that this boto3 knows; makes no call."""
        session = _session()
        return sorted(
            {
                name
                for partition in session.get_available_partitions()
                for name in session.get_available_regions("ec2", partition)
            }
        )

    def _guarded(self, operation: str, ask: Callable[[], T]) -> T:
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
        from botocore.exceptions import ConnectionError as NoConnection

        name = "".join(word.capitalize() for word in operation.split("_"))
        try:
            return ask()
        except ClientError as error:
            raise errors.refused(name, error.response, self.credentials_source) from None
        except (NoConnection, HTTPClientError) as error:
            raise errors.unanswered(name, error) from None
        except BotoCoreError as error:
            raise errors.setup(error) from None
        except EOFError:
            raise Preflight(errors.MFA) from None

    def _client(self, service: str, retried: bool = True) -> Any:
        from botocore.exceptions import BotoCoreError

        try:
            client = _client(service, self._region, retried)
        except (BotoCoreError, ValueError) as error:
            raise errors.setup(error) from None
        if zone_text(client.meta.region_name):
            raise errors.not_a_region(client.meta.region_name, self.region_source)
        return client


class _Calls:
    """The calls of one service as methods, through `Api.call`; to a type checker it is boto3's client."""

    def __init__(self, api: Api, service: str, *, retried: bool) -> None:
        self._api, self._service, self._retried = api, service, retried

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return partial(self._api.call, operation, service=self._service, retried=self._retried)


def filters(wanted: Mapping[str, str | Sequence[str]]) -> "list[FilterTypeDef]":
    """Filters as EC2 takes them, by name; empty ones are left out."""
    return [
        {"Name": name, "Values": [value] if isinstance(value, str) else list(value)}
        for name, value in wanted.items()
        if value
    ]


def is_configured() -> bool:
    """Whether the environment or ~/.aws gives access to AWS (Boto3, "Credentials").  Makes no call."""
    variables = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_ROLE_ARN", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE")
    folder = Path("~/.aws").expanduser()
    return any(os.environ.get(name) for name in variables) or any(
        (folder / name).is_file() for name in ("config", "credentials")
    )


def forget_sessions() -> None:
    """Read the environment and the configuration anew at the next call."""
    _session.cache_clear()
    _client.cache_clear()


@lru_cache(maxsize=1)
def _session() -> "Session":
    import boto3  # 0.3 s that `fab --list` need not pay
    import botocore.session

    session = botocore.session.get_session()
    with suppress(AttributeError, ValueError):  # botocore may change: then it prompts in its own way
        credentials = session.get_component("credential_provider")
        credentials.get_provider("assume-role")._prompter = _mfa_code
    return boto3.Session(botocore_session=session)


def _mfa_code(prompt: str) -> str:
    """The code that the user types or that stands on standard input.  Raises EOFError where there is none.

    getpass(3) would print a warning, and the prompt, where there is no terminal.
    """
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        if line := sys.stdin.readline():
            return line.strip()
        raise EOFError from None
    return getpass(prompt)


@lru_cache(maxsize=16)
def _client(service: str, region: str, retried: bool) -> Any:
    from botocore.config import Config

    # What the user set in the environment or in ~/.aws/config takes precedence over what is best here.
    chosen = "AWS_MAX_ATTEMPTS" in os.environ or "AWS_RETRY_MODE" in os.environ
    retries: dict[str, Any] = {"mode": "standard", "total_max_attempts": 8 if retried else 1}
    ours: dict[str, Any] = {} if chosen and retried else {"retries": retries}
    config = Config(connect_timeout=10, read_timeout=60, user_agent_extra="sirikata-cluster", **ours)
    client: Callable[..., Any] = _session().client  # which is overloaded by the service's name
    return client(service, region_name=region or None, config=config)
