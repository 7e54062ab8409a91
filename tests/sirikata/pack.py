"""The stand-in as an archive of Sirikata would be: bin/, lib/, share/ at its top."""

import shutil
from pathlib import Path

BIN = Path(__file__).resolve().parent / "bin"


def lay_out(folder: Path) -> Path:
    """Copy the stand-in into a folder, as somebody's build of Sirikata has it; the folder."""
    for name in ("bin", "lib", "share"):
        (folder / name).mkdir(parents=True)
    for file in BIN.iterdir():
        if file.is_file():
            shutil.copy(file, folder / "bin")
    (folder / "lib" / "README").write_text("The stand-in needs no libraries.\n")
    (folder / "share" / "README").write_text("The stand-in has no data.\n")
    return folder


def archive(folder: Path) -> Path:
    """The stand-in as a tar in that folder."""
    tree = lay_out(folder / "sirikata")
    return Path(shutil.make_archive(str(folder / "sirikata"), "bztar", tree))
