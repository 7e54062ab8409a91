"""Security groups that do what they say: what they do not admit does not reach a machine."""

import subprocess
from typing import Any

from .account import Account

_TABLE = "table inet security_groups"


def rules(account: Account, instance: Any) -> str:
    """What an instance's groups admit, in nft's language (nft(8)).

    Replies to its own connections are admitted, as on EC2.
    """
    admitted = [
        line
        for group in instance.security_groups
        for rule in group.ingress_rules
        if (line := _rule(account, rule)) is not None
    ]
    always = ["iif lo accept", "ct state established,related accept", "icmpv6 type 133-137 accept"]
    lines = dict.fromkeys(["type filter hook input priority 0; policy drop;", *always, *admitted])
    return "\n".join([_TABLE, f"delete {_TABLE}", f"{_TABLE} {{", "chain input {", *lines, "}", "}", ""])


def apply(namespace: str, text: str) -> None:
    """Put the rules in place, all at once, in a named network namespace."""
    command = ["ip", "netns", "exec", namespace, "nft", "-f", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"nft in {namespace}: {done.stderr.strip()}")


def _rule(account: Account, rule: Any) -> str | None:
    source = _source(account, rule)
    if source is None:
        return None
    protocol = rule.ip_protocol
    if protocol in ("-1", -1, None):
        return f"{source} accept"
    if protocol in ("tcp", "udp"):
        return f"{source} {protocol} dport {rule.from_port}-{rule.to_port} accept"
    return f"{source} meta l4proto {protocol} accept"


def _source(account: Account, rule: Any) -> str | None:
    if rule.cidr_ipv4:
        return f"ip saddr {rule.cidr_ipv4}"
    if rule.cidr_ipv6:
        return f"ip6 saddr {rule.cidr_ipv6}"
    group_id = rule.source_group.get("GroupId")
    members = [
        each.private_ip
        for each in account.instances()
        if each.state != "terminated" and any(group.id == group_id for group in each.security_groups)
    ]
    return f"ip saddr {{ {', '.join(sorted(set(members)))} }}" if members else None
