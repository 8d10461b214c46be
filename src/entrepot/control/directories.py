"""The directories of a running project: where they are, and that nobody else can reach into them."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from entrepot.ir.layout import Layout
from entrepot.kit import files

STATE_NAME = ".entrepot"


class Insecure(Exception):
    """A directory that should be ours alone is not."""


def layout_of(project: Path) -> Layout:
    """Where the project's things are; nothing is created.

    The run directory lies in the system's temporary directory because a Unix socket's name has 107
    octets at most, and a project's path may be longer.
    """
    project = project.resolve()
    digest = hashlib.sha256(os.fsencode(project)).hexdigest()[:12]
    run = Path(tempfile.gettempdir()) / f"entrepot-{os.getuid()}-{digest}"
    return Layout(project=project, state=project / STATE_NAME, run=run)


def create(layout: Layout) -> None:
    """Create the project's directories, mode 0700. Raises `Insecure` when one of them is another user's."""
    for directory in (layout.state, layout.run, layout.releases, layout.files, layout.edge, layout.logs):
        _create_private(directory)
    ignore = layout.state / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")


def sweep(layout: Layout) -> None:
    """Remove what processes that were killed have left: what is half written, and sockets that nobody listens on.

    Only the project's supervisor may.
    """
    for left in layout.run.iterdir():
        left.unlink()
    for directory in (layout.state, layout.releases, layout.files):
        files.sweep(directory)


@contextmanager
def run_removed(layout: Layout) -> Iterator[None]:
    """Remove the run directory after the body: sockets and status say nothing once the system has ended."""
    try:
        yield
    finally:
        shutil.rmtree(layout.run, ignore_errors=True)


def _create_private(directory: Path) -> None:
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise Insecure(f"{directory} is not a directory of yours; remove it, or run as its owner")
    if stat.S_IMODE(found.st_mode) != 0o700:
        directory.chmod(0o700)
