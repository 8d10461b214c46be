"""Documents to import that lie nowhere."""

from __future__ import annotations

from collections.abc import Mapping

from entrepot.spec.gather import NotObtained


class Files:
    """A document of several files, the first of them the main one."""

    def __init__(self, files: Mapping[str, bytes], name: str = "") -> None:
        self._files = files
        self.main = next(iter(files))
        self.name = name or self.main
        self.asked: list[str] = []

    def content(self) -> bytes:
        return self._files[self.main]

    def obtain(self, location: str) -> bytes:
        self.asked.append(location)
        if location not in self._files:
            raise NotObtained("there is none")
        return self._files[location]


class OneFile(Files):
    """A document of one file."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__({name: content})
