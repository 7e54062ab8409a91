"""The calls to AWS: the only use of boto3.

Credentials, region, retries and endpoints come from boto3's own chain (Boto3 documentation, "Credentials" and
"Configuration"), so profiles, SSO, roles and AWS_ENDPOINT_URL work as everywhere.
"""

import os
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from . import errors
from .errors import Source, source

# What an answer holds, as boto3 gives it.
Answer = dict[str, Any]


class Api:
    """One account in one region."""

    def __init__(self, region: str = "") -> None:
        self._region = region

    @property
    def region(self) -> str:
        """The region that calls go to.  Raises Preflight when none is set."""
        return str(self._client("ec2").meta.region_name)

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

    def call(
        self, operation: str, *, service: str = "ec2", patient: bool = True, **parameters: Any
    ) -> Answer:
        """One call, for example `call("describe_vpcs", Filters=[...])`.

        `patient`: boto3 tries again what was throttled or failed inside EC2.  Raises ApiError, or Preflight
        when boto3 is not set up.
        """
        answer: Answer = self._guarded(
            operation, lambda: getattr(self._client(service, patient), operation)(**parameters)
        )
        return answer

    def pages(self, operation: str, result: str, **parameters: Any) -> list[Any]:
        """All pages of a listing: the items under the key `result`."""

        def collect() -> list[Any]:
            pages = self._client("ec2").get_paginator(operation).paginate(**parameters)
            return [item for page in pages for item in page.get(result, [])]

        found: list[Any] = self._guarded(operation, collect)
        return found

    def known_regions(self) -> list[str]:
        """The names of all regions that this boto3 knows; asks nobody."""
        session = _session()
        return sorted(
            {
                name
                for part in session.get_available_partitions()
                for name in session.get_available_regions("ec2", part)
            }
        )

    def _guarded(self, operation: str, ask: Callable[[], Any]) -> Any:
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

    def _client(self, service: str, patient: bool = True) -> Any:
        from botocore.exceptions import BotoCoreError

        try:
            return _client(service, self._region, patient)
        except (BotoCoreError, ValueError) as error:
            raise errors.setup(error) from None


def forget_sessions() -> None:
    """Read the environment and the configuration anew at the next call."""
    _session.cache_clear()
    _client.cache_clear()


@lru_cache(maxsize=1)
def _session() -> Any:
    import boto3  # 0.3 s that `fab --list` need not pay

    return boto3.Session()


@lru_cache(maxsize=16)
def _client(service: str, region: str, patient: bool) -> Any:
    from botocore.config import Config

    # What a person set in the environment or in ~/.aws/config counts more than what is best here.
    chosen = "AWS_MAX_ATTEMPTS" in os.environ or "AWS_RETRY_MODE" in os.environ
    retries: dict[str, Any] = {"mode": "standard", "total_max_attempts": 8 if patient else 1}
    ours: dict[str, Any] = {} if chosen and patient else {"retries": retries}
    config = Config(
        connect_timeout=10,
        read_timeout=60,
        user_agent_extra="sirikata-cluster",
        **ours,
    )
    return _session().client(service, region_name=region or None, config=config)
