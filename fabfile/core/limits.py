"""What Linux takes of a text: its encoding, and the lengths of what one process passes to another."""

# The bytes of one argument or variable (execve(2), MAX_ARG_STRLEN: 128 KiB with the NUL at its end), less the
# longest name that stands before a value: `OCF_RESKEY_start_timeout=`.
STRING = 131_000
# The bytes of a path, and of a name in it (limits.h: PATH_MAX, with the NUL; NAME_MAX).
PATH, NAME = 4095, 255


def is_utf8(text: str) -> bool:
    """Whether a text can be written in UTF-8.

    Python gives bytes that a user typed and that are not UTF-8 as surrogates (PEP 383).
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def has_control(text: str) -> bool:
    """Whether a text holds a line end, a NUL or another control character of ASCII."""
    return any(letter < " " or letter == "\x7f" for letter in text)


def is_line(text: str) -> bool:
    """Whether a text is one line of UTF-8 that a file or a program can get."""
    return is_utf8(text) and not has_control(text)


def is_path(text: str) -> bool:
    """Whether Linux takes a text as a path."""
    return (
        is_line(text)
        and len(text.encode()) <= PATH
        and not any(len(name.encode()) > NAME for name in text.split("/"))
    )
