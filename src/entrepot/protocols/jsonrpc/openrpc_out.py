"""Services as an OpenRPC 1.3 document (spec.open-rpc.org).

What OpenRPC has no word for stands in `x-entrepot` of a method: what no contract language has one for
(`ports/extension.py`), the operation's own name, and its declared faults with their codes and data. In that
of the document of one service stand its links, those too that start inside a result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from entrepot.model import shape
from entrepot.model.operation import Example, Operation, Service
from entrepot.ports.extension import said_of, said_of_fault
from entrepot.protocols.jsonrpc import openrpc_links
from entrepot.protocols.jsonrpc.binding import method_of
from entrepot.protocols.jsonrpc.faults import codes_of
from entrepot.protocols.jsonrpc.openrpc_links import LINKS
from entrepot.shapes.schema_out import schema
from entrepot.shapes.schema_places import placed
from entrepot.shapes.schema_words import OURS

VERSION = "1.3.2"
_SCHEMAS = "#/components/schemas/"
_ENCODER = msgspec.json.Encoder(decimal_format="number")
"""Defaults, examples and bounds hold numbers as exact decimals."""


def write(services: Sequence[Service]) -> bytes:
    """The document of these services."""
    info: dict[str, Any] = {
        "title": ", ".join(service.title or service.name for service in services),
        "version": ", ".join(service.version for service in services) or "1",
    }
    docs = "\n\n".join(service.docs for service in services if service.docs)
    if docs:
        info["description"] = docs
    writers = [_Writer(service, f"{service.name}." if len(services) > 1 else "") for service in services]
    document = {
        "openrpc": VERSION,
        "info": info,
        "methods": [writer.method(operation) for writer in writers for operation in writer.service.operations],
        "components": {"schemas": {name: body for writer in writers for name, body in writer.schemas().items()}},
    }
    if len(services) == 1 and services[0].links:
        document[OURS] = {LINKS: msgspec.to_builtins(services[0].links)}
    return _ENCODER.encode(placed(document))


class _Writer:
    """Writes one service. Its types are named with `prefix`, so that services do not mix theirs up."""

    def __init__(self, service: Service, prefix: str) -> None:
        self.service = service
        self._prefix = prefix

    def schemas(self) -> dict[str, Any]:
        return {f"{self._prefix}{name}": self._schema(named) for name, named in self.service.types.items()}

    def method(self, operation: Operation) -> dict[str, Any]:
        method: dict[str, Any] = {
            "name": method_of(operation, self.service),
            "paramStructure": "either" if _has_optional_last(operation.input) else "by-name",
            "params": self._params(operation.input),
            "result": {"name": "result", "schema": self._schema(operation.output)},
        }
        optional = {
            "summary": operation.summary,
            "description": operation.docs,
            "tags": [{"name": tag} for tag in operation.tags],
            "deprecated": operation.deprecated,
            "errors": _errors(operation),
            "links": openrpc_links.written(operation, self.service),
            "examples": [_pairing(example) for example in operation.examples if _is_written(example)],
            OURS: self._extension(operation),
        }
        return method | {name: value for name, value in optional.items() if value}

    def _params(self, record: shape.Record) -> list[dict[str, Any]]:
        properties = self._schema(record)["properties"]
        return [
            {"name": field.name, "schema": properties[field.name], "required": field.required}
            | ({"description": field.docs} if field.docs else {})
            | ({"deprecated": True} if field.deprecated else {})
            for field in record.fields
        ]

    def _extension(self, operation: Operation) -> dict[str, Any]:
        codes = codes_of(operation.faults)
        extension: dict[str, Any] = {"operation": operation.name} | said_of(operation)
        if operation.input.extras != "drop":
            extension["extras"] = operation.input.extras
        if operation.faults:
            extension["faults"] = [
                said_of_fault(fault)
                | {"code": codes[fault.name]}
                | ({"data": self._schema(fault.data)} if fault.data is not None else {})
                for fault in operation.faults
            ]
        return extension

    def _schema(self, written: shape.Shape) -> dict[str, Any]:
        return schema(written, self.service.types, f"{_SCHEMAS}{self._prefix}")


def _has_optional_last(record: shape.Record) -> bool:
    """Whether every required parameter comes before the optional ones, as positions demand."""
    required = [field.required for field in record.fields]
    return required == sorted(required, reverse=True)


def _errors(operation: Operation) -> list[dict[str, Any]]:
    codes = codes_of(operation.faults)
    return [{"code": codes[fault.name], "message": fault.docs or fault.name} for fault in operation.faults]


def _is_written(example: Example) -> bool:
    return isinstance(example.input, Mapping)


def _pairing(example: Example) -> dict[str, Any]:
    pairing: dict[str, Any] = {
        "name": example.name,
        "params": [{"name": name, "value": value} for name, value in example.input.items()],
    }
    if example.docs:
        pairing["description"] = example.docs
    if example.output is not msgspec.UNSET:
        pairing["result"] = {"name": "result", "value": example.output}
    return pairing
