"""What EC2 and boto3 say when something goes wrong, as sentences with a next step.

Codes: EC2 API reference, "Error codes for the Amazon EC2 API".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ....core.errors import ClusterError, Preflight

# The caller asked too fast, for longer than boto3 tries again by itself.
THROTTLED = frozenset(
    {"RequestLimitExceeded", "Throttling", "ThrottlingException", "SlowDown", "EC2ThrottledException"}
)
# This place has no room or no such type; another zone may have.
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
# Nothing is known of what became of such a call: the same one, with the same client token, tells.
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
    """A place that boto3 took credentials from, and the next step when they have expired."""

    name: str
    renewal: str

    def __str__(self) -> str:
        return self.name


class ApiError(ClusterError):
    """EC2 refused a call, or did not answer it.

    code       EC2's word for it; empty when there was no answer
    uncertain  whether the call may have taken effect all the same
    """

    def __init__(
        self, operation: str, code: str, said: str, *, uncertain: bool = False, why: str = ""
    ) -> None:
        self.operation, self.code, self.said, self.uncertain = operation, code, said, uncertain
        super().__init__(why or f"EC2 refused {operation}: {code}: {said}")

    @property
    def throttled(self) -> bool:
        return self.code in THROTTLED

    @property
    def no_capacity(self) -> bool:
        return self.code in NO_CAPACITY

    @property
    def unauthenticated(self) -> bool:
        """Whether EC2 does not know the caller, so that every other call would fail alike."""
        return self.code in _EXPIRED | _UNKNOWN_CALLER

    @property
    def forbidden(self) -> bool:
        """Whether the caller may not make this call."""
        return self.code in _FORBIDDEN


def refused(operation: str, answer: Mapping[str, Any], source: Source) -> ApiError:
    """The error that EC2 answered; `source` is where the credentials came from."""
    told = answer.get("Error", {})
    code, said = str(told.get("Code", "")), str(told.get("Message", "")).strip()
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    uncertain = code in _UNCERTAIN or (status >= 500 and code not in THROTTLED | NO_CAPACITY | QUOTA)
    why = _why(operation, code, said, source)
    if uncertain:
        why = (
            f"EC2 failed at {operation} ({code}: {said}), which is its own trouble. Run this again: nothing"
            " is done twice"
        )
    return ApiError(operation, code, said, uncertain=uncertain, why=why)


def _why(operation: str, code: str, said: str, source: Source) -> str:
    words = f"({code}: {said})"
    if code in _EXPIRED:
        clock = " This machine's clock may also be wrong: check it" if code == "RequestExpired" else ""
        return f"the AWS credentials from {source} have expired {words}. {source.renewal}.{clock}".rstrip(".")
    if code in _UNKNOWN_CALLER:
        return (
            f"EC2 does not accept the AWS credentials from {source} {words}. Check them: aws sts"
            " get-caller-identity"
        )
    if code in _FORBIDDEN:
        return (
            f"the AWS credentials from {source} may not call {operation} {words}. The README's IAM policy"
            " allows what is needed"
        )
    if code in THROTTLED:
        return (
            f"EC2 throttles {operation} {words}: other callers use the account's rate up. Wait a minute, then"
            " run this again"
        )
    if code in QUOTA:
        return (
            f"the account's quota does not allow this {words}. Terminate something, choose a smaller type, or"
            " ask for more: Service Quotas, 'Amazon EC2'"
        )
    return f"EC2 refused {operation} {words}"


def unanswered(operation: str, error: Exception) -> ApiError:
    """No answer at all: the network, a proxy, a region that does not exist."""
    said = str(error) or type(error).__name__
    why = (
        f"EC2 did not answer {operation} ({said}). Check the network, the region and AWS_ENDPOINT_URL, then"
        " run this again"
    )
    return ApiError(operation, "", said, uncertain=True, why=why)


# By the name of botocore's exception: what is wrong with the configuration, and the next step.
_SETUP = {
    "NoCredentialsError": (
        "there are no AWS credentials: run 'aws configure' or 'aws sso login', or set AWS_PROFILE, or"
        " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    ),
    "PartialCredentialsError": (
        "the AWS credentials are incomplete ({said}): set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    ),
    "ProfileNotFound": (
        "{said}: AWS_PROFILE names none of the profiles in ~/.aws/config; 'aws configure list-profiles' lists"
        " them"
    ),
    "NoRegionError": (
        "no AWS region is set: give --region=eu-central-1 or the like, or set AWS_DEFAULT_REGION, or 'region'"
        " in ~/.aws/config"
    ),
    "InvalidRegionError": "{said}: give a region such as eu-central-1",
}


def setup(error: Exception) -> Preflight:
    """What is missing on this side before any call can be made."""
    said = str(error).rstrip(".") or type(error).__name__
    text = _SETUP.get(
        type(error).__name__,
        "boto3 cannot use its configuration ({said}): check ~/.aws and the AWS_* variables",
    )
    if "SSO" in type(error).__name__ or "Token" in type(error).__name__:
        text = "the AWS SSO session is over ({said}): aws sso login"
    return Preflight(text.format(said=said))


_FILE = "Put new ones there: aws configure"
_ROLE = "Renew those that it is assumed with (source_profile or credential_source in ~/.aws/config)"
_MACHINE = (
    "They are renewed by themselves, so look at the role and at whether {0} answers from here; then run this"
    " again"
)

# botocore's words for them (botocore.credentials, the METHODs).
_KNOWN: Final = {
    "env": (
        "the environment (AWS_ACCESS_KEY_ID)",
        (
            "Set new ones: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary ones,"
            " AWS_SESSION_TOKEN; or unset them and choose a profile by AWS_PROFILE"
        ),
    ),
    "shared-credentials-file": ("~/.aws/credentials", _FILE),
    "config-file": ("~/.aws/config", _FILE),
    "assume-role": ("an assumed role", _ROLE),
    "assume-role-with-web-identity": (
        "a web identity's role",
        "Have whoever writes the file that AWS_WEB_IDENTITY_TOKEN_FILE names write a new token",
    ),
    "sso": ("AWS SSO", "Log in again: aws sso login{profile}"),
    "custom-process": (
        "a credential process",
        "Look at what 'credential_process' in ~/.aws/config runs: it is to answer new ones",
    ),
    "iam-role": ("this instance's role", _MACHINE.format("its metadata service (169.254.169.254)")),
    "container-role": (
        "this container's role",
        _MACHINE.format("AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI"),
    ),
    "login": ("aws login", "Log in again: aws login{profile}"),
}


def source(method: str, profile: str = "") -> Source:
    """The source that botocore calls by that method; `profile` is the one in use, where it was chosen."""
    name, renewal = _KNOWN.get(method, (method, f"Renew them where they come from ({method})"))
    return Source(name, renewal.format(profile=f" --profile {profile}" if profile else ""))
