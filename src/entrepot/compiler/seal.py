"""seal: everything under one digest, the same for the same input."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from entrepot.compiler.draft import Draft
from entrepot.ir.release import Release
from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.spec import codes

FILES_MAX = 20_000
"""Most Python files of one project."""

_FOREIGN = {"__pycache__", "node_modules", "site-packages"}
"""Directories whose files are not the project's own."""


def seal(draft: Draft) -> Draft:
    """The draft with its release."""
    if draft.edge is None or draft.worker is None:
        raise ValueError("a release is sealed once it is lowered")
    try:
        code = code_digest(draft)
    except Refused as refused:
        return replace(draft, diagnostics=(*draft.diagnostics, *refused.diagnostics))
    release = Release(project=draft.settings.name, edge=draft.edge, worker=draft.worker, code=code)
    return replace(draft, release=release)


def code_digest(draft: Draft) -> str:
    """SHA-256 over the project's Python files, imported documents and trusted authorities."""
    project = draft.loaded.project
    files = set(_python_files(project, packages_only=draft.loaded.standalone)) | set(_declared_files(draft))
    total = hashlib.sha256()
    for file in sorted(files):
        content = hashlib.sha256((project / file).read_bytes()).hexdigest()
        total.update(f"{content} {file}\n".encode())
    return total.hexdigest()


def _declared_files(draft: Draft) -> Iterator[str]:
    for entry in draft.declaration.services.values():
        yield from entry.documents.values()
    yield from (each.tls.ca_file for each in draft.upstreams.values() if each.tls and each.tls.ca_file)


def _python_files(project: Path, *, packages_only: bool) -> Iterator[str]:
    """Relative to the project, with `/` between names.

    A file that is a project by itself may lie among anything, so there only the packages beside
    it count.
    """
    count = 0
    for directory, subdirectories, names in os.walk(project):
        here = Path(directory)
        subdirectories[:] = sorted(name for name in subdirectories if _is_own(here / name, packages_only))
        for name in names:
            if name.endswith(".py"):
                count += 1
                if count > FILES_MAX:
                    raise Refused([_too_many(project)])
                yield (here / name).relative_to(project).as_posix()


def _is_own(directory: Path, packages_only: bool) -> bool:
    if directory.name.startswith(".") or directory.name in _FOREIGN or (directory / "pyvenv.cfg").exists():
        return False
    return not packages_only or (directory / "__init__.py").is_file()


def _too_many(project: Path) -> Diagnostic:
    message = f"{project.name} holds more than {FILES_MAX} Python files"
    remedy = "Name a directory that holds the project alone; virtual environments and hidden directories do not count."
    return Diagnostic(codes.PROJECT_TOO_LARGE, message, remedy=remedy)
