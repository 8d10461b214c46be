"""Protocols that carry nothing, for what compiles and needs only their addresses and abilities."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model import shape
from entrepot.model.operation import Operation, Service
from entrepot.model.security import Requirement, Scheme
from entrepot.ports.exchange import Exchange
from entrepot.ports.protocol import (
    Address,
    Can,
    Contract,
    Document,
    DocumentKind,
    Imported,
    Invokes,
    Mount,
    Protocol,
    Refusal,
    ServedService,
)

PATH_CAN = Can(streams_out=True, refuses=lambda _part: "")


class PathServer:
    """Serves each service below a prefix of its own, by method and path where a binding says so."""

    def mounts(self, service: Service) -> Sequence[Mount]:
        return [Mount(f"/api/{service.name}/v{service.version}/")]

    def addresses(self, service: Service) -> Mapping[str, Address]:
        base = f"/api/{service.name}/v{service.version}"
        texts = {each.name: f"{_method(each)} {base}{_path(each)}" for each in service.operations}
        return {name: Address(text, re.sub(r"{\w+}", "{}", text)) for name, text in texts.items()}

    def sample(self, service: Service, base_url: str) -> str:
        return f"curl {base_url}{self.mounts(service)[0].path}"

    def contracts(self, services: Sequence[Service]) -> Mapping[str, Contract]:
        return {}

    def serve(self, services: Sequence[ServedService], limits: Limits = DEFAULT_LIMITS) -> Exchange:
        raise NotImplementedError


class MethodServer:
    """Serves all services at one address, and no streams or files."""

    def mounts(self, service: Service) -> Sequence[Mount]:
        return [Mount("/rpc", exact=True)]

    def addresses(self, service: Service) -> Mapping[str, Address]:
        methods = {each.name: f"{service.name}.{each.name}" for each in service.operations}
        return {name: Address(f"{method} at /rpc", method) for name, method in methods.items()}

    def sample(self, service: Service, base_url: str) -> str:
        return f"curl {base_url}/rpc"

    def contracts(self, services: Sequence[Service]) -> Mapping[str, Contract]:
        return {}

    def serve(self, services: Sequence[ServedService], limits: Limits = DEFAULT_LIMITS) -> Exchange:
        raise NotImplementedError


def _count(content: object) -> int:
    return len(content.get("operations", ())) if isinstance(content, dict) else 0


class ListClient:
    """Reads documents that only list names: `{"operations": ["get"], "not": ["watch"], "server": "http://…"}`.

    A `schema` is what the answers are held against; `output`, `schemes` and `security` are what the model has, as
    JSON; `elsewhere` has the URLs of operations on other servers.
    """

    def __init__(self, kind: str, *words: str) -> None:
        self.documents = {kind: DocumentKind(words=words, operations=_count)}

    def read(self, document: Document, name: str) -> Imported:
        content = document.content
        if not isinstance(content, dict) or "operations" not in content:
            raise Refused([Diagnostic("E900", f"{document.source} lists no operations")])
        output = msgspec.convert(content.get("output", {"kind": "text"}), shape.Shape)
        if "schema" in content:
            output = shape.Json(schema=content["schema"])
        schemes = msgspec.convert(content.get("schemes", {}), dict[str, Scheme])
        security = msgspec.convert(content.get("security", []), tuple[tuple[Requirement, ...], ...])
        operations = tuple(
            Operation(name=each, safe=True, output=output, security=security) for each in content["operations"]
        )
        refusals = tuple(Refusal(f"/not/{i}", each, "it is a stream") for i, each in enumerate(content.get("not", ())))
        return Imported(
            Service(name=name, operations=operations, schemes=schemes),
            refusals,
            content.get("server", ""),
            content.get("elsewhere", {}),
        )

    def dial(self, *arguments: Any, **options: Any) -> Invokes:
        raise NotImplementedError


def catalog() -> dict[str, Protocol]:
    """`rest` with documents of the kind `openapi`, and `jsonrpc` with `openrpc`."""
    return {
        "rest": Protocol("rest", PathServer(), ListClient("openapi", "swagger"), PATH_CAN, by_default=True),
        "jsonrpc": Protocol("jsonrpc", MethodServer(), ListClient("openrpc")),
    }


def _method(operation: Operation) -> str:
    return str(operation.bindings.get("rest", {}).get("method", "POST"))


def _path(operation: Operation) -> str:
    return str(operation.bindings.get("rest", {}).get("path", f"/{operation.name}"))
