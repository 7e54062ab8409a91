"""How a host joins a cluster and is released."""

from fabfile.core.adhoc.membership import RELEASE, join_script, parse_release, release_script


def test_what_a_release_did_and_kept_is_parsed() -> None:
    printed = "stopped corosync.service\nkept /srv/data: it holds files of services\nremoved /etc/corosync\n"
    assert parse_release(printed).done == ("stopped corosync.service", "removed /etc/corosync")
    assert parse_release(printed).kept == (("/srv/data", "it holds files of services"),)


def test_names_with_characters_of_the_shell_are_quoted() -> None:
    script = join_script("it's-1", "$(node)")
    assert "cluster='it'\"'\"'s-1'" in script and "node='$(node)'" in script
    assert f"program={RELEASE}\n" in release_script()
