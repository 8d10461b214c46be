"""A foreign document becomes a pinned service of the project."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urljoin

import msgspec
from msgspec.structs import replace

from entrepot.compiler.imports import not_imported, read_service
from entrepot.kit.diagnostics import Diagnostic, Place, Refused
from entrepot.model.operation import Service
from entrepot.ports.protocol import Catalog, document_kinds
from entrepot.shapes.document import Refusal
from entrepot.spec.gather import DocumentSource, gather
from entrepot.spec.pin import Pinned, pin
from entrepot.spec.yaml import Parsed

UNKNOWN_KIND = "E921"
"""No protocol reads this kind of document."""
NOTHING_IMPORTED = "E922"
"""Every operation of the document was refused."""


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an import."""

    service: Service
    refusals: tuple[Refusal, ...]
    """What of the document was left out."""
    notes: tuple[Diagnostic, ...]
    """The same for a person to read, with its places in the document."""
    pinned: Pinned
    upstream_url: str
    """Where its calls go; "" when the document does not say."""


def import_document(project: Path, word: str, source: DocumentSource, name: str, catalog: Catalog) -> Import:
    """Read a document, pin it and declare the service. Raises `Refused`, and then has changed nothing.

    `word` is the kind of document; the source is asked when somebody reads this kind.
    """
    known = document_kinds(catalog)
    if word not in known:
        remedy = f"Known kinds: {', '.join(known)}."
        raise Refused([Diagnostic(UNKNOWN_KIND, f"documents of kind {word!r} are not read", remedy=remedy)])
    client = catalog[known[word]].client
    kind = client.documents[word]
    content = source.content()
    read = gather(kind, content, source.main, source.name, source.obtain)
    imported = read_service(client, kind, read, name)
    if not imported.service.operations and not imported.service.outgoing:
        reasons = not_imported(imported, read, each=True)
        raise Refused([_nothing(source.name, has_reasons=bool(reasons)), *reasons])
    called = bool(imported.service.operations)
    url = _upstream_url(imported.server_url, source.name) if called else ""
    main, octets = read.document.main, read.octets
    files_of = {main: read.document.content, **read.document.files}
    files = {location: octets[location] for location in read.document.files}
    parsed = {location: Parsed(files_of[location], positions()) for location, positions in read.positions.items()}
    pinned = pin(
        project, word, content, source.name, name, url,
        main=main, files=files, suffix=kind.suffix, parsed=parsed, called=called,
        elsewhere=sorted({_upstream_url(each, source.name) for each in imported.elsewhere.values()}),
    )  # fmt: skip
    return Import(
        service=imported.service,
        refusals=imported.refusals,
        notes=tuple(_as_pinned(note, source.name, pinned) for note in not_imported(imported, read, each=True)),
        pinned=pinned,
        upstream_url=url,
    )


def _as_pinned(note: Diagnostic, source: str, pinned: Pinned) -> Diagnostic:
    """The diagnostic with its place in the file that is kept in the project."""
    file = pinned.file if note.place.file == source else pinned.files.get(note.place.file, note.place.file)
    return replace(note, place=replace(note.place, file=file))


def _nothing(source: str, *, has_reasons: bool) -> Diagnostic:
    message, remedy = "it has no operations", "Check that it is the whole document."
    if has_reasons:
        message, remedy = "none of its operations could be imported", "See the reasons that follow."
    return Diagnostic(NOTHING_IMPORTED, message, Place(source, 1, 1), remedy)


def _upstream_url(server_url: str, source: str) -> str:
    """An absolute address; "" when the document gives a relative one and came from a file."""
    absolute = urljoin(source, server_url) if _is_web(source) else server_url
    return absolute if _is_web(absolute) else ""


def _is_web(address: str) -> bool:
    """Whether an address is one of HTTP."""
    return address.lower().startswith(("http://", "https://"))
