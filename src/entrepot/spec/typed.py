"""From plain values to a Declaration, and all that is wrong with them, each where it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from entrepot.kit.diagnostics import Diagnostic, Place
from entrepot.kit.limits import Limits
from entrepot.kit.pointers import pointer, tokens
from entrepot.kit.suggest import did_you_mean
from entrepot.model import shape as s
from entrepot.model.fault import Issue
from entrepot.spec import codes
from entrepot.spec.declaration import (
    NAME_PATTERN,
    PATH_PATTERN,
    VARIABLE_PATTERN,
    Declaration,
    ServiceEntry,
    declaration_type,
)
from entrepot.spec.environment import without_parts
from entrepot.spec.positions import Positions
from entrepot.spec.synonyms import SYNONYMS
from entrepot.spec.units import DURATION_PATTERN, SIZE_PATTERN
from entrepot.spec.yaml import Parsed

LATER = ("channels", "consumers", "graphql", "mapping", "plans", "policies", "proto", "schedules", "wsdl")
"""Keys that people will look for and that a later version brings."""

DIAGNOSTICS_MAX = 100
"""Most diagnostics told at once."""

ROUNDS_MAX = 8
"""How often parts are left out until the rest is well-formed: what lacks a key goes as a whole."""

_FORMS = {
    DURATION_PATTERN: ("this is not a duration", "Write a number and its unit: 500ms, 2s, 1.5m or 1h."),
    SIZE_PATTERN: ("this is not a size", "Write a number and its unit: 512B, 64KiB or 10MB."),
    VARIABLE_PATTERN: (
        "this is no name of an environment variable",
        "Write the name of one; the secret itself never stands in this file.",
    ),
    PATH_PATTERN: ("this is not a path", "Begin it with a slash, and leave out spaces: /healthz."),
}
_WORDS = {
    "an array": "a list",
    "an object": "a map",
    "a string": "text",
    f"must match the pattern {NAME_PATTERN}": "must be made of letters, digits, `-` and `_`, a letter first",
}
"""What JSON calls things, with the words of YAML."""
_SERVICE_KEYS = set(ServiceEntry.__struct_fields__)
_CODES = {"type": codes.WRONG_TYPE, "null": codes.WRONG_TYPE, "missing": codes.MISSING_KEY}


Kinds = Callable[[], Mapping[str, tuple[str, ...]]]
"""Gives the kinds of document that protocols read, each with the other words for it. That loads every
protocol, so it is asked late."""


class Typed(msgspec.Struct, frozen=True):
    """What came of plain values."""

    declaration: Declaration | None
    """Without the parts that are wrong; None when nothing is left of it."""
    positions: Positions
    diagnostics: tuple[Diagnostic, ...] = ()


def typed(parsed: Parsed, kinds: Kinds) -> Typed:
    """The Declaration, with everything that is wrong beside it and left out of it."""
    known = kinds() if _names_documents(parsed.value) else {}
    declaration = declaration_type(tuple(known))
    synonyms = SYNONYMS | {word: kind for kind, words in known.items() for word in words}
    diagnostics: tuple[Diagnostic, ...] = ()
    for _ in range(ROUNDS_MAX):
        try:
            return Typed(msgspec.convert(parsed.value, declaration), parsed.positions, diagnostics)
        except msgspec.ValidationError as error:
            cut, found = _explained(parsed, declaration, synonyms)
            diagnostics = diagnostics or found or (_unexplained(error, parsed.positions),)
            if not cut or "" in cut:
                break
            parsed = without_parts(parsed, cut)
    return Typed(None, parsed.positions, diagnostics)


def _names_documents(plain: Any) -> bool:
    """Whether a service has a key besides those that every service may have."""
    services = plain.get("services") if isinstance(plain, dict) else None
    entries = services.values() if isinstance(services, dict) else ()
    return any(isinstance(entry, dict) and not entry.keys() <= _SERVICE_KEYS for entry in entries)


def _explained(
    parsed: Parsed, declaration: type[Declaration], synonyms: Mapping[str, str]
) -> tuple[set[str], tuple[Diagnostic, ...]]:
    """The pointers of the parts that are wrong, and what is wrong with them, in the order of the file."""
    # Only needed when something is wrong.
    from entrepot.shapes.explain import explain
    from entrepot.shapes.reflect import Reflector

    reflector = Reflector()
    root = reflector.shape(declaration)
    issues = explain(root, parsed.value, reflector.types, Limits(issues_max=DIAGNOSTICS_MAX))
    found = [_diagnostic(issue, root, reflector.types, parsed.positions, synonyms) for issue in issues]
    cut = {issue.pointer.rpartition("/")[0] if issue.code == "missing" else issue.pointer for issue in issues}
    return cut, tuple(sorted(found, key=lambda each: (each.place.line, each.place.column)))


def _unexplained(error: Exception, positions: Positions) -> Diagnostic:
    remedy = "Compare it with the reference of the declaration."
    return Diagnostic(codes.WRONG_VALUE, str(error), positions.value(""), remedy)


def _diagnostic(
    issue: Issue, root: s.Shape, types: s.Types, positions: Positions, synonyms: Mapping[str, str]
) -> Diagnostic:
    path = tokens(issue.pointer)
    if issue.code == "unknown":
        return _unknown(path, root, types, positions.key(issue.pointer), synonyms)
    name = _name(path, root, types)
    if issue.code == "missing":
        remedy = f"Add `{path[-1]}: …` to it."
        return Diagnostic(codes.MISSING_KEY, f"{name} is missing", positions.key(pointer(path[:-1])), remedy)
    message, remedy = _wrong(issue, _shape_at(root, types, path))
    if issue.pointer == "/listen":
        remedy = "Write an address and a port, in quotes: `127.0.0.1:8080`."
    code = _CODES.get(issue.code, codes.WRONG_VALUE)
    return Diagnostic(code, f"{name}: {message}", positions.value(issue.pointer), remedy)


def _wrong(issue: Issue, shape: s.Shape | None) -> tuple[str, str]:
    """What to say of a value, and the remedy."""
    if isinstance(shape, s.Text) and shape.pattern in _FORMS:
        return _FORMS[shape.pattern]
    if isinstance(shape, s.Record) and issue.code == "variant":
        names = ", ".join(field.name for field in shape.fields)
        return "this is neither true, false nor a map", f"The map may hold: {names}."
    if isinstance(shape, s.Record) and shape.field("env") and issue.code == "type":
        return "a secret never stands in this file", "Say where it is kept: `{env: NAME}` or `{file: PATH}`."
    message = issue.message
    for json, yaml in _WORDS.items():
        message = message.replace(json, yaml)
    if message.startswith("the member's name"):
        return message, "Choose a name of that form, of at most 63 characters."
    if isinstance(shape, s.Text) and issue.code == "type":
        return message, "Write text, in quotes if it looks like something else."
    return message, _what_belongs(shape)


def _what_belongs(shape: s.Shape | None) -> str:
    match shape:
        case s.Record(fields=fields):
            return f"Write a map; it may hold: {', '.join(field.name for field in fields)}."
        case s.Map():
            return "Write a map: `{name: …}`, or one `name: …` to a line."
        case s.List():
            return "Write a list: `[…, …]`, or one `- …` to a line."
        case s.Bool():
            return "Write true or false."
        case s.Int(minimum=least, maximum=most):
            bounds = [f"at least {least}"] * (least is not None) + [f"at most {most}"] * (most is not None)
            return f"Write a whole number{', ' if bounds else ''}{' and '.join(bounds)}."
        case s.Enum(values=values):
            return f"Write {' or '.join(str(value.wire) for value in values)}."
        case _:
            return "Compare it with the reference of the declaration."


def _unknown(path: list[str], root: s.Shape, types: s.Types, place: Place, synonyms: Mapping[str, str]) -> Diagnostic:
    name, around = path[-1], _shape_at(root, types, path[:-1])
    if name in LATER:
        message = f"`{name}` is not available in this version of Entrepôt"
        return Diagnostic(codes.LATER_VERSION, message, place, "Remove it; the changelog tells when it comes.")
    known = [field.name for field in around.fields] if isinstance(around, s.Record) else []
    within = f" in {_name(path[:-1], root, types)}" if len(path) > 1 else ""
    remedy = did_you_mean(name, known, synonyms) or "Remove it."
    return Diagnostic(codes.UNKNOWN_KEY, f"there is no key `{name}`{within}", place, remedy)


def _name(path: list[str], root: s.Shape, types: s.Types) -> str:
    """How a message names a value: by its key, an item of a list by its number too."""
    if not path:
        return "the declaration"
    if isinstance(_shape_at(root, types, path[:-1]), s.List):
        return f"item {int(path[-1]) + 1} of {_name(path[:-1], root, types)}"
    return f"`{path[-1]}`"


def _shape_at(shape: s.Shape, types: s.Types, path: list[str]) -> s.Shape | None:
    """The shape of the value at this path; None where the declaration leaves it open."""
    for token in path:
        around = _bare(shape, types)
        field = around.field(token) if isinstance(around, s.Record) else None
        if field is not None:
            shape = field.shape
        elif isinstance(around, s.Map):
            shape = around.value
        elif isinstance(around, s.List):
            shape = around.item
        else:
            return None
    return _bare(shape, types)


def _bare(shape: s.Shape, types: s.Types) -> s.Shape:
    """The shape without null; of a union, the record that gives it its keys."""
    shape = s.resolve(shape, types)
    if isinstance(shape, s.Nullable):
        return _bare(shape.shape, types)
    if isinstance(shape, s.Union):
        arms = [_bare(arm, types) for arm in shape.arms]
        return next((arm for arm in arms if isinstance(arm, s.Record)), arms[0])
    return shape
