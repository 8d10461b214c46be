"""seal: everything under one digest, the same for the same input, with the content of all that will run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from entrepot.compiler.draft import Draft
from entrepot.compiler.own_files import own_modules
from entrepot.ir.edge import EdgeIR
from entrepot.ir.release import Release, Sealed
from entrepot.kit.diagnostics import Diagnostic, Place, Refused
from entrepot.kit.files import read_regular
from entrepot.model.upstream import Upstream
from entrepot.spec import codes
from entrepot.spec.lock import read_lock

BYTES_MAX = 256 * 1024 * 1024
"""Most octets of one release's files, all together."""


def seal(draft: Draft) -> Draft:
    """The draft with its release, and what that keeps."""
    if draft.edge is None or draft.worker is None:
        raise ValueError("a release is sealed once it is lowered")
    try:
        contents = _read(draft)
    except Refused as refused:
        return replace(draft, diagnostics=(*draft.diagnostics, *refused.diagnostics))
    files = {path: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    release = Release(
        project=draft.settings.name,
        mode=draft.request.mode,
        environment=draft.request.environment,
        target=draft.loaded.positions.file,
        kept=draft.settings.releases,
        edge=_with_authorities(draft.edge, files),
        worker=draft.worker,
        files=files,
        dependencies=draft.request.dependencies,
    )
    return replace(draft, sealed=Sealed(release, {files[path]: content for path, content in contents.items()}))


def _read(draft: Draft) -> dict[str, bytes]:
    """By path: the project's modules, imported documents and trusted authorities."""
    project = draft.loaded.project
    names = {*own_modules(project, packages_only=draft.loaded.standalone), *_declared_files(draft)}
    contents: dict[str, bytes] = {}
    left = BYTES_MAX
    for name in sorted(names):
        contents[name] = _content(project, name, left)
        left -= len(contents[name])
    return contents


def _content(project: Path, name: str, left: int) -> bytes:
    try:
        content = read_regular(project / name, left)
    except OSError as error:
        message = f"{name} cannot be read: {error.strerror or error}"
        remedy = "Let whoever runs this read it, or move it out of the project."
        raise Refused([Diagnostic(codes.FILE_UNREADABLE, message, Place(name, 1, 1), remedy)]) from None
    if len(content) > left:
        message = f"{project.name} holds more than {BYTES_MAX // 1024**2} MiB of modules and documents"
        remedy = "Name a directory that holds the project alone."
        raise Refused([Diagnostic(codes.PROJECT_TOO_LARGE, message, Place(name), remedy)])
    return content


def _declared_files(draft: Draft) -> Iterator[str]:
    lock = read_lock(draft.loaded.project)
    for entry in draft.declaration.services.values():
        for file in entry.documents.values():
            yield file
            yield from lock.documents[file].files if file in lock.documents else ()
    yield from (each.tls.ca_file for each in draft.upstreams.values() if each.tls and each.tls.ca_file)


def _with_authorities(edge: EdgeIR, files: dict[str, str]) -> EdgeIR:
    """The edge, whose upstreams say under which digest their authorities are kept."""
    return replace(edge, upstreams=tuple(_with_authority(upstream, files) for upstream in edge.upstreams))


def _with_authority(upstream: Upstream, files: dict[str, str]) -> Upstream:
    if upstream.tls is None or not upstream.tls.ca_file:
        return upstream
    return replace(upstream, tls=replace(upstream.tls, ca=files[upstream.tls.ca_file]))
