"""A change set as a person reads it: what is added, removed and changed, each thing once and by its author's name."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from entrepot.control.differences import Difference

Kind = Literal["added", "removed", "changed"]

_SIGNS: dict[Kind, str] = {"added": "+", "removed": "-", "changed": "~"}
_VALUE_MAX = 60
"""Most characters of a value that a line shows; `--json` has it whole."""
_PARTS_MAX = 12
"""Most changed parts of one thing that are shown; `--json` has all."""

_ONE_OF = {
    "routes": "route",
    "upstreams": "upstream",
    "pools": "pool",
    "files": "file",
    "dependencies": "dependency",
}
"""What a thing is called, by the list that holds it."""
_PARTS_OF_SERVICES = {"operations": "operation", "types": "type", "links": "link"}
_ORDER = ("service", "operation", "type", "link", "route", "upstream", "pool", "", "dependency", "file")


class _Thing(NamedTuple):
    """What has a name of its own."""

    what: str
    """"": it is a setting of the project."""
    name: str


class _Part(NamedTuple):
    """One change of a thing."""

    kind: Kind
    path: tuple[str, ...]
    """Within the thing; empty where it is the thing itself."""
    before: Any
    after: Any


def told(differences: Sequence[Difference]) -> Iterator[str]:
    """The lines that tell them, but for those that follow from others."""
    things: dict[_Thing, list[_Part]] = {}
    written = [each for each in differences if not _follows(each, differences)]
    for each in written or differences:
        for thing, part in _sorted_out(each):
            things.setdefault(thing, []).append(part)
    _drop_parts_of_wholes(things)
    for thing in sorted(things, key=lambda each: (_ORDER.index(each.what), each.name)):
        yield from _told(thing, things[thing])
    counts: Counter[Kind] = Counter(parts[0].kind if not parts[0].path else "changed" for parts in things.values())
    yield ", ".join(f"{counts[kind]} {kind}" for kind in _SIGNS if counts[kind]) or "nothing differs"


def _follows(each: Difference, others: Iterable[Difference]) -> bool:
    """Whether nobody wrote it: a service has its upstream's timeout, and a route waits as long as what it leads to."""
    match each.path:
        case ("routes", _, "silence"):
            return True
        case ("services", _, "timeout"):
            said = [other for other in others if other.path[:1] == ("upstreams",) and other.path[2:] == ("timeout",)]
            return any((other.before, other.after) == (each.before, each.after) for other in said)
        case _:
            return False


def _sorted_out(each: Difference) -> Iterator[tuple[_Thing, _Part]]:
    """Of which things it tells a change, and which."""
    path = each.path or (each.what,)
    first, *rest = path
    if first == "services" and rest:
        yield from _of_service(each, *rest)
    elif first in _ONE_OF and rest:
        yield _Thing(_ONE_OF[first], rest[0]), _Part(each.kind, tuple(rest[1:]), each.before, each.after)
    else:
        yield _Thing("", ".".join(path)), _Part(each.kind, (), each.before, each.after)


def _of_service(each: Difference, service: str, *rest: str) -> Iterator[tuple[_Thing, _Part]]:
    if len(rest) > 1 and rest[0] in _PARTS_OF_SERVICES:
        thing = _Thing(_PARTS_OF_SERVICES[rest[0]], f"{service}.{rest[1]}")
        yield thing, _Part(each.kind, rest[2:], each.before, each.after)
    elif rest[:1] == ("carried",) and len(rest) == 2:
        before, after = each.before or (), each.after or ()
        for name in [*(n for n in before if n not in after), *(n for n in after if n not in before)]:
            kind: Kind = "added" if name in after else "removed"
            yield _Thing("operation", f"{service}.{name}"), _Part(kind, ("protocol", rest[1]), "", "")
    elif rest[:1] != ("refused",):  # which follows from what is carried
        yield _Thing("service", service), _Part(each.kind, rest, each.before, each.after)


