"""Where ~/.ssh/config leads for a node: jump hosts, names and files."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fabfile.core.errors import UsageError
from fabfile.core.spec.node import Node
from fabfile.effects.ssh import config
from fabfile.effects.ssh.access import Unreachable

Configure = Callable[..., None]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """Write ~/.ssh/config and files beside it."""
    (tmp_path / ".ssh").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(config, "_SYSTEM", tmp_path / "system")

    def write(text: str, **more: str) -> None:
        for name, content in {"config": text, **more}.items():
            (tmp_path / ".ssh" / name).write_text(content)
        config._texts.cache_clear()
        config._config.cache_clear()

    write("")
    yield write
    config._texts.cache_clear()
    config._config.cache_clear()


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


def names(target: config.Destination) -> list[str]:
    return [f"{hop.user}@{hop.host}:{hop.port}" for hop in config.route(target)]


def test_jump_hosts_keep_their_order_and_have_their_own_settings(configure: Configure) -> None:
    configure(
        "Host 198.18.*\n ProxyJump first,me@second:99\n"
        "Host first\n HostName 198.18.1.1\n User one\n Port 2222\nHost second\n User two\n ProxyJump third\n"
    )
    assert names(config.of_node(node(), own=True)) == ["one@198.18.1.1:2222", "me@second:99"]
    assert config.route(config.destination("first")) == []
    assert names(config.destination("second"))[0].endswith("@third:22")


def test_a_jump_host_for_all_hosts_does_not_jump_through_itself(configure: Configure) -> None:
    configure("Host b\n ProxyJump none\nHost *\n ProxyJump jump\nHost jump\n HostName 198.18.1.1\n")
    assert [hop.name for hop in config.route(config.destination("a"))] == ["jump"]
    assert config.route(config.destination("b")) == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Host a\n ProxyJump b\nHost b\n ProxyJump c\nHost c\n ProxyJump b\n", Unreachable),
        ("Host a\n ProxyJump b:c:d\n", UsageError),
        ("Host a\n Port many\n", UsageError),
        ("Compression\n", UsageError),
    ],
    ids=["circle", "no-host", "no-number", "no-value"],
)
def test_an_invalid_configuration_is_reported(
    configure: Configure, text: str, error: type[Exception]
) -> None:
    configure(text)
    with pytest.raises(error, match=r"\.ssh/config"):
        config.route(config.destination("a"))


def test_included_files_count_and_their_sections_end_with_them(configure: Configure, tmp_path: Path) -> None:
    configure(
        "Include more-*\nPort 7\nHost a\n Include inner\n IdentitiesOnly yes\n",
        **{
            "more-1": "Host b\n  User one\n",
            "more-2": f"Include={tmp_path}/.ssh/deep\n",
            "deep": "Host a\n User two\n",
            "inner": "IdentityFile ~/key\n",
        },
    )
    a, b = config.destination("a"), config.destination("b")
    assert (a.user, b.user, a.port, b.port) == ("two", "one", 7, 7)
    assert a.identities == (tmp_path / "key",)
    assert (a.identities_only, b.identities_only) == (True, False)


def test_a_proxy_command_gets_the_user_and_port_that_are_used(configure: Configure) -> None:
    configure("Host *\n User nobody\n ProxyCommand nc %h %p %r\n")
    assert config.of_node(node(port=2200), own=True).command == "nc 198.18.9.9 2200 admin"
    configure("Host *\n ProxyCommand none\n")
    assert config.of_node(node(), own=True).command == ""


def test_a_node_keeps_its_user_and_its_name_in_known_hosts(configure: Configure) -> None:
    configure("Host *\n User nobody\n Port 99\n HostKeyAlias other\n HostName 198.18.7.7\n")
    found = config.of_node(node(), own=True)
    assert (found.user, found.host, found.port, found.key_name) == ("admin", "198.18.7.7", 99, "198.18.9.9")
    assert config.of_node(node(port=2200), own=True).key_name == "[198.18.9.9]:2200"
    assert config.of_node(node(), own=False).key_name == "other"
