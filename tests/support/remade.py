"""A contract that was imported and is served again: calls of it through the edge, and past it to the upstream."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st

from entrepot.app import CATALOG
from entrepot.kit.pointers import escape
from entrepot.model import shape as s
from entrepot.model.call import Call, Reply
from entrepot.model.fault import Fault, Issue
from entrepot.model.headers import header
from entrepot.model.operation import Operation
from entrepot.ports.exchange import Request, Response
from entrepot.runtime.field_access import enforce_field_access
from entrepot.shapes.values import Values
from entrepot.spec import documents
from entrepot.wire.http1 import Http1Client
from support.strategies import values_of


class Violation(NamedTuple):
    """What Prism found to be against the document."""

    of: str
    """`request` or `response`."""
    message: str


class Failure(NamedTuple):
    """A fault in a form that compares, its data as it is written."""

    kind: str
    name: str
    data: bytes | None
    issues: tuple[Issue, ...]
    upstream: str


class Answer(NamedTuple):
    """A reply in a form that compares: its output as it is written, or its fault."""

    output: bytes | None
    fault: Failure | None


class Remade:
    """A service as its document says, with one way to Prism and one by each protocol to the edge before it."""

    def __init__(self, document: Path, name: str, mock_port: int, edge_port: int, runner: asyncio.Runner) -> None:
        rest, rpc = CATALOG["rest"], CATALOG["jsonrpc"]
        content = documents.read(document.read_bytes(), document.name)
        self.service = rest.client.read(content, name).service
        self.values = Values(self.service.types)
        self._runner = runner
        self._edge, self._mock = runner.run(_connect(edge_port)), runner.run(_connect(mock_port))
        self._violations: list[Violation] = []
        self.mount = rest.server.mounts(self.service)[0].path.rstrip("/")
        self._by_rest = rest.client.dial(self.service, self.values, self._edge, name, self.mount)
        self._by_rpc = rpc.client.dial(self.service, self.values, self._edge, name, "/jsonrpc")
        directly = rest.client.dial(self.service, self.values, self._judged, name)
        self._directly = {
            each.name: enforce_field_access(each, directly[each.name], self.values) for each in self.service.operations
        }
        self._not_over_rpc = rpc.can.refusals(self.service)

    def close(self) -> None:
        for client in (self._edge, self._mock):
            self._runner.run(client.close())

    def by_rest(self, operation: Operation, plain: Any) -> Answer:
        return self._answer(operation, self._by_rest[operation.name], plain)

    def is_over_rpc(self, operation: Operation) -> bool:
        """Whether JSON-RPC can carry it: not what gives a page of HTML."""
        return operation.name not in self._not_over_rpc

    def by_rpc(self, operation: Operation, plain: Any) -> Answer:
        return self._answer(operation, self._by_rpc[operation.name], plain)

    def wrong_places(self, operation: Operation, plain: dict[str, Any]) -> set[str]:
        """Pointers to what keeps plain data from being the operation's named parameters."""
        unknown = {f"/{escape(name)}" for name in plain if operation.input.field(name) is None}
        try:
            self.values.codec(operation.input).of_plain(plain)
        except Fault as refused:
            return unknown | {each.pointer for each in refused.issues}
        return unknown

    def raw_rpc(self, operation: Operation, params: Any) -> Any:
        """The response object to whatever somebody may send."""
        method = f"{self.service.name}.{operation.name}"
        envelope = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        body = self.values.codec(s.Anything()).encode(envelope)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        response = self._runner.run(self._edge(Request("POST", b"/jsonrpc", b"", headers, body)))
        assert isinstance(response.body, bytes)
        return json.loads(response.body)

    def directly(self, operation: Operation, plain: Any) -> tuple[Answer, list[Violation]]:
        """What Prism answers without us between, and what it finds to be against the document."""
        answer = self._answer(operation, self._directly[operation.name], plain)
        return answer, self._violations

    def _answer(self, operation: Operation, invoke: Any, plain: Any) -> Answer:
        value = self.values.codec(operation.input).of_plain(plain)
        reply: Reply = self._runner.run(invoke(Call(operation, value)))
        fault = reply.fault
        if fault is None:
            return Answer(self.values.codec(operation.output).encode(reply.output), None)
        declared = operation.fault(fault.name)
        data = declared and declared.data and self.values.codec(declared.data).encode(fault.data)
        return Answer(None, Failure(fault.kind, fault.name, data or None, fault.issues, fault.upstream))

    async def _judged(self, request: Request) -> Response:
        response = await self._mock(request)
        listed = json.loads(header(response.headers, b"sl-violations") or b"[]")
        self._violations = [Violation(each["location"][0], each["message"]) for each in listed]
        return response


def inputs(operation: Operation, types: s.Types) -> st.SearchStrategy[Any]:
    """Inputs as plain data, of texts that HTTP has a form for and Prism reads as they are.

    A path segment is not empty, a header and a name in brackets hold few characters. Prism takes an empty text as
    absent, dots alone in a path as a step, and a comma there as the end of a list's item.
    """
    places = operation.bindings["rest"].get("parameters", {})
    fields = tuple(_narrowed(field, _where(field, places)) for field in operation.input.fields)
    in_path = [field.name for field in fields if _where(field, places) == "path"]
    narrowed = values_of(msgspec.structs.replace(operation.input, fields=fields), types)
    return narrowed.filter(lambda plain: not any(_is_misread(plain[name]) for name in in_path))


_WORD = s.Text(pattern="^[a-z]+$")


def _where(field: s.Field, places: dict[str, Any]) -> str:
    return str(places.get(field.name, {}).get("in", ""))


def _narrowed(field: s.Field, where: str) -> s.Field:
    if isinstance(field.shape, s.Map) and where == "query":
        return msgspec.structs.replace(field, shape=msgspec.structs.replace(field.shape, key=_WORD))
    if not isinstance(field.shape, s.Text) or field.shape.pattern is not None:
        return field
    if where in ("header", "cookie"):
        return msgspec.structs.replace(field, shape=_WORD)
    if where in ("path", "query", "form"):
        return msgspec.structs.replace(field, shape=msgspec.structs.replace(field.shape, length_min=1))
    return field


def _is_misread(value: Any) -> bool:
    return isinstance(value, str) and (value in (".", "..") or "," in value)


async def _connect(port: int) -> Http1Client:
    return Http1Client(host="127.0.0.1", port=port)
