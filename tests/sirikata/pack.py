"""The stand-in as a build of Sirikata would be: bin/, lib/, share/ in a folder, which `fab sirikata.package`
packs."""

import re
import shutil
from pathlib import Path

BIN = Path(__file__).resolve().parent / "bin"


def lay_out(folder: Path, version: str = "") -> Path:
    """Copy the stand-in into a folder, as a build of Sirikata has it; returns the folder.

    Its programs tell another version where one is given.
    """
    for name in ("bin", "lib", "share"):
        (folder / name).mkdir(parents=True)
    for file in BIN.iterdir():
        if file.is_file():
            shutil.copy(file, folder / "bin")
    if version:
        common = folder / "bin" / "standin.py"
        common.write_text(
            re.sub("^VERSION = ", f'VERSION = "{version} of the " ', common.read_text(), flags=re.MULTILINE)
        )
    (folder / "lib" / "README").write_text("The stand-in needs no libraries.\n")
    (folder / "share" / "README").write_text("The stand-in has no data.\n")
    return folder
