"""Errors of EC2 and boto3 as sentences with a next step, and where AWS credentials come from.

Codes: EC2 API reference, "Error codes for the Amazon EC2 API".
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ....core.ec2.options import zone_text
from ....core.errors import ClusterError, Preflight, Problem, named

if TYPE_CHECKING:
    from botocore.exceptions import _ClientErrorResponseTypeDef as ClientErrorResponseTypeDef

# The request rate limit is reached, for longer than boto3 repeats calls by itself.
THROTTLED = frozenset(
    {"RequestLimitExceeded", "Throttling", "ThrottlingException", "SlowDown", "EC2ThrottledException"}
)
# This zone lacks capacity or the instance type; another zone may have them.
NO_CAPACITY = frozenset(
    {
        "InsufficientInstanceCapacity",
        "InsufficientHostCapacity",
        "InsufficientReservedInstanceCapacity",
        "InsufficientFreeAddressesInSubnet",
        "InsufficientCapacityOnHost",
        "Unsupported",
        "SpotMaxPriceTooLow",
    }
)
QUOTA = frozenset(
    {
        "VcpuLimitExceeded",
        "InstanceLimitExceeded",
        "MaxSpotInstanceCountExceeded",
        "SpotInstanceCountLimitExceeded",
    }
)
# Such a call may or may not have taken effect: only the same call with the same client token shows which.
_UNCERTAIN = frozenset(
    {"InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable", "RequestTimeout"}
)
_EXPIRED = frozenset({"RequestExpired", "ExpiredToken", "ExpiredTokenException"})
_UNKNOWN_CALLER = frozenset(
    {"AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"}
)
_FORBIDDEN = frozenset({"UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "OptInRequired"})


@dataclass(frozen=True)
class Source:
    """A place that boto3 takes credentials from, and the next step when they have expired."""

    name: str
    renewal: str

    def __str__(self) -> str:
        return self.name


class ApiError(ClusterError):
    """EC2 refused a call, or did not respond to it.

    code       EC2's error code; empty when there was no response
    said       EC2's message
    uncertain  whether the call may have taken effect all the same
    """

    def __init__(
        self, operation: str, code: str, said: str, *, uncertain: bool = False, text: str = ""
    ) -> None:
        self.operation, self.code, self.said, self.uncertain = operation, code, said, uncertain
        super().__init__(text or f"EC2 refused {operation} ({code}: {said})")

    @property
    def throttled(self) -> bool:
        """Whether EC2's request rate limit is reached."""
        return self.code in THROTTLED

    @property
    def no_capacity(self) -> bool:
        """Whether another zone may succeed."""
        return self.code in NO_CAPACITY

    @property
    def unauthenticated(self) -> bool:
        """Whether EC2 does not know the caller, so that every other call would fail alike."""
        return self.code in _EXPIRED | _UNKNOWN_CALLER

    @property
    def forbidden(self) -> bool:
        """Whether the caller may not make this call."""
        return self.code in _FORBIDDEN


def refused(operation: str, response: "ClientErrorResponseTypeDef", source: Source) -> ApiError:
    """EC2's refusal of a call; `source` is where the credentials came from."""
    error = response.get("Error", {})
    code, said = str(error.get("Code", "")), str(error.get("Message", "")).strip()
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    uncertain = code in _UNCERTAIN or (status >= 500 and code not in THROTTLED | NO_CAPACITY | QUOTA)
    if uncertain:
        text = (
            f"EC2 failed at {operation} with an error of its own ({code}: {said}). Run the same command "
            "again: nothing is done twice"
        )
    else:
        text = _text(operation, code, f"({code}: {said})", source)
    return ApiError(operation, code, said, uncertain=uncertain, text=text)


def _text(operation: str, code: str, quoted: str, source: Source) -> str:
    if code in _EXPIRED:
        clock = ". Check this machine's clock too: it may be wrong" if code == "RequestExpired" else ""
        return f"the AWS credentials from {source} have expired {quoted}. {source.renewal}{clock}"
    if code in _UNKNOWN_CALLER:
        return (
            f"EC2 does not accept the AWS credentials from {source} {quoted}. Check them: aws sts "
            "get-caller-identity"
        )
    if code in _FORBIDDEN:
        return (
            f"the AWS credentials from {source} may not call {operation} {quoted}. Grant them the policy "
            "that 'fab ec2.policy' prints"
        )
    if code in THROTTLED:
        return (
            f"EC2 throttles {operation} {quoted}: EC2's request rate limit is reached; run the same command "
            "again in a minute"
        )
    if code in QUOTA:
        return (
            f"the account's quota does not allow this {quoted}. Terminate instances, choose a smaller type, "
            "or request an increase: Service Quotas, 'Amazon EC2'"
        )
    return f"EC2 refused {operation} {quoted}"


