"""The cascade of environments: a JSON merge patch (RFC 7396) that keeps the place of every value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from entrepot.kit.pointers import escape, tokens
from entrepot.spec.positions import Member, Node, Positions
from entrepot.spec.yaml import Parsed


def overlay(base: Parsed, patch: Parsed, pointer: str = "") -> Parsed:
    """The base with the patch merged in: maps are merged, everything else replaced, null removes.

    Both come from one file, in which the patch stands at `pointer`. Neither is changed.
    """
    value, root = _merged(base.value, base.positions.root, patch.value, patch.positions.root, pointer)
    return Parsed(value, Positions(base.positions.file, root))


def without_nulls(parsed: Parsed) -> Parsed:
    """The same without members that are null: a key without a value counts as not given."""
    return overlay(Parsed({}, parsed.positions), parsed) if _holds_null(parsed.value) else parsed


def _holds_null(value: Any) -> bool:
    """Whether it is null, or a map that holds one; nulls in lists are left alone."""
    return any(map(_holds_null, value.values())) if isinstance(value, dict) else value is None


def part(parsed: Parsed, *path: str) -> Parsed:
    """The value at a path of member names that exists."""
    value, node = parsed.value, parsed.positions.root
    for name in path:
        value, node = value[name], node.members[name].node
    return Parsed(value, Positions(parsed.positions.file, node))


def without(parsed: Parsed, name: str) -> Parsed:
    """The map without one member."""
    value = {key: member for key, member in parsed.value.items() if key != name}
    return Parsed(value, parsed.positions)


def without_parts(parsed: Parsed, pointers: Iterable[str]) -> Parsed:
    """The same without the values that stand there; the items of a list close ranks, and keep their places."""
    cut = [tuple(tokens(pointer)) for pointer in pointers]
    value, root = _without(parsed.value, parsed.positions.root, cut, "")
    return Parsed(value, Positions(parsed.positions.file, root))


def _without(value: Any, node: Node, cut: list[tuple[str, ...]], pointer: str) -> tuple[Any, Node]:
    """`cut` holds paths from this value on, `pointer` is its own."""
    if not cut:
        return value, node
    kept: list[tuple[str, Any, Member]] = []
    named = value if isinstance(value, dict) else {str(index): item for index, item in enumerate(value)}
    around = node.members
    for name, inner in named.items():
        member = around[name]
        here = member.pointer or f"{pointer}/{escape(name)}"
        below = [path[1:] for path in cut if path[0] == name]
        if () not in below:
            inner, inner_node = _without(inner, member.node, below, here)
            kept.append((name, inner, Member(member.key, inner_node, here)))
    if isinstance(value, dict):
        members = {name: member for name, _, member in kept}
        return {name: inner for name, inner, _ in kept}, Node.of(node.place, members, is_map=True)
    members = {str(index): member for index, (_, _, member) in enumerate(kept)}
    return [inner for _, inner, _ in kept], Node.of(node.place, members, is_map=False)


def _merged(base: Any, base_node: Node, patch: Any, patch_node: Node, pointer: str) -> tuple[Any, Node]:
    if not isinstance(patch, dict):
        return patch, patch_node
    values = dict(base) if isinstance(base, dict) else {}
    members = base_node.members if isinstance(base, dict) else {}
    patches = patch_node.members
    for name, value in patch.items():
        if value is None:
            values.pop(name, None)
            continue
        above = patches[name]
        below = members.get(name, above)
        here = f"{pointer}/{escape(name)}"
        values[name], node = _merged(values.get(name), below.node, value, above.node, here)
        members[name] = Member(above.key, node, here)
    place = base_node if isinstance(base, dict) and base else patch_node
    return values, Node.of(place.place, members, is_map=True)
