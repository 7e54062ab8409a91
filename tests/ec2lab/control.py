"""The laboratory by curl: what a test calls as methods, curl calls below /lab/."""

import inspect
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from .laboratory import Laboratory

USAGE = """\
GET  /lab/instances                       every instance that ever existed
GET  /lab/calls [?action=RunInstances]    every call
GET  /lab/counts                          how often each action was called
GET  /lab/leaks                           what would cost money or obstruct later tests
GET  /lab/checkip                         the caller's own public address
POST /lab/fail          code= [action=] [skip=] [times=]  refuse calls: RequestLimitExceeded, AuthFailure ...
POST /lab/lose_reply    [action=] [skip=] [times=]        calls take effect, but their responses are lost
POST /lab/lose_request  [action=] [skip=] [times=]           calls are lost before they take effect
POST /lab/exhaust       where=eu-central-1a|subnet-...       no capacity there
POST /lab/supply        [where=]                             capacity again
POST /lab/quota         code=L-1216C47A value=8              the account's vCPUs (L-34B43A08: spot)
POST /lab/die_at_boot   [index=] [code=] [message=] [times=] an instance of the next launch dies
POST /lab/kill          instance_id= [code=] [message=]      an instance dies
POST /lab/reclaim       instance_id=                         a spot instance is reclaimed
POST /lab/console       instance_id= text=                   what it wrote to its console
POST /lab/set_timing    [boot=] [stop=] [terminate=] [hidden=] [hidden_calls=]   seconds, and calls
POST /lab/pass_time | clear | reset | forget_calls | forget_terminated
For example: curl -d 'code=RequestLimitExceeded&action=RunInstances&times=3' $AWS_ENDPOINT_URL/lab/fail
"""
_ORDERS = (
    "fail",
    "lose_reply",
    "lose_request",
    "exhaust",
    "supply",
    "quota",
    "die_at_boot",
    "kill",
    "reclaim",
    "console",
    "set_timing",
    "pass_time",
    "clear",
    "reset",
    "forget_calls",
    "forget_terminated",
)
_Start = Callable[..., Any]


class Control:
    """The WSGI application in front of the API."""

    def __init__(self, laboratory: "Laboratory", api: Callable[..., Iterable[bytes]]) -> None:
        self._laboratory, self._api = laboratory, api

    def __call__(self, environ: dict[str, Any], start_response: _Start) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not path.startswith("/lab"):
            return self._api(environ, start_response)
        verb = path.removeprefix("/lab").strip("/")
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
        given = dict(parse_qsl(f"{environ.get('QUERY_STRING', '')}&{body}"))
        try:
            status, text = "200 OK", self._do(environ["REQUEST_METHOD"], verb, given)
        except (TypeError, ValueError, StopIteration) as error:
            status, text = "400 Bad Request", f"{error or 'no such instance'}\n"
        start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
        return [text.encode()]

    def _do(self, method: str, verb: str, given: dict[str, str]) -> str:
        laboratory = self._laboratory
        if verb == "checkip":
            return f"{laboratory.caller}\n"
        if verb == "instances":
            return _json([asdict(each) for each in laboratory.instances()])
        if verb == "calls":
            return _json(
                [asdict(each) for each in laboratory.calls if given.get("action", each.action) == each.action]
            )
        if verb == "counts":
            return _json(dict(laboratory.counts()))
        if verb == "leaks":
            return _json(laboratory.leaks())
        if verb not in _ORDERS or method != "POST":
            return USAGE
        order = getattr(laboratory, verb)
        parameters = inspect.signature(order).parameters
        typed = {k: parameters[k].annotation(v) if k in parameters else v for k, v in given.items()}
        order(**typed)
        return "done\n"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, default=str) + "\n"
