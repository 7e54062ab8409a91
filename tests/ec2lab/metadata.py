"""The instance metadata service: what an instance can ask of itself (EC2 User Guide, "Instance metadata and
user data").
"""

import base64
import json
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any

from .account import ACCOUNT, Account

_Tree = dict[str, Any]
# How cloud-init calls itself: in Debian 13, and in Debian 12 where it fetches what it has found.
_CLOUD_INIT = ("Cloud-Init/", "python-requests/")


class Metadata:
    """The WSGI application.  The caller is identified by its address."""

    def __init__(self, account: Account, lock: Any) -> None:
        self._account, self._lock = account, lock
        self._tokens: dict[str, float] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self._lock:
            status, body = self._answer(environ)
        start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    def _answer(self, environ: dict[str, Any]) -> tuple[str, bytes]:
        asked = environ.get("REMOTE_ADDR", "")
        living = (each for each in self._account.instances() if each.state not in ("terminated", "stopped"))
        instance = next((each for each in living if each.private_ip == asked), None)
        if instance is None or instance.metadata_options.http_endpoint == "disabled":
            return "403 Forbidden", b""
        path = environ.get("PATH_INFO", "/")
        if path == "/latest/api/token":
            return self._token(environ)
        if not self._admitted(environ, required=instance.metadata_options.http_tokens == "required"):
            return "401 Unauthorized", b""
        # All versions have the same contents here.
        _, _, rest = path.lstrip("/").partition("/")
        found = _find(self._tree(instance), rest)
        return ("404 Not Found", b"") if found is None else ("200 OK", found)

    def _admitted(self, environ: dict[str, Any], *, required: bool) -> bool:
        """Whether the question has the token that it needs."""
        given = environ.get("HTTP_X_AWS_EC2_METADATA_TOKEN", "")
        if given:
            return self._tokens.get(given, 0) > time.monotonic()
        # cloud-init requests a token where the firmware says that this is EC2, and a container has no
        # firmware.
        return not required or environ.get("HTTP_USER_AGENT", "").startswith(_CLOUD_INIT)

    def _token(self, environ: dict[str, Any]) -> tuple[str, bytes]:
        seconds = environ.get("HTTP_X_AWS_EC2_METADATA_TOKEN_TTL_SECONDS", "")
        if environ["REQUEST_METHOD"] != "PUT":
            return "405 Not Allowed", b""
        if not seconds.isdigit() or not 1 <= int(seconds) <= 21600:
            return "400 Bad Request", b""
        token = secrets.token_urlsafe(42)
        self._tokens[token] = time.monotonic() + int(seconds)
        return "200 OK", token.encode()

    def _tree(self, instance: Any) -> _Tree:
        region, zone = self._account.region, instance.availability_zone
        interface = instance.nics[0]
        host = instance.private_dns_name
        key = self._account.ec2.key_pairs.get(instance.key_name)
        mac = "02:00:" + ":".join(f"{int(octet):02x}" for octet in instance.private_ip.split("."))
        public = {"public-ipv4": instance.public_ip} if instance.public_ip else {}
        groups = "\n".join(group.name for group in instance.security_groups)
        meta: _Tree = {
            "ami-id": instance.image_id,
            "ami-launch-index": str(instance.ami_launch_index),
            "ami-manifest-path": "(unknown)",
            "block-device-mapping": {"ami": instance.root_device_name, "root": instance.root_device_name},
            "hostname": host,
            "instance-action": "none",
            "instance-id": instance.id,
            "instance-life-cycle": "spot" if instance.lifecycle == "spot" else "on-demand",
            "instance-type": instance.instance_type,
            "local-hostname": host,
            "local-ipv4": instance.private_ip,
            "mac": mac,
            "network": {
                "interfaces": {
                    "macs": {
                        mac: {
                            "device-number": "0",
                            "interface-id": interface.id,
                            "local-hostname": host,
                            "local-ipv4s": instance.private_ip,
                            "mac": mac,
                            "owner-id": ACCOUNT,
                            "security-groups": groups,
                            "subnet-id": instance.subnet_id,
                            "subnet-ipv4-cidr-block": interface.subnet.cidr_block,
                            "vpc-id": instance.vpc_id,
                        }
                    }
                }
            },
            "placement": {"availability-zone": zone, "region": region},
            "profile": "default-hvm",
            **public,
            "reservation-id": getattr(instance, "reservation_id", ""),
            "security-groups": groups,
            "services": {"domain": "amazonaws.com", "partition": "aws"},
        }
        if key:
            meta["public-keys"] = {f"0={instance.key_name}": {"openssh-key": key.material_public.decode()}}
        if instance.metadata_options.instance_metadata_tags == "enabled":
            meta["tags"] = {"instance": {tag["key"]: tag["value"] for tag in instance.get_tags()}}
        document = {
            "accountId": ACCOUNT,
            "architecture": instance.architecture,
            "availabilityZone": zone,
            "imageId": instance.image_id,
            "instanceId": instance.id,
            "instanceType": instance.instance_type,
            "pendingTime": instance.launch_time.isoformat(),
            "privateIp": instance.private_ip,
            "region": region,
            "version": "2017-09-30",
        }
        tree: _Tree = {
            "meta-data": meta,
            "dynamic": {"instance-identity": {"document": json.dumps(document, indent=2)}},
        }
        if instance.user_data:
            tree["user-data"] = base64.b64decode(str(instance.user_data))
        return tree


def _find(tree: _Tree, path: str) -> bytes | None:
    """A value, or the names below a directory, those of directories with a slash at the end."""
    node: Any = tree
    for part in [each for each in path.split("/") if each]:
        if not isinstance(node, dict):
            return None
        # Keys are listed as `0=name` and requested as `0`.
        name = next((key for key in node if part in (key, key.partition("=")[0])), None)
        if name is None:
            return None
        node = node[name]
    if isinstance(node, dict):
        listed = [
            key + ("/" if isinstance(value, dict) and "=" not in key else "") for key, value in node.items()
        ]
        return "\n".join(listed).encode()
    return node if isinstance(node, bytes) else str(node).encode()
