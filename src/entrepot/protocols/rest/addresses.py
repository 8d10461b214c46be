"""Where a service's operations answer, and which of them no request could tell apart."""

from __future__ import annotations

from collections.abc import Iterable

from entrepot.model.operation import Operation, Service
from entrepot.ports.protocol import Address
from entrepot.protocols.rest.binding.bound import Binding, mount
from entrepot.protocols.rest.routing import template
from entrepot.protocols.rest.routing.router import Ambiguous, Entry, Router
from entrepot.protocols.rest.routing.template import Template, encode_literal


def addresses(service: Service, bound: Iterable[tuple[Operation, Binding]]) -> dict[str, Address]:
    """By operation: its method and path."""
    base = mount(service).rstrip("/")
    entries = [Entry(binding.method, template.parse(base + binding.path.text), each.name) for each, binding in bound]
    keys = {entry.endpoint: _key(entry.method, entry.template) for entry in entries}
    distinct = {keys[entry.endpoint]: entry for entry in reversed(entries)}
    twins = _twins(list(distinct.values()))
    return {
        entry.endpoint: Address(f"{entry.method} {entry.template.text}", twins.get(key := keys[entry.endpoint], key))
        for entry in entries
    }


def _key(method: str, path: Template) -> str:
    """The address without the names of its variables."""
    segments = ("".join(encode_literal(p) if isinstance(p, str) else "{}" for p in each) for each in path.segments)
    return f"{method} {'/'.join(segments)}"


def _twins(entries: list[Entry[str]]) -> dict[str, str]:
    """Keys that differ, by which the router could not tell two addresses apart: the later's to the earlier's."""
    found: dict[str, str] = {}
    while True:
        try:
            Router(entries)
            return found
        except Ambiguous as ambiguous:
            by_text = {entry.template.text: entry for entry in entries}
            one, other = (by_text[text] for text in ambiguous.templates)
            found[_key(other.method, other.template)] = _key(one.method, one.template)
            entries = [entry for entry in entries if entry is not other]
