"""Scripts of files: their preamble, their values, their order."""

import subprocess

import jinja2
import pytest

from fabfile.core import templates
from fabfile.core.templates import script


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """`templates/` with the real preamble and files of this test's own."""
    made = tmp_path / "templates"
    (made / "sh").mkdir(parents=True)
    (made / "sh/preamble.sh").write_text((templates.ROOT / "templates/sh/preamble.sh").read_text())
    (made / "show.sh").write_text('printf "%s\\n" "$value"\n')
    (made / "raw.sh").write_text('echo "${#value} {{ value }}"\n')
    (made / "words.sh.j2").write_text("{% for word in value %}\necho {{ word }}\n{% endfor %}\n")
    (made / "fails.sh").write_text("fail 'out of' paper\n")
    (made / "uptime.sh").write_text("uptime\n")
    monkeypatch.setattr(templates, "ROOT", tmp_path)
    templates.text.cache_clear()
    templates._environment.cache_clear()
    yield
    templates.text.cache_clear()
    templates._environment.cache_clear()


def run(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh"], input=text, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("it's $HOME\n`x`", "it's $HOME\n`x`"),
        ("", ""),
        (15, "15"),
        (0.5, "0.5"),
        (["web", "db"], "web db"),
        (iter([1, 2]), "1 2"),
        ([], ""),
    ],
)
def test_a_value_reaches_the_script_unchanged(value, shown):
    assert run(script("show.sh", value=value)).stdout == shown + "\n"


def test_a_plain_file_is_not_rendered():
    assert run(script("raw.sh", value="abc")).stdout == "3 {{ value }}\n"


def test_a_template_gets_the_same_values():
    assert run(script("words.sh.j2", "show.sh", value=["a", "b"])).stdout == "a\nb\na b\n"


def test_a_template_without_a_value_it_needs_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="value"):
        script("words.sh.j2")


def test_fail_says_why_and_ends_the_script():
    done = run(script("fails.sh", "uptime.sh"))
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "out of paper\n")


def test_uptime_is_a_whole_number_of_seconds():
    assert run(script("uptime.sh")).stdout.strip().isdecimal()


def test_a_variable_that_was_not_given_ends_the_script():
    assert run(script("show.sh")).returncode != 0
