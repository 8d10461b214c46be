"""Which modules are a project's own: what a release keeps, and what is watched for changes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES
from pathlib import Path

from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.spec import codes

FILES_MAX = 20_000
"""Most modules of one project."""

_FOREIGN = {"__pycache__", "node_modules", "site-packages"}
"""Directories whose files are not the project's own."""
_MODULES = (*SOURCE_SUFFIXES, *EXTENSION_SUFFIXES)


def own_modules(project: Path, *, packages_only: bool) -> Iterator[str]:
    """Paths relative to the project, with `/` between names. Raises `Refused` when there are too many.

    A file that is a project by itself may lie among anything, so there only the packages beside
    it count. Links to directories lead elsewhere, and are not followed.
    """
    count = 0
    for directory, subdirectories, names in os.walk(project):
        here = Path(directory)
        subdirectories[:] = sorted(name for name in subdirectories if _is_own(here / name, packages_only))
        for name in names:
            if name.endswith(_MODULES) and _is_regular(here / name):
                count += 1
                if count > FILES_MAX:
                    raise Refused([_too_many(project)])
                yield (here / name).relative_to(project).as_posix()


def _is_own(directory: Path, packages_only: bool) -> bool:
    if directory.name.startswith(".") or directory.name in _FOREIGN or (directory / "pyvenv.cfg").exists():
        return False
    return not packages_only or (directory / "__init__.py").is_file()


def _is_regular(path: Path) -> bool:
    """Not a pipe, which would be waited for, nor a link that leads nowhere, as editors leave for a lock."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def _too_many(project: Path) -> Diagnostic:
    message = f"{project.name} holds more than {FILES_MAX} Python files"
    remedy = "Name a directory that holds the project alone; virtual environments and hidden directories do not count."
    return Diagnostic(codes.PROJECT_TOO_LARGE, message, remedy=remedy)
