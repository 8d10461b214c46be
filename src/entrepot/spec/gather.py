"""A document with the files that it refers to, one through another, bounded in number and bytes.

What cannot be had costs the parts that need it, and is told with the place of the first reference to it.
"""

from __future__ import annotations

import posixpath
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.kit.files import read_regular
from entrepot.ports.protocol import DocumentKind
from entrepot.shapes.document import Document, Refusal
from entrepot.shapes.locations import is_elsewhere
from entrepot.spec import documents
from entrepot.spec.positions import Positions

FILES_MAX = 5000
"""Most files of one document. All together are at most as long as one may be."""

Obtain = Callable[[str], bytes]
"""The octets at a location (`shapes/locations.py`). Raises `NotObtained`."""


class DocumentSource(Protocol):
    """Where a document comes from."""

    name: str
    """File or URL of its main file."""
    main: str
    """The main file's location."""

    def content(self) -> bytes:
        """The main file. Raises `Refused` or another error that tells why it cannot be had."""

    def obtain(self, location: str) -> bytes:
        """Another file. Raises `NotObtained`."""


class NotObtained(Exception):
    """A file of a document cannot be had; the message says why."""


class ReadDocument(NamedTuple):
    """A document, and what was read to get it."""

    document: Document
    octets: Mapping[str, bytes]
    """By location, as the files have them, for the places of their parts; the main file's is the document's `main`."""
    positions: Mapping[str, Callable[[], Positions]] = {}
    """By location of a file that is YAML: where its parts stand."""
    refusals: tuple[Refusal, ...] = ()
    """References to files that could not be had."""
    warnings: tuple[Diagnostic, ...] = ()


def gather(kind: DocumentKind, content: bytes, main: str, source: str, obtain: Obtain) -> ReadDocument:
    """The document whose main file is at `main` with this content. Raises `Refused` where that cannot be read."""
    main = main if _has_path(main) else "document"
    gathering = _Gathering(kind, obtain)
    gathering.reserve(kept_as(main))
    gathering.read(main, content, source)
    gathering.follow()
    parsed, octets = gathering.parsed, gathering.octets
    # Where nothing refers to it by name, it needs none.
    location = main if main in gathering.named or len(parsed) > 1 else ""
    octets = {location if each == main else each: found for each, found in octets.items()}
    positions = {location if each == main else each: found for each, found in gathering.positions.items()}
    files = {each: found for each, found in parsed.items() if each != main}
    document = Document(parsed[main], source, location, files)
    return ReadDocument(document, octets, positions, tuple(gathering.refusals))


class FilesBelow:
    """Obtains the files in a directory and below it; a symbolic link leads no further either."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __call__(self, location: str) -> bytes:
        """The octets of a file. Raises `NotObtained`."""
        if is_elsewhere(location):
            raise NotObtained("it is elsewhere, and only an import fetches")
        path = self._root / kept_as(location)
        try:
            if not path.resolve().is_relative_to(self._root.resolve()):
                raise NotObtained(f"it lies outside {self._root}")
            return read_regular(path, documents.BYTES_MAX)
        except OSError as error:
            raise NotObtained(error.strerror or str(error)) from None


def kept_as(location: str) -> str:
    """The relative path of the file for a location. Raises `NotObtained` when there can be none."""
    parts = urlsplit(location)
    path = unquote(parts.path)
    inner = posixpath.normpath(f"{parts.netloc}/{path}" if parts.scheme else path).lstrip("/")
    if parts.query or not inner.isprintable() or inner in (".", "") or inner.split("/")[0] == "..":
        raise NotObtained("it is no file below the directory or server of the document")
    return inner


def _has_path(location: str) -> bool:
    try:
        return bool(kept_as(location))
    except NotObtained:
        return False


class _Gathering:
    def __init__(self, kind: DocumentKind, obtain: Obtain) -> None:
        self._kind = kind
        self._obtain = obtain
        self._pending: deque[tuple[str, str]] = deque()
        """Locations, and the pointers of the references to them."""
        self._left = documents.BYTES_MAX
        self._paths: set[str] = set()
        self._directories: set[str] = set()
        self.named: set[str] = set()
        self.octets: dict[str, bytes] = {}
        self.parsed: dict[str, Any] = {}
        self.positions: dict[str, Callable[[], Positions]] = {}
        self.refusals: list[Refusal] = []

    def read(self, location: str, content: bytes, source: str) -> None:
        """Takes a file, and notes what it refers to. Raises `Refused`."""
        parsed = self._parsed(location, content, source)
        at = f"{location}#" if self.parsed else ""
        self.parsed[location], self.octets[location] = parsed, content
        self._left -= len(content)
        for target, pointer in self._kind.referring(parsed, location).items():
            if target not in self.named:
                self.named.add(target)
                self._pending.append((target, f"{at}{pointer}"))

    def _parsed(self, location: str, content: bytes, source: str) -> Any:
        if self._kind.syntax != "tree":
            return content
        if documents.is_json(content):
            return documents.read(content, source).content
        parsed = documents.read_yaml(content, source)
        self.positions[location] = lambda: parsed.positions
        return parsed.value

    def follow(self) -> None:
        """Takes all that was referred to."""
        while self._pending:
            location, place = self._pending.popleft()
            if location not in self.parsed:
                self._take(location, place)

    def _take(self, location: str, place: str) -> None:
        try:
            if len(self._paths) >= FILES_MAX:
                raise NotObtained(f"a document has at most {FILES_MAX} files")
            content = self._obtain(location)
            if len(content) > self._left:
                raise NotObtained(f"the document's files are longer than {documents.BYTES_MAX} bytes together")
            self.reserve(kept_as(location))
            self.read(location, content, location)
        except NotObtained as failure:
            self.refusals.append(Refusal(place, "$ref", f"{location} is not imported: {failure}"))
        except Refused as refused:
            first = refused.diagnostics[0]
            self.refusals.append(Refusal(place, "$ref", f"{location} is not imported: {first.place}: {first.message}"))

    def reserve(self, path: str) -> None:
        """Sees to it that each file can be kept beside the others."""
        above = {path[:index] for index, sign in enumerate(path) if sign == "/"}
        if path in self._paths | self._directories or above & self._paths:
            raise NotObtained("another file of the document is kept under its name")
        self._paths.add(path)
        self._directories |= above
