"""A Puppet master that serves others too."""

import base64

from fabfile.core.puppet import shared
from fabfile.core.puppet.files import MARK
from fabfile.core.puppet.shared import Look, set_ini

from .values import spec


def settings(**changes: str) -> dict[str, str]:
    values = {
        "confdir": "/etc/puppet",
        "certname": "puppet.example.edu",
        "node_terminus": "plain",
        "external_nodes": "none",
        "autosign": "/etc/puppet/autosign.conf",
        "fileserverconfig": "/etc/puppet/fileserver.conf",
        "environmentpath": "/etc/puppet/code/environments",
    }
    return {**values, **changes}


def look(files: dict[str, str] | None = None, **changes: str) -> Look:
    return Look(settings(**changes), files or {})


def found_problems(look: Look) -> list[str]:
    return [str(problem) for problem in shared.problems(look, spec(), "pm.example.edu")]


def test_a_plain_master_is_accepted() -> None:
    assert found_problems(look()) == []


def test_a_master_that_was_configured_before_is_accepted_again() -> None:
    ours = look(
        {"fileserver.conf": "[cluster]\n  path /etc/puppet/clusters/%d/files\n", "cluster": "web-1-3f2a\n"},
        node_terminus="exec",
        external_nodes="/etc/puppet/sirikata-cluster/classify",
        autosign="/etc/puppet/sirikata-cluster/autosign",
    )
    assert found_problems(ours) == []
    assert [file.path for file in shared.shared_files(ours)] == ["/etc/puppet/sirikata-cluster/shared"]


def test_every_setting_in_the_way_is_reported_at_once() -> None:
    found = found_problems(
        look(
            {"fileserver.conf": "[cluster]\npath /srv\n", "cluster": "web-1-0000\n", "environment.conf": "x"},
            node_terminus="exec",
            external_nodes="/usr/local/bin/theirs",
            autosign="true",
        )
    )
    assert len(found) == 6
    assert found[0].startswith("pm.example.edu:/etc/puppet/puppet.conf: ")
    assert "/usr/local/bin/theirs" in found[0]
    assert "autosign = true" in found[1]
    assert "/srv" in found[2]
    assert "web-1-0000" in found[3]


def test_names_whose_requests_are_signed_are_in_the_way() -> None:
    assert found_problems(look({"autosign": "# none\n"})) == []
    first = found_problems(look({"autosign": "*.example.edu\n"}))[0]
    assert first.startswith("pm.example.edu:/etc/puppet/autosign.conf: ")
    assert "*.example.edu" in first


def test_the_settings_of_a_shared_master_stay() -> None:
    conf = "[main]\ncertname = puppet.example.edu\n[master]\ncode_id_command = /x\n"
    files = {
        file.path: file
        for file in shared.shared_files(look({"puppet.conf": conf, "fileserver.conf": "[a]\npath /b"}))
    }
    text = files["/etc/puppet/puppet.conf"].content.decode()
    assert all(line in text.splitlines() for line in conf.splitlines())
    assert text.index("[master]") < text.index("node_terminus = exec")
    assert files["/etc/puppet/fileserver.conf"].content.decode().startswith("[a]\npath /b\n\n")
    assert "[server]" not in text


def test_a_section_is_added_where_there_is_none() -> None:
    assert set_ini("", "server", {"a": "b"}) == f"[server]\n# {MARK}\na = b\n"
    assert set_ini("[main]\nx = y\n", "server", {"a": "b"}) == f"[main]\nx = y\n\n[server]\n# {MARK}\na = b\n"


def test_a_look_is_read() -> None:
    text = base64.b64encode(b"[main]\n").decode()
    seen = shared.parse_look(
        "confdir = /etc/puppetlabs/puppet\nenvironmentpath = /a:/b\nfileserverconfig = /c\nfile puppet.conf"
        f" {text}\nfile cluster \n"
    )
    assert seen.files == {"puppet.conf": "[main]\n", "cluster": ""}
    assert (seen.layout.environments, seen.layout.ruby) == ("/a", "/opt/puppetlabs/puppet/bin/ruby")
