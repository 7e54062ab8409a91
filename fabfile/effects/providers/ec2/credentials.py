"""Where AWS credentials come from, in words, and what to do when they have expired."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Source:
    """A place that boto3 took credentials from, and the next step when they have expired."""

    name: str
    renewal: str

    def __str__(self) -> str:
        return self.name


_FILE = "Put new ones there: aws configure"
_ROLE = "Renew those that it is assumed with (source_profile or credential_source in ~/.aws/config)"
_MACHINE = "They are renewed by themselves, so look at the role and at whether {0} answers from here; then run this again"

# botocore's words for them (botocore.credentials, the METHODs).
_KNOWN: Final = {
    "env": (
        "the environment (AWS_ACCESS_KEY_ID)",
        "Set new ones: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary ones, AWS_SESSION_TOKEN; or unset "
        "them and choose a profile by AWS_PROFILE",
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
