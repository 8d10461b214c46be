"""Reading imported documents, each against the hash that its import has recorded."""

from __future__ import annotations

from pathlib import Path

from entrepot.kit.diagnostics import Diagnostic, Place, Refused
from entrepot.kit.files import read_regular
from entrepot.ports.protocol import DocumentKind
from entrepot.shapes.document import Document
from entrepot.shapes.locations import spelt
from entrepot.spec import codes, documents
from entrepot.spec.gather import FilesBelow, ReadDocument, gather
from entrepot.spec.lock import Lock, PinnedDocument, digest
from entrepot.spec.seals import BYTES_MAX as SEAL_BYTES_MAX
from entrepot.spec.seals import Opened, seal_of, unseal


def read_document(project: Path, file: str, kind: DocumentKind, word: str, name: str, lock: Lock) -> ReadDocument:
    """The document of the service `name`; `word` is what its kind is called.

    Raises `Refused` when it is not the one that was pinned.
    """
    main = spelt(file)
    pinned = lock.documents.get(file)
    if pinned is None:
        read = gather(kind, _content(project, file, word, name), main, file, FilesBelow(project))
        return read._replace(warnings=(_unpinned(file, word, name),))
    contents = verified(project, file, word, name, pinned)
    sealed = unseal(contents[seal_of(file)]) if pinned.seal else {}
    kept_at = {main: file, **{kept.source or spelt(other): other for other, kept in pinned.files.items()}}
    octets = {location: contents[path] for location, path in kept_at.items()}
    files, positions = {}, {}
    for location, path in kept_at.items():
        parsed = sealed.get(path) or _parsed(kind, octets[location], location)
        files[location] = parsed.value
        if parsed.positions is not None:
            positions[location] = parsed.positions
    return ReadDocument(Document(files.pop(main), file, main, files), octets, positions)


def verified(project: Path, file: str, word: str, name: str, pinned: PinnedDocument) -> dict[str, bytes]:
    """By path the content of a document's files, of its seal too. Raises `Refused` when one is not what was pinned."""
    seal = {seal_of(file): pinned.seal} if pinned.seal else {}
    wanted = {file: pinned.sha256, **seal, **{other: kept.sha256 for other, kept in pinned.files.items()}}
    contents = {}
    for path, sha256 in wanted.items():
        contents[path] = _content(project, path, word, name, SEAL_BYTES_MAX if path in seal else documents.BYTES_MAX)
        if sha256 != digest(contents[path]):
            raise Refused([_changed(path, word, name, pinned.source, "" if path == file else file)])
    return contents


def _parsed(kind: DocumentKind, content: bytes, source: str) -> Opened:
    if kind.syntax != "tree":
        return Opened(content)
    if documents.is_json(content):
        return Opened(documents.read_pinned(content, source).content)
    parsed = documents.read_yaml(content, source)
    return Opened(parsed.value, lambda: parsed.positions)


def _content(project: Path, file: str, kind: str, name: str, bytes_max: int = documents.BYTES_MAX) -> bytes:
    path = project / file
    try:
        if not path.resolve().is_relative_to(project.resolve()):
            raise Refused([_unreadable(file, kind, name, "it lies outside the project")])
        return read_regular(path, bytes_max)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise Refused([_unreadable(file, kind, name, getattr(error, "strerror", None) or str(error))]) from None


def _unreadable(file: str, kind: str, name: str, reason: str) -> Diagnostic:
    remedy = f"Import it from where it is: `entrepot import {kind}:FILE_OR_URL --name {name}`."
    return Diagnostic(codes.DOCUMENT_UNREADABLE, f"the document {file} cannot be read: {reason}", remedy=remedy)


def _changed(file: str, kind: str, name: str, source: str, main: str = "") -> Diagnostic:
    remedy = (
        f"Accept the change with `entrepot import {kind}:{main or file} --name {name}`, "
        f"or restore the file from version control or from {source}."
    )
    message = f"the document {file} is not the one that was imported: its hash differs from the lock's"
    return Diagnostic(codes.DOCUMENT_CHANGED, message, Place(file, 1, 1), remedy)


def _unpinned(file: str, kind: str, name: str) -> Diagnostic:
    message = f"the document {file} is not pinned, so a change to it goes unnoticed"
    remedy = f"Pin it: `entrepot import {kind}:{file} --name {name}`."
    return Diagnostic(codes.DOCUMENT_UNPINNED, message, Place(file, 1, 1), remedy, "warning")
