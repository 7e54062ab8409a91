"""Requests to AWS and its replies, as they travel."""

import io
import json
import re
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode
from xml.sax.saxutils import escape

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15"
_SCOPE = re.compile(r"Credential=(?P<key>[^/,]+)/\d+/(?P<region>[^/,]+)/(?P<service>[^/,]+)/aws4_request")
# Fields whose values are secret: logs never hold them.
_SECRET = ("UserData",)


@dataclass
class Call:
    """One request: the action, the caller, the region."""

    service: str
    region: str
    access_key: str
    action: str
    form: dict[str, str]
    environ: dict[str, Any] = field(repr=False)

    @property
    def dry(self) -> bool:
        return self.form.get("DryRun", "false").lower() == "true"

    def many(self, name: str) -> list[str]:
        """The values of a list in the query protocol: `Name.1`, `Name.2` ..."""
        numbered = ((key.rpartition("."), value) for key, value in self.form.items())
        return [value for (stem, _, number), value in numbered if stem == name and number.isdigit()]

    def groups(self, name: str) -> dict[str, dict[str, str]]:
        """The structures of a list: `Name.1.Field` ... as {"1": {"Field": value}}."""
        found: dict[str, dict[str, str]] = {}
        for key, value in self.form.items():
            if key.startswith(f"{name}."):
                number, _, rest = key[len(name) + 1 :].partition(".")
                found.setdefault(number, {})[rest] = value
        return found

    @property
    def public(self) -> dict[str, str]:
        """The parameters without secrets, as a log may hold them."""
        return {
            key: f"({len(value)} bytes)" if key in _SECRET else value
            for key, value in self.form.items()
            if key not in ("Action", "Version")
        }

    def rewritten(self) -> dict[str, Any]:
        """The WSGI environment with the form as it is now."""
        if self.service != "ec2":
            return self.environ
        body = urlencode(self.form).encode()
        return {**self.environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}


def read_call(environ: dict[str, Any]) -> Call:
    """The request of a WSGI environment, whose body can be read again."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        given = json.loads(body or b"{}")
        form = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
        action = target.rpartition(".")[2]
    else:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        action = form.get("Action", environ.get("PATH_INFO", ""))
    where = scope.groupdict() if scope else {"service": "", "region": "", "key": ""}
    return Call(where["service"], where["region"], where["key"], action, form, environ)


class Refused(Exception):
    """An error as AWS returns it."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


@dataclass
class Reply:
    """A reply, whole."""

    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(
        default_factory=lambda: [("Content-Type", "text/xml;charset=UTF-8")]
    )

    @property
    def error(self) -> str:
        """The code of the error in it; empty where it is none."""
        if self.status < 400:
            return ""
        text = self.body.decode(errors="replace")
        found = re.search(r"<Code>([^<]+)</Code>", text) or re.search(
            r'"__type": *"(?:[^"#]*#)?([^"]+)"', text
        )
        return found.group(1) if found else f"HTTP {self.status}"


def refusal(call: Call, error: Refused) -> Reply:
    """An error in the form that the call's service gives it."""
    request_id = uuid.uuid4()
    code, message = escape(error.code), escape(error.message)
    if call.service in ("ec2", ""):
        inner = f"<Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
        return Reply(
            error.status, f"<Response>{inner}<RequestID>{request_id}</RequestID></Response>".encode()
        )
    if call.environ.get("HTTP_X_AMZ_TARGET"):
        body = json.dumps({"__type": error.code, "message": error.message}).encode()
        return Reply(error.status, body, [("Content-Type", "application/x-amz-json-1.1")])
    inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    body = f"<ErrorResponse>{inner}<RequestId>{request_id}</RequestId></ErrorResponse>".encode()
    return Reply(error.status, body)


def answer(action: str, inner: str) -> Reply:
    """A reply of EC2 that moto has no part in."""
    head = f'<{action}Response xmlns="{NAMESPACE}"><requestId>{uuid.uuid4()}</requestId>'
    return Reply(200, f"{head}{inner}</{action}Response>".encode())
