"""What an author says of HTTP beside a function: the one place where this room knows a protocol's words.

It becomes binding data, which REST's folder owns and reads (its README tells each member); to the rest
of the house those are data like any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from entrepot.authoring import mistakes
from entrepot.authoring.diagnostics import Diagnostics
from entrepot.authoring.signature import InputField, Signature
from entrepot.kit.names import PATH_VARIABLE

PROTOCOL = "rest"
"""Whose binding data these are."""

SAFE = ("GET",)
"""Methods whose operations change nothing (RFC 9110, §9.2.1)."""
IDEMPOTENT = ("GET", "PUT", "DELETE")
"""Methods by which doing it twice is doing it once (RFC 9110, §9.2.2)."""

_BEYOND_A_PATH = re.compile(r"[{}?#]")


class Http(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where an operation answers, and how, as far as its decorator says."""

    method: str
    path: str
    status: int | None = None
    """Of success, where it is not the usual one."""
    location: str | None = None
    fields: bool = False
    """Whether callers may choose among the output's fields."""
    expand: bool = False
    """Whether callers may ask for what the output's links lead to."""
    csv: bool = False
    """Whether a list may be answered as a table, too."""
    xml: bool = False
    """Whether bodies and answers may be XML, too."""
    bulk: bool = False
    """Whether callers may send many inputs at once."""
    cache_control: str = ""
    """What caches may do with an answer."""


OPTIONS = frozenset(Http.__struct_fields__) - {"method", "path"}
"""What a decorator says by options."""


def bindings(http: Http | None, signature: Signature) -> dict[str, Any]:
    """The binding data: of the decorator, and of markers and parameters that ask for parts of a request."""
    data = {} if http is None else msgspec.to_builtins(http)
    placed = {field.name: said for field in signature.fields if (said := _placed(field))}
    if placed:
        data["parameters"] = placed
    if any(parameter.source in ("conditions", "context") for parameter in signature.parameters):
        data["conditions"] = True
    return {PROTOCOL: data} if data else {}


def _placed(field: InputField) -> dict[str, str]:
    """Where a parameter stands, as far as that is said of it."""
    said = {} if field.marker is None else field.marker.binding(field.name)
    return said | {"style": "comma"} if field.member.role == "sort" else said


def check(http: Http, function: Callable[..., Any], signature: Signature, found: Diagnostics) -> None:
    """Note what no request could ever fit."""
    path = repr(http.path)
    if http.cache_control and http.method not in SAFE:
        found.add(mistakes.CACHED_CHANGE, function, method=http.method)
    if not http.path.startswith("/") or _BEYOND_A_PATH.search(PATH_VARIABLE.sub("", http.path)):
        found.add(mistakes.NO_PATH, function, path=path)
    taken = {each.name if each.marker is None else each.marker.wire_name(each.name) for each in signature.fields}
    for name in PATH_VARIABLE.findall(http.path):
        plain, _, converter = name.partition(":")
        if converter == "path":
            found.add(mistakes.MANY_SEGMENTS, function, path=path, name=name)
        elif name not in taken:
            mistake = mistakes.CONVERTER if plain in taken else mistakes.NO_SUCH_PARAMETER
            found.add(mistake, function, path=path, name=name, plain=plain)
