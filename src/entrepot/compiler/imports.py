"""import: Python modules and pinned documents become services."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from msgspec.structs import replace

from entrepot.compiler.draft import Draft, Unit, placed
from entrepot.ir.worker import PythonSource, UpstreamSource
from entrepot.kit.diagnostics import Diagnostic, Place, Refused
from entrepot.ports.protocol import Client, Imported, document_kinds
from entrepot.shapes.document import Refusal
from entrepot.spec.applications import Kind
from entrepot.spec.gather import ReadDocument
from entrepot.spec.located import located
from entrepot.spec.lock import Lock, read_lock
from entrepot.spec.messages import FoundService, Probed, Source
from entrepot.spec.modules import probe
from entrepot.spec.pinned import read_document
from entrepot.spec.references import parse_reference, root_of

PARTLY_IMPORTED = "N301"
"""A part of a document was not imported."""


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
    units = []
    for key, kind, file in wanted:
        try:
            units.append(_document_unit(draft, key, kind, file, lock, diagnostics))
        except Refused as refused:
            diagnostics += [placed(each, draft.at("services", key, kind)) for each in refused.diagnostics]
    return units


def _document_unit(draft: Draft, key: str, kind: str, file: str, lock: Lock, diagnostics: list[Diagnostic]) -> Unit:
    protocol = document_kinds(draft.catalog)[kind]
    client = draft.catalog[protocol].client
    read = read_document(draft.loaded.project, file, client.documents[kind], kind, key, lock)
    entry = draft.declaration.services[key]
    imported = read_service(client, read, entry.name or key)
    diagnostics += [*read.warnings, *not_imported(imported, read)]
    upstream = entry.upstream or ""
    return Unit(
        key=key,
        service=imported.service,
        source=UpstreamSource(protocol=protocol, upstream=upstream),
        elsewhere=imported.elsewhere,
        server_path=urlsplit(imported.server_url).path.rstrip("/"),
        place=draft.at("services", key),
    )


def read_service(client: Client, read: ReadDocument, name: str) -> Imported:
    """What a protocol's client makes of a document. Raises `Refused`, with places in its files."""
    try:
        imported = client.read(read.document, name)
    except Refused as refused:
        raise Refused(_located(refused.diagnostics, read)) from None
    return replace(imported, refusals=(*read.refusals, *imported.refusals))


def not_imported(imported: Imported, read: ReadDocument) -> list[Diagnostic]:
    """What of a document was left out, for a person to read."""
    return _located((_note(refusal, read.document.place(refusal.pointer)) for refusal in imported.refusals), read)


def _located(diagnostics: Iterable[Diagnostic], read: ReadDocument) -> list[Diagnostic]:
    found = list(diagnostics)
    for location, octets in read.octets.items():
        source = read.document.source if location == read.document.main else location
        found = located(found, octets, source, read.positions.get(location))
    return found


def _note(refusal: Refusal, place: Place) -> Diagnostic:
    message = f"{refusal.construct} is not imported: {refusal.reason}"
    remedy = "Do without it, or change the document there and import it again."
    return Diagnostic(PARTLY_IMPORTED, message, place, remedy, "note")
