"""What an OpenAPI document tells its readers that no other protocol has a word for: kept as it is and written again."""

from __future__ import annotations

import msgspec


class _Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """An object of OpenAPI's: members have its names. What else one holds is somebody's own."""


class ExternalDocs(_Told, frozen=True):
    """Where more is said (3.1, §4.8.11)."""

    url: str
    description: str = ""


class Contact(_Told, frozen=True):
    """Whom to ask (3.1, §4.8.3)."""

    name: str = ""
    url: str = ""
    email: str = ""


class License(_Told, frozen=True):
    """What may be done with the API (3.1, §4.8.4)."""

    name: str
    identifier: str = ""
    url: str = ""


class Tag(_Told, frozen=True):
    """What operations of one tag have in common (3.1, §4.8.22)."""

    name: str
    description: str = ""
    external_docs: ExternalDocs | None = None


class OfService(_Told, frozen=True):
    """Of a service as a whole."""

    summary: str = ""
    terms_of_service: str = ""
    contact: Contact | None = None
    license: License | None = None
    tags: tuple[Tag, ...] = ()
    """All of them in their order, where that or anything about them is more than the operations tell."""
    external_docs: ExternalDocs | None = None


class OfOperation(_Told, frozen=True):
    """Of one operation."""

    operation_id: str = ""
    """What it is called there, where that is not its name."""
    external_docs: ExternalDocs | None = None
    responses: dict[str, str] = {}
    """By status of success: what is said of it, where that is more than its output tells."""
    headers: dict[str, tuple[int, ...]] = {}
    """By header of a success: the statuses that it comes with, where there are others."""


NOTHING_OF_OPERATION = OfOperation()