def _drop_parts_of_wholes(things: dict[_Thing, list[_Part]]) -> None:
    """Of what is added or removed whole nothing else is told: that an operation is served follows from it."""
    for thing, parts in things.items():
        whole = [part for part in parts if not part.path]
        things[thing] = whole or parts


def _told(thing: _Thing, parts: Sequence[_Part]) -> Iterator[str]:
    below = "*" if thing.what == "route" and thing.name.endswith("/") else ""
    named = f"{thing.what} {thing.name}{below}".strip()
    if thing.what == "file" and parts[0].kind == "changed":
        yield f"~ {named}"
    elif not parts[0].path:
        yield f"{_SIGNS[parts[0].kind]} {named}{_of_whole(thing, parts[0])}"
    elif len(parts) == 1:
        yield f"~ {named}: {_of_part(parts[0])}"
    else:
        yield f"~ {named}"
        yield from (f"    {_of_part(part)}" for part in parts[:_PARTS_MAX])
        if len(parts) > _PARTS_MAX:
            yield f"    and {len(parts) - _PARTS_MAX} more, which --json tells"


def _of_whole(thing: _Thing, part: _Part) -> str:
    """What is said of a thing that is there in one of the two alone; of a setting, what it becomes."""
    if part.kind == "changed":
        return f": {_value(part.before)} → {_value(part.after)}"
    value = part.after if part.kind == "added" else part.before
    if thing.what in ("", "dependency"):
        return f": {_value(value)}"
    match value:
        case {"target": target}:
            return f" → {_value(target)}"
        case {"endpoints": endpoints}:
            return f": {_value(endpoints)}"
        case {"summary": str(summary)} if summary:
            return f": {_shortened(summary)}"
        case {"operations": operations}:
            return f" of {len(operations)} operation{'' if len(operations) == 1 else 's'}"
        case _:
            return ""


def _of_part(part: _Part) -> str:
    name = ".".join(part.path)
    match part.path:
        case ("input", "fields", parameter, *rest):
            name = " ".join(("parameter", ".".join((parameter, *rest))))
        case ("fields", field, *rest):
            name = " ".join(("field", ".".join((field, *rest))))
        case ("protocol", protocol):
            return f"served over {protocol}" if part.kind == "added" else f"no longer served over {protocol}"
    if part.kind == "changed":
        return f"{name}: {_value(part.before)} → {_value(part.after)}"
    value = _value(part.after if part.kind == "added" else part.before)
    return f"{_SIGNS[part.kind]} {name}: {value}"


def _value(value: Any) -> str:
    match value:
        case str() if value:
            return _shortened(value)
        case float():
            return f"{value:g}"
        case None:
            return "none"
        case {"type": ("upstream" | "pool") as kind, **named} if kind in named:
            return f"{kind} {named[kind]}"
        case {"shape": shape} | ({"kind": str()} as shape):
            return _shortened(_in_notation(shape))
        case [{"host": _, "port": _}, *_]:
            return _shortened(", ".join(f"{each['host']}:{each['port']}" for each in value))
        case [str(), *_]:
            return _shortened(", ".join(map(str, value)))
    return _shortened(json.dumps(value, ensure_ascii=False, default=str))


def _shortened(text: str) -> str:
    return text if len(text) <= _VALUE_MAX else f"{text[:_VALUE_MAX]}…"


def _in_notation(plain: Any) -> str:
    """A shape as `explain` tells it."""
    import msgspec

    from entrepot.model.shape import Shape
    from entrepot.shapes.notation import written

    try:
        return written(msgspec.convert(_listed(plain), Shape))
    except msgspec.ValidationError:
        return json.dumps(plain, ensure_ascii=False)


def _listed(value: Any) -> Any:
    """The value with lists again for the maps that were made of what has names."""
    if isinstance(value, Mapping):
        items = {name: _listed(each) for name, each in value.items()}
        named = items and all(isinstance(each, dict) and each.get("name") == name for name, each in items.items())
        return list(items.values()) if named else items
    return [_listed(each) for each in value] if isinstance(value, list) else value
