"""import: Python modules and pinned documents become services."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from entrepot.compiler.addresses import server_address, server_path
from entrepot.compiler.draft import Draft, Unit, placed
from entrepot.ir.worker import PythonSource, UpstreamSource
from entrepot.kit.diagnostics import Diagnostic, Place, Refused
from entrepot.kit.limits import OPERATIONS_MAX
from entrepot.ports.protocol import Client, DocumentKind, Imported, document_kinds
from entrepot.shapes.document import Refusal
from entrepot.shapes.extras import with_extras
from entrepot.spec.applications import Kind
from entrepot.spec.gather import ReadDocument
from entrepot.spec.located import located
from entrepot.spec.lock import Lock, read_lock
from entrepot.spec.messages import FoundService, Probed, Source
from entrepot.spec.modules import probe
from entrepot.spec.pinned import read_document, verified
from entrepot.spec.references import parse_reference, root_of

PARTLY_IMPORTED = "N301"
"""A part of a document was not imported."""
TOO_MANY_OPERATIONS = "E340"
"""A document has more operations than a service may have."""


def import_sources(draft: Draft) -> Draft:
    """The draft with a unit for each service whose source could be read.

    An entry with no source, or with several, gets none: its rule reports it.
    """
    diagnostics = list(draft.diagnostics)
    sources, applications = _module_sources(draft), _applications(draft)
    with ThreadPoolExecutor(1) as beside:
        # Another process imports the modules; meanwhile there is time for what will be needed here.
        answers = beside.submit(probe, draft.loaded.project, [*sources.values(), *applications.values()])
        documents = _from_documents(draft, diagnostics)
        _load_protocols(draft)
    found = answers.result()
    modules = _from_modules(draft, sources, found[: len(sources)], diagnostics)
    for place, answer in zip(applications, found[len(sources) :], strict=True):
        diagnostics += [placed(each, place) for each in answer.diagnostics]
    # Of a service whose entry is only partly read, later passes would say what may not be so.
    units = tuple(unit for unit in (*modules, *documents) if draft.is_read(unit.place))
    return replace(draft, units=units, diagnostics=tuple(diagnostics))


def _load_protocols(draft: Draft) -> None:
    entries, fallback = draft.declaration.services.values(), draft.request.exposed_by_default
    for name in {name for entry in entries for name in (fallback if entry.expose is None else entry.expose)}:
        draft.catalog.get(name)


def _from_modules(
    draft: Draft, sources: dict[str, Source], answers: list[Probed], diagnostics: list[Diagnostic]
) -> list[Unit]:
    units = []
    for (key, source), answer in zip(sources.items(), answers, strict=True):
        place = draft.at("services", key, "python")
        diagnostics += [placed(each, place) for each in answer.diagnostics]
        units += [_python_unit(key, source, found, draft.at("services", key)) for found in answer.services]
    return units


def _module_sources(draft: Draft) -> dict[str, Source]:
    sources = {}
    for key, entry in draft.declaration.services.items():
        reference = parse_reference(entry.python) if entry.python is not None else None
        if reference is not None and not entry.documents:
            path = root_of(draft.loaded.project, reference.module)
            sources[key] = Source(reference.module, reference.attribute, path)
    return sources


def _applications(draft: Draft) -> dict[Place, Source]:
    """The applications to host, by where they are named. What has another form is left to its rule."""
    applications = {}
    for index, route in enumerate(draft.declaration.routes):
        if route.wsgi is None and route.asgi is None:
            continue
        kinds: tuple[tuple[Kind, str | None], ...] = (("wsgi", route.wsgi), ("asgi", route.asgi))
        for kind, named in kinds:
            reference = parse_reference(named) if named is not None else None
            if reference is not None and reference.attribute:
                path = root_of(draft.loaded.project, reference.module)
                source = Source(reference.module, reference.attribute, path, hosted=kind)
                applications[draft.at("routes", index, kind)] = source
    return applications


def _python_unit(key: str, source: Source, found: FoundService, place: Place) -> Unit:
    origin = PythonSource(module=source.module, attribute=found.attribute, path=source.path)
    return Unit(
        key=key,
        service=found.service,
        source=origin,
        places=found.places,
        place=place,
        written=found.place,
        worded=found.worded,
    )


def _from_documents(draft: Draft, diagnostics: list[Diagnostic]) -> list[Unit]:
    wanted = [
        (key, *next(iter(entry.documents.items())))
        for key, entry in draft.declaration.services.items()
        if len(entry.documents) == 1 and entry.python is None
    ]
    if not wanted:
        return []
    try:
        lock = read_lock(draft.loaded.project)
    except Refused as refused:
        diagnostics += refused.diagnostics
        return []
    global _known
    units, read = [], {}
    for key, kind, file in wanted:
        try:
            origin, found = _read(draft, key, kind, file, lock)
        except Refused as refused:
            diagnostics += [placed(each, draft.at("services", key, kind)) for each in refused.diagnostics]
            continue
        read[origin] = found
        diagnostics += found.diagnostics
        units.append(_document_unit(draft, key, kind, found.imported))
    _known = read
    return units


class _Read(NamedTuple):
    """What came of a document."""

    imported: Imported
    diagnostics: list[Diagnostic]


_Origin = tuple[Path, str, str, bytes]
"""All that decides what comes of a document: project, service, kind, and what is pinned of it."""

_known: dict[_Origin, _Read] = {}
"""The documents of the project that was compiled last. Reading one again takes as long as all the rest."""


def _read(draft: Draft, key: str, kind: str, file: str, lock: Lock) -> tuple[_Origin, _Read]:
    project, entry, pinned = draft.loaded.project, draft.declaration.services[key], lock.documents.get(file)
    origin = (project, entry.name or key, f"{kind}:{file}", msgspec.json.encode(pinned))
    if pinned is not None and origin in _known:
        verified(project, file, kind, key, pinned)
        return origin, _known[origin]
    client = draft.catalog[document_kinds(draft.catalog)[kind]].client
    read = read_document(project, file, client.documents[kind], kind, key, lock)
    imported = read_service(client, client.documents[kind], read, entry.name or key)
    return origin, _Read(imported, [*read.warnings, *not_imported(imported, read, each=False)])


def _document_unit(draft: Draft, key: str, kind: str, imported: Imported) -> Unit:
    entry = draft.declaration.services[key]
    return Unit(
        key=key,
        service=with_extras(imported.service, entry.extras or "drop"),
        source=UpstreamSource(protocol=document_kinds(draft.catalog)[kind], upstream=entry.upstream or ""),
        elsewhere=imported.elsewhere,
        server_path=server_path(imported.server_url),
        place=draft.at("services", key),
    )


def read_service(client: Client, kind: DocumentKind, read: ReadDocument, name: str) -> Imported:
    """What a protocol's client makes of a document. Raises `Refused`, with places in its files."""
    operations = kind.operations(read.document.content)
    if operations > OPERATIONS_MAX:
        message = f"the document has {operations:,} operations, and a service at most {OPERATIONS_MAX:,}"
        remedy = "Import it in parts, each as a service of its own."
        raise Refused([Diagnostic(TOO_MANY_OPERATIONS, message, Place(read.document.source, 1, 1), remedy)])
    try:
        imported = client.read(read.document, name)
    except Refused as refused:
        raise Refused(_located(refused.diagnostics, read)) from None
    return _with_addresses(replace(imported, refusals=(*read.refusals, *imported.refusals)))


