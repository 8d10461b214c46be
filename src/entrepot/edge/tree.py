"""The edge's files on the disk: the live ones, which Envoy watches, and the last good ones.

A file is whole or not there, and on the disk before it is seen.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from entrepot.edge.emit import BOOTSTRAP, File
from entrepot.kit.files import replace_file

_DIRECTORY_MODE = 0o700
_PATTERN = "*/*/resources.json"


class Tree:
    """Files by their paths below one directory."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def files(self) -> list[File]:
        """Every discovered resource's file, in no order."""
        paths = [place.relative_to(self._root) for place in self._root.glob(_PATTERN)]
        return [File.read(path, (self._root / path).read_bytes()) for path in paths]

    def read(self, path: Path) -> bytes | None:
        """The file's content; None when there is none."""
        try:
            return (self._root / path).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, path: Path, content: bytes) -> None:
        """Put the content in place by an atomic rename.

        An equal file stays untouched, because a rename alone makes Envoy read it again.
        """
        if self.read(path) == content:
            return
        place = self._root / path
        place.parent.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
        replace_file(place, content)

    def remove_all_but(self, kept: Iterable[File]) -> None:
        """Take away the directories of resources that are no more, with what a process that was killed left there."""
        wanted = {file.path for file in kept}
        for place in self._root.glob(_PATTERN):
            if place.relative_to(self._root) not in wanted:
                shutil.rmtree(place.parent)

    def become(self, files: Iterable[File], bootstrap: bytes) -> None:
        """Hold exactly these files, written in their order."""
        present = tuple(files)
        for file in present:
            self.write(file.path, file.content)
        self.write(BOOTSTRAP, bootstrap)
        self.remove_all_but(present)
