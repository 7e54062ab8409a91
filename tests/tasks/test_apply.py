"""`service.apply` and `service.export` as the user types them, where no machine is needed."""

from pathlib import Path

import pytest

from .conftest import Fab


@pytest.fixture(autouse=True)
def demo(fab: Fab) -> None:
    assert fab("local.create", "demo", "2").returncode == 0


def test_every_problem_of_a_file_is_shown_with_its_line(fab: Fab, tmp_path: Path) -> None:
    file = tmp_path / "services.yaml"
    file.write_text("web:\n  command: web\n  on: 2\n  after: db\n")
    done = fab("service.apply", "demo", str(file))
    assert (done.returncode, done.stdout) == (2, "")
    assert [line.removeprefix(f"error: {file}:").split(":")[0] for line in done.stderr.splitlines()] == [
        "2",
        "3",
        "4",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        (b"web: /bin/true\nb: \xff\n", ":2: the file must be UTF-8"),
        (b"", "write {}"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    fab: Fab, tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "services.yaml"
    if content is not None:
        file.write_bytes(content)
    done = fab("service.apply", "demo", str(file), "--dry-run")
    assert done.returncode == 2
    assert str(file) in done.stderr
    assert said in done.stderr


def test_without_machines_the_next_step_is_named(fab: Fab, tmp_path: Path) -> None:
    file = tmp_path / "services.yaml"
    file.write_text("web: /bin/true\n")
    for arguments in (("service.apply", "demo", str(file)), ("service.export", "demo")):
        done = fab(*arguments)
        assert done.returncode == 1
        assert "fab cluster.nodes.boot demo" in done.stderr
    assert fab("service.export", "nope").returncode == 2
