"""`entrepot.lock`: which documents were imported, from where, and the hash of each.

A compile reads pinned documents only by this file, so that the same project gives the same
release wherever and whenever it is compiled.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import msgspec

from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.kit.files import read_regular
from entrepot.spec import codes
from entrepot.spec.documents import BYTES_MAX, json_place

LOCK_FILE = "entrepot.lock"


class PinnedFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One of the other files of a document."""

    sha256: str
    source: str = ""
    """The URL by which the document refers to it; "" for one that it refers to by its path."""


class PinnedDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One imported document."""

    kind: str
    """The kind of document, as `import KIND:…` names it."""
    source: str
    """File or URL it came from, without credentials."""
    sha256: str
    """Of its bytes, hexadecimal."""
    files: dict[str, PinnedFile] = {}
    """The other files of the document, by file relative to the project."""
    seal: str = ""
    """SHA-256 of the seal of those files that are YAML (`spec/seals.py`); "" when none is."""


class Lock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The pinned documents, by file relative to the project, with `/` between names."""

    entrepot: Literal[1] = 1
    """The version of this file's format."""
    documents: dict[str, PinnedDocument] = {}


def digest(content: bytes) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def read_lock(project: Path) -> Lock:
    """The project's lock; an empty one when nothing was imported. Raises `Refused` when it is damaged."""
    content = b""
    try:
        content = read_regular(project / LOCK_FILE, BYTES_MAX)
        return msgspec.json.decode(content, type=Lock)
    except FileNotFoundError:
        return Lock()
    except (OSError, ValueError) as error:
        message = f"the lock cannot be read: {getattr(error, 'strerror', None) or error}"
        remedy = "Restore it from version control, or remove it and import the documents again."
        place = json_place(content, LOCK_FILE, error)
        raise Refused([Diagnostic(codes.LOCK_UNREADABLE, message, place, remedy)]) from None


def lock_bytes(lock: Lock) -> bytes:
    """The lock as it is written: two spaces of indentation, documents in order of their files."""
    ordered = msgspec.structs.replace(lock, documents=dict(sorted(lock.documents.items())))
    return msgspec.json.format(msgspec.json.encode(ordered), indent=2) + b"\n"
