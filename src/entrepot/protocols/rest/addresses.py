"""Where a service's operations answer, and which of them no request could tell apart."""

from __future__ import annotations

from entrepot.ports.protocol import Address
from entrepot.protocols.rest.binding.bound import BoundService
from entrepot.protocols.rest.routing.router import Entry, Router
from entrepot.protocols.rest.routing.template import Segment, encode_literal


def addresses(bound: BoundService) -> dict[str, Address]:
    """By operation: its method and path."""
    entries = [Entry(each.method, bound.address(each), each.operation.name) for each in bound.bindings]
    twins = _twins(entries)
    return {
        entry.endpoint: Address(f"{entry.method} {entry.template.text}", twins.get(key := _key(entry), key))
        for entry in entries
    }


def _key(entry: Entry[str]) -> str:
    """The address without the names of its variables."""
    segments = entry.template.segments
    written = ("".join(encode_literal(p) if isinstance(p, str) else "{}" for p in each) for each in segments)
    return f"{entry.method} {'/'.join(written)}"


def _twins(entries: list[Entry[str]]) -> dict[str, str]:
    """Keys that differ, by which the router could not tell two addresses apart: the later's to the earlier's."""
    distinct = {_key(entry): entry for entry in reversed(entries)}
    router = Router(reversed(distinct.values()))
    by_pattern: dict[tuple[Segment, ...], list[Entry[str]]] = {}
    for entry in distinct.values():
        by_pattern.setdefault(entry.template.pattern, []).append(entry)
    return {
        _key(entry): _key(min(by_pattern[clash.one.pattern], key=lambda one: one.method != entry.method))
        for clash in router.clashes
        for entry in by_pattern[clash.other.pattern]
    }
