"""Lists of checksums, as sha256sum(1) writes and checks them."""


def checksum_line(name: str, sha256: str) -> str:
    """The line of a file with that name.  A backslash in front marks a name in which characters are escaped."""
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return ("\\" if escaped != name else "") + f"{sha256}  {escaped}\n"
