"""What is wrong with Fabric's own input, as a sentence: its options, and fabric.yaml.

Fabric and Invoke read both outside of any task: `fabric.yaml`, the file that `-f` names, INVOKE_ variables.
"""

import re
import traceback
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from invoke import config
from invoke.parser.argument import Argument
from invoke.program import Program

from ..core.printable import bounded, printable_line
from .failures import Shown

_PACKAGE = str(Path(__file__).parent.parent)
_SCOPES = ("system", "user", "project", "runtime")


def shown(error: BaseException, trace: TracebackType | None) -> Shown | None:
    """What the user sees of an exception that comes from there; None for any other."""
    frames = [frame for frame, _ in traceback.walk_tb(trace)]
    if not isinstance(error, Exception) or isinstance(error, OSError):
        return None
    text, files = "", _files(_local(frames, Program.run, "self"))
    if option := _local(frames, Argument.set_value, "self"):
        text = f"--{option.name} must be an integer, got {option.raw_value!r}"
    elif path := _local(frames, config.Config._load_file, "filepath"):
        text = f"{path} cannot be used: {_said(error)}"
    elif type(error).__module__ == "fabric.exceptions":
        text = _said(error)
    elif any(frame.f_code.co_filename == config.__file__ for frame in frames):
        text = f"{' or '.join([*files, 'an INVOKE_ variable'])} cannot be used: {_said(error)}"
    elif files and not passes_ours(frames):
        text = f"{' or '.join(files)} cannot be used: {_said(error)}"
    return Shown(f"error: {text}", 2) if text else None


def passes_ours(frames: list[FrameType]) -> bool:
    """Whether any of the frames runs code of this package."""
    return any(frame.f_code.co_filename.startswith(_PACKAGE) for frame in frames)


def _said(error: Exception) -> str:
    """What is wrong, on one line; Invoke says of a wrong type that it cannot merge its own defaults."""
    said = " ".join(str(error).split())
    if found := re.search(r"\bmerge <class 'dict'>.* with <class '(\w+)'> \((.*)\)$", said):
        said = f"expected a mapping, got {found[2]}"
    elif said.endswith("object has no attribute 'items'"):
        said = "expected a mapping"
    elif not isinstance(error, ValueError) and not type(error).__module__.startswith(("invoke", "fabric")):
        said = f"{type(error).__name__}: {said}"
    return bounded(printable_line(said), 600)


def _local(frames: list[FrameType], function: Any, name: str) -> Any:
    """A local variable of the innermost call of that function; None if it was not called."""
    calls = [frame for frame in frames if frame.f_code is function.__code__]
    return calls[-1].f_locals.get(name) if calls else None


def _files(program: Any) -> list[str]:
    """The configuration files that were found."""
    found = getattr(program, "config", None)
    paths = [str(getattr(found, f"_{scope}_path", "")) for scope in _SCOPES]
    return [path for path in paths if Path(path).is_file()]
