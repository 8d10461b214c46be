"""Pinning an imported document: its bytes, their hash and origin, and a service that uses it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec.structs import replace

from entrepot.kit.diagnostics import Diagnostic, Place, Refused
from entrepot.kit.files import replace_file
from entrepot.kit.names import unique, words
from entrepot.kit.pointers import pointer
from entrepot.shapes.locations import is_elsewhere
from entrepot.spec import codes
from entrepot.spec.declaration import NAME_PATTERN
from entrepot.spec.documents import is_json
from entrepot.spec.edit import add_member
from entrepot.spec.gather import kept_as
from entrepot.spec.load import DECLARATION_FILE
from entrepot.spec.lock import LOCK_FILE, PinnedDocument, PinnedFile, digest, lock_bytes, read_lock
from entrepot.spec.seals import BYTES_MAX as SEAL_BYTES_MAX
from entrepot.spec.seals import DIRECTORY, seal, seal_of
from entrepot.spec.yaml import Parsed, read

_UPSTREAM_NAME_MAX = 50
"""Characters of a host in an upstream's name, which may get a number behind it."""

_READABLE = 0o644
"""The mode of files that belong in version control."""


class Pinned(msgspec.Struct, frozen=True, kw_only=True):
    """What an import has done."""

    file: str
    """The document's main file, relative to the project."""
    files: dict[str, str]
    """Of a document of several files: by location, where each is kept."""
    changed: bool
    """Its bytes differ from those pinned before, or none were."""
    replaced: str
    """Where the document came from that was pinned before, when that is another place; "" else."""
    service_added: bool
    upstream_added: bool
    further: dict[str, str]
    """The other upstreams that were added, by name, each with its address."""


def pin(
    project: Path, kind: str, content: bytes, source: str, name: str, upstream_url: str = "",
    *, main: str = "", files: Mapping[str, bytes] = {}, suffix: str = "", parsed: Mapping[str, Parsed] = {},
    called: bool = True, elsewhere: Sequence[str] = (),
) -> Pinned:  # fmt: skip
    """Keep a document as `specs/<name>.json` or `.yaml`, lock it, and declare the service and its upstream.

    `kind` is the kind of document, `source` the file or URL it came from, `upstream_url` where its
    calls shall go ("": unknown, the person adds it). What is declared already stays as it is.
    Where something refers to it by name, it is at `main` and kept below `specs/<name>/`, with the other
    `files` by their locations, as they lay to each other. `suffix` is that of its kind.
    `parsed` are those that are YAML, by location. Where nothing in it is `called`, the service has no upstream.
    `elsewhere` are further addresses that calls go to; each gets an upstream named after its host.
    Raises `Refused`, and then has written nothing.
    """
    if not re.fullmatch(NAME_PATTERN, name):
        remedy = "Use letters, digits, `-` and `_`, a letter first."
        raise Refused([Diagnostic(codes.BAD_NAME, f"`{name}` cannot be a service's name", remedy=remedy)])
    kept = _layout(name, main, files)
    file = kept[main] if main else f"{DIRECTORY}/{name}{suffix or ('.json' if is_json(content) else '.yaml')}"
    lock = read_lock(project)
    before = lock.documents.get(file)
    origin = _origin(source, project)
    if before is not None and origin == file:
        origin = before.source  # a change made by hand; where it once came from is still true
    others = {kept[location]: octets for location, octets in files.items()}
    sealed = _sealed({kept.get(location, file): each for location, each in parsed.items()}, file)
    pinned = PinnedDocument(
        kind=kind,
        source=origin,
        sha256=digest(content),
        files=_locked(kept, files),
        seal=digest(sealed) if sealed else "",
    )
    entry = {kind: file, "upstream": name} if called else {kind: file}
    text, service_added, upstream_added = _declared(_text(project), entry, name, upstream_url)
    text, further = _with_upstreams(text, elsewhere if service_added else ())
    if sealed:
        others[seal_of(file)] = sealed
    for path, octets in {**others, file: content}.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        # Thousands, each on its way to the disk by itself, would take minutes; what is lost, its hash tells.
        replace_file(project / path, octets, mode=_READABLE, durable=path == file)
    replace_file(
        project / LOCK_FILE, lock_bytes(replace(lock, documents={**lock.documents, file: pinned})), mode=_READABLE
    )
    if service_added or upstream_added:
        replace_file(project / DECLARATION_FILE, text.encode(), mode=_READABLE)
    return Pinned(
        file=file,
        files=kept,
        changed=before is None or (before.sha256, before.files) != (pinned.sha256, pinned.files),
        replaced=before.source if before is not None and before.source != origin else "",
        service_added=service_added,
        upstream_added=upstream_added,
        further=further,
    )