def _with_addresses(imported: Imported) -> Imported:
    """Without the addresses that could not be called, and the operations at such of their own.

    What is said of an address does not repeat it: it may hold a secret.
    """
    refusals, url, elsewhere = [*imported.refusals], "", {}
    try:
        url = server_address(imported.server_url)
    except ValueError as error:
        refusals.append(Refusal("", "the server's address", str(error)))
    for operation, address in imported.elsewhere.items():
        try:
            elsewhere[operation] = server_address(address)
        except ValueError as error:
            refusals.append(Refusal("", f"operation {operation}", f"of its own server's address, {error}"))
    lost = imported.elsewhere.keys() - elsewhere.keys()
    kept = {each.name for each in imported.service.operations} - lost
    service = imported.service.only(kept) if lost else imported.service
    return replace(imported, service=service, refusals=tuple(refusals), server_url=url, elsewhere=elsewhere)


def not_imported(imported: Imported, read: ReadDocument, *, each: bool) -> list[Diagnostic]:
    """What of a document was left out, for a person to read: each part, or the first of those with one reason."""
    alike: dict[tuple[str, str], list[Refusal]] = {}
    for refusal in imported.refusals:
        alike.setdefault((refusal.reason, refusal.construct if each else ""), []).append(refusal)
    return _located((_note(parts, read.document.place(parts[0].pointer)) for parts in alike.values()), read)


def _located(diagnostics: Iterable[Diagnostic], read: ReadDocument) -> list[Diagnostic]:
    found = list(diagnostics)
    for location, octets in read.octets.items():
        source = read.document.source if location == read.document.main else location
        found = located(found, octets, source, read.positions.get(location))
    return found


def _note(parts: list[Refusal], place: Place) -> Diagnostic:
    first, others = parts[0], len(parts) - 1
    more = f" and {others} more are" if others else " is"
    if others and all(part.construct == first.construct for part in parts):
        more = f", in {others + 1} places, is"
    message = f"{first.construct}{more} not imported: {first.reason}"
    remedy = "The rest of the document is served without it."
    return Diagnostic(PARTLY_IMPORTED, message, place, remedy, "note")
