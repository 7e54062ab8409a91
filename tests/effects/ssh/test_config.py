"""Where OpenSSH's configuration leads for a node, as `ssh -G` says: jump hosts, names and files."""

import os
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from fabfile.core.errors import UsageError
from fabfile.core.spec.node import Node
from fabfile.effects.ssh import config
from fabfile.effects.ssh.access import Access, Unreachable
from fabfile.effects.ssh.options import SshOptions

Configure = Callable[..., SshOptions]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Write a configuration and files beside it, as `fab -S` names one: OpenSSH does not follow HOME."""
    (tmp_path / ".ssh").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))

    def write(text: str, **more: str) -> SshOptions:
        for name, content in {"config": text, **more}.items():
            (tmp_path / ".ssh" / name).write_text(content)
        config._resolved.cache_clear()
        return SshOptions(config_file=tmp_path / ".ssh" / "config")

    return write


def node(host: str = "198.18.9.9", port: int = 22) -> Node:
    return Node(
        index=0,
        name="node0",
        address=host,
        ssh_host=host,
        ssh_port=port,
        state="running",
        id="x",
        user="admin",
    )


def names(target: config.Destination, options: SshOptions) -> list[str]:
    return [f"{hop.user}@{hop.host}:{hop.port}" for hop in config.route(target, options)]


def of_node(found: Node, options: SshOptions, known_hosts: Path | None = None) -> config.Destination:
    return config.of_node(found, Access(known_hosts, options=options))


def test_jump_hosts_keep_their_order_and_have_their_own_settings(configure: Configure) -> None:
    options = configure(
        "Host 198.18.*\n ProxyJump first,me@second:99\n"
        "Host first\n HostName 198.18.1.1\n User one\n Port 2222\nHost second\n User two\n ProxyJump third\n"
    )
    assert names(of_node(node(), options), options) == ["one@198.18.1.1:2222", "me@second:99"]
    destination = partial(config.destination, options=options)
    assert config.route(destination("first"), options) == []
    assert names(destination("second"), options)[0].endswith("@third:22")


def test_a_jump_host_for_all_hosts_does_not_jump_through_itself(configure: Configure) -> None:
    options = configure("Host b\n ProxyJump none\nHost *\n ProxyJump jump\nHost jump\n HostName 198.18.1.1\n")
    route = [hop.name for hop in config.route(config.destination("a", options=options), options)]
    assert route == ["jump"]
    assert config.route(config.destination("b", options=options), options) == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Host a\n ProxyJump b\nHost b\n ProxyJump c\nHost c\n ProxyJump b\n", Unreachable),
        ("Host a\n Port many\n", UsageError),
        ("Compression\n", UsageError),
        ("Colour blue\n", UsageError),
    ],
    ids=["circle", "no-number", "no-value", "unknown"],
)
def test_an_invalid_configuration_is_reported(
    configure: Configure, text: str, error: type[Exception]
) -> None:
    options = configure(text)
    with pytest.raises(error, match=r"ssh_config, at|/\.ssh/config"):
        config.route(config.destination("a", options=options), options)


def test_everything_that_openssh_reads_counts(configure: Configure, tmp_path: Path) -> None:
    options = configure(
        f"Include {tmp_path}/.ssh/more-*\nMatch final all\n Port 7\nMatch host a exec true\n User matched\n",
        **{
            "more-1": "Host b\n  User one\n",
            "more-2": f"Include {tmp_path}/.ssh/deep\n",
            "deep": "Host a\n IdentitiesOnly yes\n IdentityFile ~/key-%h\n CertificateFile %d/key-%n.pub\n",
        },
    )
    a, b = config.destination("a", options=options), config.destination("b", options=options)
    assert (a.user, b.user, a.port, b.port) == ("matched", "one", 7, 7)
    assert a.identities == (tmp_path / "key-a",)
    assert a.certificates == (tmp_path / "key-a.pub",)
    assert (a.identities_only, b.identities_only) == (True, False)


def test_tokens_and_variables_are_expanded(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTS", "/run/agents")
    monkeypatch.setenv("MINE", "/run/mine")
    options = configure(
        "Host web\n HostName %h.example\n User me\n Port 99\n HostKeyAlias alias\n"
        " IdentityAgent ${AGENTS}/%r\n ProxyCommand go %h %n %p %r %k %i %L 100%%\n"
        "Host mine\n IdentityAgent $MINE\nHost none\n IdentityAgent none\n IdentityFile none\n"
    )
    web = config.destination("web", options=options)
    here = socket.gethostname().partition(".")[0]
    assert web.command == f"go web.example web 99 me alias {os.getuid()} {here} 100%"
    assert (web.agent, web.key_name) == ("/run/agents/me", "alias")
    assert config.destination("mine", options=options).agent == "/run/mine"
    none = config.destination("none", options=options)
    assert (none.agent, none.identities) == (None, ())


def test_a_proxy_command_gets_the_user_and_port_that_are_used(configure: Configure) -> None:
    options = configure("Host *\n User nobody\n ProxyCommand nc %h %p %r\n")
    assert of_node(node(port=2200), options).command == "nc 198.18.9.9 2200 admin"
    options = configure("Host *\n ProxyCommand none\n")
    assert of_node(node(), options).command == ""


def test_a_node_keeps_its_user_and_its_name_in_known_hosts(configure: Configure, tmp_path: Path) -> None:
    options = configure("Host *\n User nobody\n Port 99\n HostKeyAlias other\n HostName 198.18.7.7\n")
    own = tmp_path / "known_hosts"
    found = of_node(node(), options, own)
    assert (found.user, found.host, found.port, found.key_name) == ("admin", "198.18.7.7", 99, "198.18.9.9")
    assert of_node(node(port=2200), options, own).key_name == "[198.18.9.9]:2200"
    assert of_node(node(), options).key_name == "other"


def test_a_machine_of_this_host_is_reached_without_the_user_s_configuration(
    configure: Configure, tmp_path: Path
) -> None:
    options = configure("Host *\n ProxyJump far\n Port 99\n User nobody\n HostName 198.18.7.7\nColour blue\n")
    found = config.of_node(node(), Access(tmp_path / "known_hosts", users=False, options=options))
    expected = config.Destination("198.18.9.9", "198.18.9.9", 22, "admin", "198.18.9.9", agent=None)
    assert found == expected


def test_a_name_is_never_taken_for_an_option(configure: Configure) -> None:
    with pytest.raises(UsageError, match="cannot be used for '-oProxyCommand=true'"):
        config.destination("-oProxyCommand=true", options=configure(""))
