"""Where an imported document and the files that it refers to are had: below its directory, or from its own origin.

What a document refers to is its author's choice, so nothing else is read or fetched unless the person who
imports it allows that.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from entrepot.cli.fetch import SECONDS_MAX, fetch, is_url, origin_of
from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.shapes.locations import is_elsewhere, spelt
from entrepot.spec import codes
from entrepot.spec.documents import BYTES_MAX
from entrepot.spec.gather import DocumentSource, FilesBelow, NotObtained, kept_as

ALL_SECONDS_MAX = 120.0
"""For all that is fetched of one document."""

Tell = Callable[[str], None]


def document_source(name: str, project: Path, root: Path | None, allowed: Iterable[str], tell: Tell) -> DocumentSource:
    """The source of a document by its file or URL.

    `root` is the directory below which a file may refer to others: its own, or the project's, where none is given.
    `allowed` are the addresses from whose origins files may be fetched besides; `tell` hears what is fetched.
    """
    fetches = _Fetches({origin_of(each) for each in allowed}, tell)
    return _Url(name, fetches) if is_url(name) else _File(name, root or _root_of(Path(name), project), fetches)


def _root_of(file: Path, project: Path) -> Path:
    return project if _absolute(file).is_relative_to(_absolute(project)) else file.parent


def _absolute(path: Path) -> Path:
    """The path from the top, `..` worked out as it is written."""
    return Path(os.path.abspath(path))


class _Fetches:
    """Fetches from origins that are allowed, for a bounded time."""

    def __init__(self, origins: set[str], tell: Tell) -> None:
        self.origins = origins
        self._tell = tell
        self._ends = time.monotonic() + ALL_SECONDS_MAX

    def __call__(self, url: str) -> bytes:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise NotObtained(f"fetching the document's files took longer than {ALL_SECONDS_MAX:g} s")
        self._tell(f"fetching {url}")
        return fetch(url, seconds_max=min(left, SECONDS_MAX))

    def elsewhere(self, url: str) -> bytes:
        """A file at an address of the document's choosing. Raises `NotObtained`."""
        try:
            origin = origin_of(url)
        except ValueError as error:
            raise NotObtained(str(error)) from None
        if origin not in self.origins:
            raise NotObtained(f"it is at another origin; add `--allow {origin}` if you trust it")
        return self(url)


class _Url:
    """A document at an address, and what lies at the same origin."""

    def __init__(self, url: str, fetches: _Fetches) -> None:
        path = urlsplit(url).path.lstrip("/")
        self.name = url
        self.main = spelt(path if path and not path.endswith("/") else f"{path}document")
        self._fetches = fetches

    def content(self) -> bytes:
        content = self._fetches(self.name)
        self._fetches.origins.add(origin_of(self.name))
        return content

    def obtain(self, location: str) -> bytes:
        kept_as(location)  # what leads above the origin's root is not sent there
        return self._fetches.elsewhere(location if is_elsewhere(location) else urljoin(self.name, f"/{location}"))


class _File:
    """A document in a file, and what lies below its root."""

    def __init__(self, name: str, root: Path, fetches: _Fetches) -> None:
        self.name = name
        self._root = root
        self._fetches = fetches
        file, above = _absolute(Path(name)), _absolute(root)
        if not file.is_relative_to(above):
            message = f"the document {name} does not lie below {root}"
            remedy = "Name a directory above it as `--root`."
            raise Refused([Diagnostic(codes.DOCUMENT_UNREADABLE, message, remedy=remedy)])
        self.main = spelt(file.relative_to(above).as_posix())

    def content(self) -> bytes:
        try:
            with Path(self.name).open("rb") as file:
                return file.read(BYTES_MAX + 1)  # what is longer is refused by whoever reads it
        except OSError as error:
            message = f"the document {self.name} cannot be read: {error.strerror or error}"
            remedy = "Name a file as seen from here, or a URL."
            raise Refused([Diagnostic(codes.DOCUMENT_UNREADABLE, message, remedy=remedy)]) from None

    def obtain(self, location: str) -> bytes:
        if is_elsewhere(location):
            return self._fetches.elsewhere(location)
        try:
            return FilesBelow(self._root)(location)
        except NotObtained as failure:
            outside = location.startswith("..")
            raise NotObtained(f"{failure}; `--root` names a directory above it" if outside else str(failure)) from None
