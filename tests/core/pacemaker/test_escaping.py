"""Command lines that survive Pacemaker."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabfile.core.pacemaker import escaping as words

TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]))


@given(st.lists(TEXT, min_size=1))
def test_what_is_encoded_is_printable_and_comes_back(parts: list[str]) -> None:
    encoded = words.encode(shlex.join(parts))
    assert words.is_printable(encoded)
    assert shlex.split(words.decode(encoded)) == parts


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("/bin/echo 'a b' $HOME", "/bin/echo 'a b' $HOME"),
        ("/bin/echo grüße", r"/bin/echo $'gr\xc3\xbc\xc3\x9fe'"),
        ("/bin/echo 'a\nb' c", r"/bin/echo $'a\nb' c"),
        ("/bin/echo 'it\\'", r"/bin/echo 'it\'"),
        ("/bin/echo 'a$' 'b c'", r"/bin/echo $'a$' 'b c'"),
        ("""/bin/echo "$'" """, r"/bin/echo $'$\''"),
    ],
)
def test_only_what_needs_it_is_rewritten(text: str, encoded: str) -> None:
    assert words.encode(text) == encoded
