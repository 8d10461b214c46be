"""How the declaration names Python objects: `module` or `module:attribute`."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

_REFERENCE = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?::([A-Za-z_]\w*))?", re.ASCII)


class Reference(msgspec.Struct, frozen=True):
    """A Python object by name."""

    module: str
    """Import name."""
    attribute: str = ""
    """Its name in the module; "" when none is given."""


def parse_reference(text: str) -> Reference | None:
    """The object that is named; None when the text has another form, such as a file's name."""
    parts = _REFERENCE.fullmatch(text)
    if parts is None or parts[1].endswith(".py"):
        return None
    return Reference(parts[1], parts[2] or "")


def root_of(project: Path, module: str) -> str:
    """The directory, relative to the project, from which a module is imported; "" when it is installed."""
    first = module.partition(".")[0]
    for directory in (".", "src"):
        if (project / directory / f"{first}.py").is_file() or (project / directory / first).is_dir():
            return directory
    return ""
