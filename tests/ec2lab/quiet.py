"""How the laboratory's servers handle a request."""

from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler


class Quiet(MotoRequestHandler):
    """Requests are logged by the laboratory, not on stderr."""

    def log(self, type: str, message: str, *args: Any) -> None:
        pass