def unanswered(operation: str, error: Exception) -> ApiError:
    """No response at all: the network, a proxy, a region that does not exist."""
    said = str(error) or type(error).__name__
    text = (
        f"EC2 did not respond to {operation} ({said}). Check the network, the region and AWS_ENDPOINT_URL, "
        "then run the same command again"
    )
    return ApiError(operation, "", said, uncertain=True, text=text)


# Of a profile with `mfa_serial`, where the code was not or cannot be typed.
MFA = (
    "the AWS profile needs an MFA code: run this command in a terminal, or set AWS_PROFILE to a profile "
    "without mfa_serial"
)

# By the name of botocore's exception: what is wrong with the configuration, and the next step.
_SETUP = {
    "NoCredentialsError": (
        "no AWS credentials found: run 'aws configure' or 'aws sso login', or set AWS_PROFILE, or "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    ),
    "PartialCredentialsError": "the AWS credentials are incomplete ({said}): set both AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY",
    "ProfileNotFound": "AWS_PROFILE names a profile that ~/.aws/config does not have ({said}): "
    "'aws configure list-profiles' lists the profiles",
    "NoRegionError": (
        "no AWS region is set: give one with {region}, for example eu-central-1, or set AWS_DEFAULT_REGION, "
        "or 'region' in ~/.aws/config"
    ),
    "RefreshWithMFAUnsupportedError": MFA,
    "InvalidRegionError": "invalid AWS region ({said}): expected a name such as eu-central-1",
}
_REGION_ERRORS = ("NoRegionError", "InvalidRegionError")


def setup(error: Exception) -> Preflight:
    """What is missing on this machine before any call can be made."""
    said, kind = str(error).rstrip(".") or type(error).__name__, type(error).__name__
    text = _SETUP.get(
        kind, "boto3 cannot use its configuration ({said}): check ~/.aws and the AWS_* variables"
    )
    if "SSO" in kind or "Token" in kind:
        text = "the AWS SSO session has expired ({said}): run 'aws sso login'"
    field = "region" if kind in _REGION_ERRORS else ""
    return Preflight(Problem("", field, text.format(said=said, region=named("region"))))


def not_a_region(region: str, where: str) -> Preflight:
    """A name that boto3 takes as a region's and that is one of a zone."""
    text = f"{region!r} is not an AWS region ({where}){zone_text(region)}"
    return Preflight(Problem("", "region", text))


_FILE = "Put new ones there: aws configure"
_ROLE = "Renew the credentials that assume it (source_profile or credential_source in ~/.aws/config)"
_MACHINE = (
    "AWS renews them automatically, so check the role and whether {0} responds from here; then run the same "
    "command again"
)

# botocore's words for them (botocore.credentials, the METHODs).
_SOURCES: Final = {
    "env": (
        "the environment (AWS_ACCESS_KEY_ID)",
        "Set new ones: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary ones, AWS_SESSION_TOKEN; "
        "or unset them and choose a profile with AWS_PROFILE",
    ),
    "shared-credentials-file": ("~/.aws/credentials", _FILE),
    "config-file": ("~/.aws/config", _FILE),
    "assume-role": ("an assumed role", _ROLE),
    "assume-role-with-web-identity": (
        "a web identity's role",
        "Write a new token to the file that AWS_WEB_IDENTITY_TOKEN_FILE names",
    ),
    "sso": ("AWS SSO", "Log in again: aws sso login{profile}"),
    "custom-process": (
        "a credential process",
        "Check what 'credential_process' in ~/.aws/config runs: it must print new ones",
    ),
    "iam-role": ("this instance's role", _MACHINE.format("its metadata service (169.254.169.254)")),
    "container-role": (
        "this container's role",
        _MACHINE.format("AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI"),
    ),
    "login": ("aws login", "Log in again: aws login{profile}"),
}


def source(method: str, profile: str = "") -> Source:
    """The source that botocore calls by that method; `profile` is the one in use, where one was chosen."""
    name, renewal = _SOURCES.get(method, (method, f"Renew them where they come from ({method})"))
    return Source(name, renewal.format(profile=f" --profile {profile}" if profile else ""))
