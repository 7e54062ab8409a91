"""Paths of files on nodes."""

import pytest

from fabfile.core.files.transfer import path_problems, target


@pytest.mark.parametrize("path", ["web", "", "/", "//", "/srv/../etc", "/a\nb", "/a\0b"])
def test_a_path_on_a_node_must_be_whole_and_plain(path: str) -> None:
    (problem,) = path_problems(path, "path", "the target")
    assert problem.field == "path"
    assert problem.text.startswith("the target ")


def test_a_valid_path_has_no_problems() -> None:
    assert path_problems("/srv/web", "path", "the target") == []


def test_a_target_with_a_slash_at_its_end_is_a_folder() -> None:
    assert target("/srv/web", "conf") == "/srv/web"
    assert target("//srv//web/", "conf") == "/srv/web/conf"
