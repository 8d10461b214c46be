"""The JSON Schema Test Suite, as the corpus holds it: groups of cases, each group under one schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
from jsonschema_specifications import REGISTRY

from entrepot.shapes.schema_drafts import modern
from support.needs import require_corpus

DIALECTS = {
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
    "draft4": "http://json-schema.org/draft-04/schema#",
}
HOST = "http://localhost:1234/"
"""Where the suite's own documents are said to be."""
_exactly = msgspec.json.Decoder(float_hook=Decimal).decode


class Group(NamedTuple):
    """Cases under one schema."""

    draft: str
    keyword: str
    """The file that it stands in, without its ending."""
    description: str
    schema: Any
    cases: list[dict[str, Any]]

    @property
    def name(self) -> str:
        return f"{self.keyword}: {self.description}"


def groups(draft: str) -> Iterator[Group]:
    """Every required group of a draft, its numbers exact."""
    for path in sorted((require_corpus() / "json-schema" / "tests" / draft).glob("*.json")):
        for each in _exactly(path.read_bytes()):
            schema = each["schema"]
            if draft == "draft4" and isinstance(schema, dict):
                schema = {"$schema": DIALECTS[draft]} | schema
            yield Group(draft, path.stem, each["description"], schema, each["tests"])


def whole(group: Group) -> Any:
    """The group's schema with the documents that it refers to inside it (JSON Schema 2020-12, §9.3.1)."""
    change = modern if group.draft == "draft4" else lambda schema: schema
    schema = change(group.schema)
    others = {uri: change(document) for uri, document in _others(group.draft).items() if _is_needed(uri, schema)}
    if not others:
        return schema
    inside = {uri: _identified(uri, document) for uri, document in others.items()}
    return schema | {"$defs": schema.get("$defs", {}) | inside}


def _is_needed(uri: str, schema: Any) -> bool:
    return (HOST if uri.startswith(HOST) else uri) in json.dumps(schema, default=str)


def _others(draft: str) -> dict[str, Any]:
    directory = require_corpus() / "json-schema" / "remotes"
    found = {}
    for path in directory.rglob("*.json"):
        place = path.relative_to(directory)
        if not place.parts[0].startswith(("draft", "v1")) or place.parts[0] == draft:
            found[HOST + place.as_posix()] = json.loads(path.read_bytes())
    if draft == "draft4":
        found[DIALECTS[draft].rstrip("#")] = REGISTRY.contents(DIALECTS[draft])
    return found


def _identified(uri: str, document: Mapping[str, Any]) -> dict[str, Any]:
    own = document.get("$id", uri)
    if own == uri:
        return {"$id": uri, **document}
    return {"$id": uri, "$ref": own, "$defs": {"document": document}}
