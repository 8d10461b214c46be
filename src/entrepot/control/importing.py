"""A foreign document becomes a pinned service of the project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin, urlsplit, urlunsplit

import msgspec

from entrepot.compiler.imports import not_imported, read_service
from entrepot.kit.diagnostics import Diagnostic, Place, Refused
from entrepot.model.operation import Service
from entrepot.ports.protocol import Catalog, document_kinds
from entrepot.shapes.document import Refusal
from entrepot.spec import documents
from entrepot.spec.pin import Pinned, pin

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


def import_document(
    project: Path, kind: str, obtain: Callable[[], bytes], source: str, name: str, catalog: Catalog
) -> Import:
    """Read a document, pin it and declare the service. Raises `Refused`, and then has changed nothing.

    `obtain` gives the document's bytes; it is asked when somebody reads this kind of document.
    """
    known = document_kinds(catalog)
    if kind not in known:
        remedy = f"Known kinds: {', '.join(known)}."
        raise Refused([Diagnostic(UNKNOWN_KIND, f"documents of kind {kind!r} are not read", remedy=remedy)])
    content = obtain()
    document = documents.read(content, source)
    imported = read_service(catalog[known[kind]].client, document, content, name)
    if not imported.service.operations:
        reasons = not_imported(imported, content, source)
        raise Refused([_nothing(source, has_reasons=bool(reasons)), *reasons])
    url = _upstream_url(imported.server_url, source)
    pinned = pin(project, kind, content, source, name, url)
    return Import(
        service=imported.service,
        refusals=imported.refusals,
        notes=tuple(not_imported(imported, content, pinned.file)),
        pinned=pinned,
        upstream_url=url,
    )


def _nothing(source: str, *, has_reasons: bool) -> Diagnostic:
    message, remedy = "it has no operations", "Check that it is the whole document."
    if has_reasons:
        message, remedy = "none of its operations could be imported", "See the reasons that follow."
    return Diagnostic(NOTHING_IMPORTED, message, Place(source, 1, 1), remedy)


def _upstream_url(server_url: str, source: str) -> str:
    """An absolute address without credentials; "" when the document gives a relative one and came from a file."""
    absolute = urljoin(source, server_url) if urlsplit(source).scheme in ("http", "https") else server_url
    parts = urlsplit(absolute)
    without_credentials = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return without_credentials if parts.scheme in ("http", "https") else ""
