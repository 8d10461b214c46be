"""What an author says of HTTP beside a function: the one place where this room knows a protocol's words.

It becomes binding data, which REST's folder owns and reads (its README tells each member); to the rest
of the house those are data like any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

import msgspec

from entrepot.authoring import diagnostics
from entrepot.authoring.diagnostics import Diagnostics
from entrepot.authoring.signature import Signature
from entrepot.kit.names import PATH_VARIABLE

PROTOCOL = "rest"
"""Whose binding data these are."""

_BEYOND_A_PATH = re.compile(r"[{}?#]")


class Http(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where an operation answers, and how, as far as its decorator says."""

    method: str
    path: str
    status: int | None = None
    """Of success, where it is not the usual one."""
    location: str | None = None


def bindings(http: Http | None, signature: Signature) -> dict[str, Any]:
    """The binding data: of the decorator, and of markers and parameters that ask for parts of a request."""
    data = {} if http is None else msgspec.to_builtins(http)
    marked = {field.name: field.marker.binding(field.name) for field in signature.fields if field.marker is not None}
    if marked:
        data["parameters"] = marked
    if any(parameter.source in ("conditions", "context") for parameter in signature.parameters):
        data["conditions"] = True
    return {PROTOCOL: data} if data else {}


def check(http: Http, function: Callable[..., Any], signature: Signature, found: Diagnostics) -> None:
    """Note what no request could ever fit."""
    if not http.path.startswith("/") or _BEYOND_A_PATH.search(PATH_VARIABLE.sub("", http.path)):
        found.add(
            diagnostics.BAD_PATH,
            f"{http.path!r} is not a path",
            function,
            "Begin it with a slash, close every brace, and declare what follows a `?` as parameters.",
        )
    taken = {each.name if each.marker is None else each.marker.wire_name(each.name) for each in signature.fields}
    for name in PATH_VARIABLE.findall(http.path):
        if name not in taken:
            found.add(
                diagnostics.UNKNOWN_TEMPLATE_NAME,
                f"the path {http.path!r} names {{{name}}}, but {function.__name__} has no such parameter",
                function,
                _remedy(name, taken),
            )
    if http.status is not None and not 200 <= http.status <= 299:
        found.add(
            diagnostics.BAD_OPTION,
            f"the status {http.status} does not tell that {function.__name__} succeeded",
            function,
            "Give a status from 200 to 299, and raise a fault for everything else.",
        )


def _remedy(name: str, taken: Collection[str]) -> str:
    plain = name.partition(":")[0]
    if plain in taken:
        return f"Write {{{plain}}}: the parameter's type tells what it may be, and it takes one segment."
    return f"Add a parameter {plain!r}, or take {{{name}}} out of the path."
