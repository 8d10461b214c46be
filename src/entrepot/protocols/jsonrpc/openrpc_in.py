"""An OpenRPC 1.x document as a service (spec.open-rpc.org).

A method that cannot be read as it is written is left out, and every reason is told with its
place. What our own documents say in `x-entrepot` is read back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from entrepot.kit import names
from entrepot.kit.diagnostics import Diagnostic, Place, Refused
from entrepot.kit.names import major
from entrepot.model import shape
from entrepot.model.fault import KINDS, DeclaredFault
from entrepot.model.operation import Example, Operation, Service
from entrepot.ports.protocol import Can, Document, Imported, Refusal
from entrepot.protocols.jsonrpc.binding import NAME
from entrepot.protocols.jsonrpc.faults import is_standard, kind_of
from entrepot.protocols.jsonrpc.openrpc_out import EXTENSION
from entrepot.shapes import schema_words
from entrepot.shapes.schema_document import Unreadable
from entrepot.shapes.schema_fields import read_field
from entrepot.shapes.schema_in import Reader
from entrepot.shapes.schema_places import unplaced

NOT_OPENRPC = "E711"
"""The document is not an OpenRPC 1.x document."""

_VARIABLE = re.compile(r"\$?\{([^{}]+)\}")


def read(document: Document, name: str, can: Can) -> Imported:
    """The document as a service called `name`. Raises `Refused` when it is not OpenRPC 1.x."""
    content = document.content
    if not isinstance(content, dict) or not str(content.get("openrpc", "")).startswith("1."):
        raise _refused(document, "it has no `openrpc` member that says 1.x", "/openrpc")
    if not isinstance(content.get("methods"), list):
        raise _refused(document, "`methods` is not a list", "/methods")
    return _DocumentReader(unplaced(content), can).service(name)


def _refused(document: Document, reason: str, pointer: str) -> Refused:
    message = f"this is not an OpenRPC document: {reason}"
    remedy = "Check the address; a JSON-RPC server that knows rpc.discover answers with its document."
    return Refused([Diagnostic(NOT_OPENRPC, message, Place(document.source, pointer=pointer), remedy)])


class _DocumentReader:
    """Reads one document, and gathers what is left out."""

    def __init__(self, content: dict[str, Any], can: Can) -> None:
        self._content = content
        self._can = can
        self._schemas = Reader(content)
        self._refusals: list[Refusal] = []
        self._methods: set[str] = set()
        self._names: set[str] = set()

    def service(self, name: str) -> Imported:
        info = _object(self._content.get("info"))
        operations = tuple(self._operations())
        types = _reached(operations, self._schemas.types)
        service = Service(
            name=name,
            version=major(info.get("version")),
            operations=operations,
            types=types,
            title=_text(info.get("title")),
            docs=_text(info.get("description")),
        )
        self._refusals += [Refusal(gap.pointer, gap.construct, gap.reason) for gap in self._schemas.loosened]
        return Imported(service, tuple(self._refusals), self._server_url())

    def _operations(self) -> Iterator[Operation]:
        for index, written in enumerate(self._content["methods"]):
            pointer = f"/methods/{index}"
            before = len(self._refusals)
            try:
                operation = self._operation(self._resolved(written), pointer)
                reason = self._can.refusal(operation, self._schemas.types)
                if reason:
                    raise Unreadable(f"method {operation.bindings[NAME]['method']}", reason)
            except Unreadable as gap:
                self._refusals.append(Refusal(pointer, gap.construct, str(gap)))
                continue
            if len(self._refusals) == before:
                yield operation

    def _operation(self, method: dict[str, Any], pointer: str) -> Operation:
        name = method.get("name")
        if not isinstance(name, str) or not name:
            raise Unreadable("method", "it has no name")
        construct = f"method {name}"
        self._check(method, name, construct)
        said = _object(method.get(EXTENSION))
        binding = {"method": name}
        if method.get("paramStructure") == "by-position":
            binding["params"] = "by-position"
        return Operation(
            name=names.unique(_text(said.get("operation")) or names.snake(name), self._names),
            input=self._input(method, said, f"{pointer}/params", construct),
            output=self._output(method, f"{pointer}/result", construct),
            faults=tuple(self._faults(method, said, pointer, construct)),
            deprecated=method.get("deprecated") is True,
            summary=_text(method.get("summary")),
            docs=_text(method.get("description")),
            tags=tuple(_text(self._resolved(tag).get("name")) for tag in _list(method.get("tags"))),
            examples=tuple(self._example(each) for each in _list(method.get("examples"))),
            bindings={NAME: binding},
            safe=said.get("safe") is True,
            idempotent=said.get("idempotent") is True,
            deferrable=said.get("deferrable") is True,
        )

    def _check(self, method: dict[str, Any], name: str, construct: str) -> None:
        if name.startswith("rpc."):
            raise Unreadable(construct, "names that begin with rpc. belong to the protocol itself")
        if name in self._methods:
            raise Unreadable(construct, "another method has the same name")
        if "result" not in method:
            raise Unreadable(construct, "it has no result: it is a notification, and no call could wait for it")
        if method.get("servers"):
            raise Unreadable(construct, "it has servers of its own; an upstream is one")
        self._methods.add(name)

    def _input(self, method: dict[str, Any], said: dict[str, Any], pointer: str, construct: str) -> shape.Record:
        written = [self._resolved(each) for each in _list(method.get("params"))]
        for index, param in enumerate(written):
            if not isinstance(param.get("name"), str) or not param["name"] or "schema" not in param:
                raise Unreadable(construct, f"its parameter {index} has no name or no schema")
        by_name = {param["name"]: param for param in written}
        if len(by_name) < len(written):
            raise Unreadable(construct, "two of its parameters have the same name")
        attributes = schema_words.python_names(by_name)
        fields = [
            self._field(param, attributes[name], f"{pointer}/{index}", construct)
            for index, (name, param) in enumerate(by_name.items())
        ]
        extras = said.get("extras")
        return shape.Record(fields=tuple(fields), extras=extras if extras in ("forbid", "keep") else "drop")

    def _field(self, param: dict[str, Any], attribute: str, pointer: str, construct: str) -> shape.Field:
        schema = param["schema"]
        if isinstance(schema, dict):
            beside = {key: param[key] for key in ("description", "deprecated") if key in param}
            schema = ({"allOf": [schema]} if beside and "$ref" in schema else schema) | beside
        required = param.get("required") is True
        return read_field(
            param["name"], attribute, schema, required,
            lambda _, schema: self._shape(schema, f"{pointer}/schema", construct),
        )  # fmt: skip

    def _output(self, method: dict[str, Any], pointer: str, construct: str) -> shape.Shape:
        result = self._resolved(method["result"])
        return self._shape(result.get("schema", True), f"{pointer}/schema", construct)

    def _shape(self, schema: Any, pointer: str, construct: str) -> shape.Shape:
        reading = self._schemas.read(schema, pointer)
        for gap in reading.refusals:
            self._refusals.append(Refusal(gap.pointer, construct, f"{gap.construct}: {gap.reason}"))
        return reading.shape

    def _faults(
        self, method: dict[str, Any], said: dict[str, Any], pointer: str, construct: str
    ) -> Iterator[DeclaredFault]:
        own = _list(said.get("faults"))
        if own:
            for index, fault in enumerate(own):
                yield self._own_fault(_object(fault), f"{pointer}/{EXTENSION}/faults/{index}", construct)
            return
        codes: set[int] = set()
        taken: set[str] = set()
        for index, each in enumerate(_list(method.get("errors"))):
            error = self._resolved(each)
            code, message = error.get("code"), _text(error.get("message"))
            if not isinstance(code, int) or code in codes:
                what = "no code that is a whole number" if code not in codes else f"the code {code} of another"
                raise Unreadable(construct, f"its error {index} has {what}")
            codes.add(code)
            if not is_standard(code):
                name = names.unique(names.pascal(message or f"Error {abs(code)}"), taken)
                yield DeclaredFault(name=name, kind=kind_of(code), docs=message, bindings={NAME: {"code": code}})

    def _own_fault(self, said: dict[str, Any], pointer: str, construct: str) -> DeclaredFault:
        name, kind, code = said.get("name"), said.get("kind"), said.get("code")
        if not isinstance(name, str) or kind not in KINDS or not isinstance(code, int):
            raise Unreadable(construct, f"what {EXTENSION} says of a fault is not complete")
        data = self._shape(said["data"], f"{pointer}/data", construct) if "data" in said else None
        return DeclaredFault(
            name=name, kind=kind, data=data, docs=_text(said.get("docs")), bindings={NAME: {"code": code}}
        )

    def _example(self, written: Any) -> Example:
        pairing = self._resolved(written)
        params = [self._resolved(each) for each in _list(pairing.get("params"))]
        example = Example(
            name=_text(pairing.get("name")),
            input={_text(each.get("name")): each.get("value") for each in params},
            docs=_text(pairing.get("description")),
        )
        if "result" not in pairing:
            return example
        return Example(example.name, example.input, self._resolved(pairing["result"]).get("value"), example.docs)

    def _resolved(self, written: Any) -> dict[str, Any]:
        """The object itself, or the one that it refers to."""
        if isinstance(written, dict) and "$ref" in written:
            written = self._schemas.document.at(self._schemas.document.pointer_of(written["$ref"]))
        if not isinstance(written, dict):
            raise Unreadable("methods", "something that should be an object is not")
        return written

    def _server_url(self) -> str:
        server = _object(next(iter(_list(self._content.get("servers"))), None))
        variables = _object(server.get("variables"))

        def default(match: re.Match[str]) -> str:
            return _text(_object(variables.get(match[1])).get("default")) or match[0]

        return _VARIABLE.sub(default, _text(server.get("url")))


def _reached(operations: tuple[Operation, ...], types: shape.Types) -> dict[str, shape.Shape]:
    """The types that the operations lead to, in the order of the document."""
    reached = shape.names_reached((part for each in operations for part in each.shapes), types)
    return {name: named for name, named in types.items() if name in reached}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
