"""Entrepôt: any API in, any API out.

This is all that a service is written with. The names are loaded when they are first used, so
that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from entrepot.authoring.markers import Body, Cookie, Form, Header, Path, Query
    from entrepot.authoring.service import Service
    from entrepot.model.call import Conditions, Context, Located, Reply
    from entrepot.model.fault import Fault
    from entrepot.model.faults import (
        Conflict,
        Forbidden,
        Invalid,
        NotFound,
        PreconditionFailed,
        RateLimited,
        Rejected,
        TooLarge,
        Unauthenticated,
        Unavailable,
        Unsupported,
        UpstreamFailed,
    )
    from entrepot.model.file import File
    from entrepot.model.page import Page
    from entrepot.model.principal import Principal
    from entrepot.shapes.markers import Cursor, Media, Version

__all__ = [
    "Body",
    "Conditions",
    "Conflict",
    "Context",
    "Cookie",
    "Cursor",
    "Fault",
    "File",
    "Forbidden",
    "Form",
    "Header",
    "Invalid",
    "Located",
    "Media",
    "NotFound",
    "Page",
    "Path",
    "PreconditionFailed",
    "Principal",
    "Query",
    "RateLimited",
    "Rejected",
    "Reply",
    "Service",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "Unsupported",
    "UpstreamFailed",
    "Version",
]

_MODULES = {
    "entrepot.authoring.markers": ("Body", "Cookie", "Form", "Header", "Path", "Query"),
    "entrepot.authoring.service": ("Service",),
    "entrepot.model.call": ("Conditions", "Context", "Located", "Reply"),
    "entrepot.model.fault": ("Fault",),
    "entrepot.model.file": ("File",),
    "entrepot.model.page": ("Page",),
    "entrepot.model.principal": ("Principal",),
    "entrepot.shapes.markers": ("Cursor", "Media", "Version"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'entrepot' has no attribute {name!r}")
    value = getattr(import_module(_HOME.get(name, "entrepot.model.faults")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