def _sealed(parsed: Mapping[str, Parsed], file: str) -> bytes:
    sealed = seal(parsed) if parsed else b""
    if len(sealed) > SEAL_BYTES_MAX:
        message = f"the document {file} is longer than {SEAL_BYTES_MAX} bytes as JSON"
        raise Refused([Diagnostic(codes.DOCUMENT_UNREADABLE, message, Place(file, 1, 1), "Repeat less by aliases.")])
    return sealed


def _layout(name: str, main: str, files: Mapping[str, bytes]) -> dict[str, str]:
    """By location: where in the project each file is kept, without the directories that all have in common."""
    locations = [main, *files] if main else []
    paths = {location: kept_as(location) for location in locations}
    common = os.path.commonpath([os.path.dirname(paths[each]) for each in locations if not is_elsewhere(each)] or [""])
    return {
        location: f"{DIRECTORY}/{name}/{path if is_elsewhere(location) else os.path.relpath(path, common or '.')}"
        for location, path in paths.items()
    }


def _locked(kept: Mapping[str, str], files: Mapping[str, bytes]) -> dict[str, PinnedFile]:
    locked = {
        kept[location]: PinnedFile(sha256=digest(octets), source=location if is_elsewhere(location) else "")
        for location, octets in files.items()
    }
    return dict(sorted(locked.items()))


def _origin(source: str, project: Path) -> str:
    """The source as the lock keeps it: a URL without credentials, a file without the machine's directories."""
    parts = urlsplit(source)
    if parts.scheme in ("http", "https"):
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    path = Path(source).absolute()
    return path.relative_to(project.absolute()).as_posix() if path.is_relative_to(project.absolute()) else path.name


def _text(project: Path) -> str:
    try:
        return (project / DECLARATION_FILE).read_bytes().decode()
    except FileNotFoundError:
        return f"entrepot: 1\n{_name_of(project)}"
    except UnicodeDecodeError:
        remedy = "Save the file as UTF-8."
        place = Place(DECLARATION_FILE, 1, 1)
        raise Refused([Diagnostic(codes.YAML_SYNTAX, "the file is not UTF-8", place, remedy)]) from None


def _name_of(project: Path) -> str:
    """The project's name by its directory, as the declaration says it; "" where that cannot be one."""
    name = "-".join(words(project.resolve().name))
    return f"name: {name}\n" if re.fullmatch(NAME_PATTERN, name) else ""


def _declared(text: str, entry: Mapping[str, str], name: str, upstream_url: str) -> tuple[str, bool, bool]:
    """The declaration with the service and the upstream in it, and whether each was added."""
    before = read(text.encode(), DECLARATION_FILE)
    value = before.value
    sections = value if isinstance(value, dict) else {}
    services, upstreams = sections.get("services") or {}, sections.get("upstreams") or {}
    service_added = name not in services
    upstream_added = service_added and bool(upstream_url) and name not in upstreams
    if not service_added:
        kind, file = next(iter(entry.items()))
        _refuse_other_source(services[name], kind, file, name, before.positions.key(pointer(["services", name])))
    if service_added:
        text = add_member(text, "services", name, dict(entry), DECLARATION_FILE)
    if upstream_added:
        text = add_member(text, "upstreams", name, {"url": upstream_url}, DECLARATION_FILE)
    return text, service_added, upstream_added


def _with_upstreams(text: str, urls: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The declaration with an upstream for each of these, named after its host, and those that were added."""
    added: dict[str, str] = {}
    for url in urls:
        value = read(text.encode(), DECLARATION_FILE).value
        upstreams = (value.get("upstreams") if isinstance(value, dict) else None) or {}
        if any(isinstance(each, dict) and url in (each.get("url"), each.get("server")) for each in upstreams.values()):
            continue
        base = "-".join(words(urlsplit(url).hostname or ""))[:_UPSTREAM_NAME_MAX]
        base = base if base[:1].isalpha() else f"at-{base}"
        name = unique(base, dict.fromkeys((str(each).lower() for each in upstreams), 1))
        text = add_member(text, "upstreams", name, {"url": url}, DECLARATION_FILE)
        added[name] = url
    return text, added


def _refuse_other_source(entry: object, kind: str, file: str, name: str, place: Place) -> None:
    if not isinstance(entry, dict) or entry.get(kind) != file:
        message = f"there is a service `{name}` already, whose source is not {file}"
        remedy = f"Choose another `--name`, or write `{kind}: {file}` there, or remove that service first."
        raise Refused([Diagnostic(codes.NAME_TAKEN, message, place, remedy)])
