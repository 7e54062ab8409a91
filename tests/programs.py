"""Programs that stand for those of a node, so that a script can be run on this machine."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess


def run_with(programs: Mapping[str, str], script: str, folder: Path) -> CompletedProcess[str]:
    """Run a script that finds those programs, by name the text of a script, before all others."""
    for name, text in programs.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh"],
        input=script,
        text=True,
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, "PATH": path},
    )
