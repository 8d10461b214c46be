"""What a document tells its readers beside the contract: titles of tags, contacts, further reading."""

from __future__ import annotations

from collections.abc import Iterable
from http.client import responses
from typing import Any, TypeVar

import msgspec

from entrepot.model.operation import Operation
from entrepot.model.shape import Record, Shape, Types, resolve
from entrepot.protocols.rest.binding.bound import NAME, OPENAPI, BoundService
from entrepot.protocols.rest.binding.told import Contact, ExternalDocs, License, OfOperation, OfService, Tag
from entrepot.shapes.document import Node, Refusal, Unreadable

_T = TypeVar("_T")


class ToldImport:
    """Reads it; what is not as OpenAPI has it is left out with its place."""

    def __init__(self) -> None:
        self.refusals: list[Refusal] = []

    def of_service(self, root: Node, operations: Iterable[Operation]) -> OfService:
        """What the document says of itself."""
        info = root["info"]
        return OfService(
            summary=info["summary"].text,
            terms_of_service=info["termsOfService"].text,
            contact=self._read(info, "contact", Contact),
            license=self._read(info, "license", License),
            tags=self._tags(root, operations),
            external_docs=self._read(root, "externalDocs", ExternalDocs),
        )

    def of_operation(self, node: Node, operation_id: str) -> OfOperation:
        """What it says of one operation, which is called `operation_id` there."""
        return OfOperation(
            operation_id=operation_id,
            external_docs=self._read(node, "externalDocs", ExternalDocs),
        )

    def _tags(self, root: Node, operations: Iterable[Operation]) -> tuple[Tag, ...]:
        found: dict[str, Tag] = {}
        for index in range(len(root["tags"].value) if isinstance(root["tags"].value, list) else 0):
            tag = self._read(root["tags"], index, Tag)
            if tag is not None:
                found.setdefault(tag.name, tag)
        used = tags_of(operations)
        every = (*found.values(), *(tag for tag in used if tag.name not in found))
        return () if every == used else every

    def _read(self, node: Node, name: str | int, type: type[_T]) -> _T | None:
        try:
            said = node[name]
            return msgspec.convert(said.value, type) if said else None
        except msgspec.ValidationError as error:
            unreadable: Unreadable = node.raw(name).unreadable(str(error))
        except Unreadable as caught:
            unreadable = caught
        self.refusals.append(unreadable.refusal(str(name)))
        return None


def data(told: OfService | OfOperation) -> dict[str, Any]:
    """As a binding holds it."""
    said = msgspec.to_builtins(told)
    return {OPENAPI: said} if said else {}


def meaning(output: Shape, status: int, types: Types) -> str:
    """What is said of a success where nobody said anything: what its output is, or what HTTP calls it."""
    record = resolve(output, types)
    said = record.docs if isinstance(record, Record) else ""
    return said or responses.get(status, "It went well.")


def of_service(bound: BoundService) -> OfService:
    """What is told of a service."""
    return msgspec.convert(bound.service.bindings.get(NAME, {}).get(OPENAPI, {}), OfService)


def tags_of(operations: Iterable[Operation]) -> tuple[Tag, ...]:
    """The tags of operations, as nothing more is known of them."""
    return tuple(Tag(name=name) for name in dict.fromkeys(tag for each in operations for tag in each.tags))


def identifiers(bound: BoundService) -> dict[str, str]:
    """By operation: its `operationId`, which no other has."""
    taken = {each.name for each in bound.service.operations} | {sent.operation.name for sent in bound.service.outgoing}
    found: dict[str, str] = {}
    for binding in bound.bindings:
        name, wanted = binding.operation.name, binding.told.operation_id
        found[name] = wanted if wanted and wanted not in taken else name
        taken.add(found[name])
    return found
