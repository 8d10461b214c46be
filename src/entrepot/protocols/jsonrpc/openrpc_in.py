"""An OpenRPC 1.x document as a service (spec.open-rpc.org).

A method that cannot be read as it is written is left out, and every reason is told with its
place. What our own documents say in `x-entrepot` is read back.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from entrepot.kit import names
from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.kit.names import major
from entrepot.model import shape
from entrepot.model.fault import DeclaredFault
from entrepot.model.operation import Example, Operation, Service
from entrepot.ports.extension import fault_of, with_said
from entrepot.ports.protocol import Imported
from entrepot.ports.servers import server_url
from entrepot.protocols.jsonrpc.binding import CAN, METHODS, NAME, method_of
from entrepot.protocols.jsonrpc.faults import is_standard, kind_of
from entrepot.protocols.jsonrpc.openrpc_links import LINKS, LinkImport
from entrepot.shapes import schema_words
from entrepot.shapes.document import Document, Node, Refusal, Tree, Unreadable
from entrepot.shapes.schema_places import unplaced
from entrepot.shapes.schema_words import OURS
from entrepot.shapes.schemas import Schemas

NOT_OPENRPC = "E711"
"""The document is not an OpenRPC 1.x document."""


def read(document: Document, name: str) -> Imported:
    """The document as a service called `name`. Raises `Refused` when it is not OpenRPC 1.x."""
    content = document.content
    if not isinstance(content, dict) or not str(content.get("openrpc", "")).startswith("1."):
        raise _refused(document, "it has no `openrpc` member that says 1.x", "/openrpc")
    if not isinstance(content.get("methods"), list):
        raise _refused(document, "`methods` is not a list", "/methods")
    tree = Tree(unplaced(content), document.main, document.files)
    try:
        return _DocumentReader(Node(tree, tree.content)).service(name)
    except Unreadable as unreadable:
        raise _refused(document, str(unreadable), unreadable.pointer) from None


def count(content: object) -> int:
    """The methods that a document lists."""
    methods = content.get("methods") if isinstance(content, dict) else None
    return len(methods) if isinstance(methods, list) else 0


def _refused(document: Document, reason: str, pointer: str) -> Refused:
    message = f"this is not an OpenRPC document: {reason}"
    remedy = "Check the address; a JSON-RPC server that knows rpc.discover answers with its document."
    return Refused([Diagnostic(NOT_OPENRPC, message, document.place(pointer), remedy)])


class _DocumentReader:
    """Reads one document, and gathers what is left out."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self._schemas = Schemas(root.tree)
        self._refusals: list[Refusal] = []
        self._names_of_methods: set[str] = set()
        self._names: dict[str, int] = {}
        self._called: dict[str, str] = {}
        """By operation: its method at the upstream."""
        self._methods: dict[str, tuple[Operation, Node]] = {}
        """By method: the operation that it has become, and where it stands."""

    def service(self, name: str) -> Imported:
        info = self._root["info"]
        operations = tuple(self._operations())
        service = Service(
            name=name,
            version=major(info["version"].value),
            operations=operations,
            types=self._schemas.reachable(part for each in operations for part in each.shapes),
            title=info["title"].text,
            docs=info["description"].text,
        )
        links = LinkImport(service, self._methods)
        service = msgspec.structs.replace(service, links=tuple(links.read(self._root[OURS][LINKS])))
        refusals = (*self._refusals, *links.refusals, *self._schemas.loosened)
        return Imported(self._dialled(service), refusals, server_url(self._root["servers"]))

    def _dialled(self, service: Service) -> Service:
        """The service with the methods that are not the ones we serve it as."""
        called = [(each, self._called[each.name]) for each in service.operations]
        foreign = {each.name: method for each, method in called if method != method_of(each, service)}
        return msgspec.structs.replace(service, bindings={NAME: {METHODS: foreign}}) if foreign else service

    def _operations(self) -> Iterator[Operation]:
        methods, carried = self._root["methods"], set[str]()
        for index in range(len(methods.value)):
            written = methods.raw(index)
            construct = "method"
            try:
                method = written.resolved()
                construct = f"method {method['name'].text}".rstrip()
                operation = self._operation(method)
                reason = CAN.reason(operation, self._schemas.types, carried)
                if reason:
                    raise method.unreadable(reason)
            except Unreadable as unreadable:
                self._refusals.append(unreadable.refusal(construct))
                continue
            self._methods[method["name"].text] = (operation, method)
            yield operation

    def _operation(self, method: Node) -> Operation:
        self._check(method)
        name = method["name"].text
        said = method[OURS]
        by_position = method["paramStructure"].text == "by-position"
        operation = Operation(
            name=names.unique(said["operation"].text or names.snake(name), self._names),
            input=self._input(method["params"], said),
            output=self._schemas.shape(method["result"].raw("schema")),
            faults=tuple(self._faults(method, said)),
            deprecated=method["deprecated"].is_true,
            summary=method["summary"].text,
            docs=method["description"].text,
            tags=tuple(tag["name"].text for tag in method["tags"].items()),
            examples=tuple(map(_example, method["examples"].items())),
            bindings={NAME: {"params": "by-position"}} if by_position else {},
        )
        self._called[operation.name] = name
        return with_said(operation, said)

    def _check(self, method: Node) -> None:
        name = method["name"].text
        if not isinstance(method.value, dict):
            raise method.unreadable("it is not an object")
        if not name:
            raise method.unreadable("it has no name")
        if name.startswith("rpc."):
            raise method.unreadable("names that begin with rpc. belong to the protocol itself")
        if name in self._names_of_methods:
            raise method.unreadable("another method has the same name")
        if not isinstance(method["result"].value, dict):
            raise method.unreadable("it has no result: it is a notification, and no call could wait for it")
        if method["servers"].value:
            raise method["servers"].unreadable("it has servers of its own; an upstream is one")
        self._names_of_methods.add(name)

    def _input(self, params: Node, said: Node) -> shape.Record:
        written = list(params.items())
        for index, param in enumerate(written):
            if not param["name"].text or not param.raw("schema"):
                raise param.unreadable(f"its parameter {index} has no name or no schema")
        by_name = {param["name"].text: param for param in written}
        if len(by_name) < len(written):
            raise params.unreadable("two of its parameters have the same name")
        attributes = schema_words.python_names(by_name)
        fields = [
            self._schemas.field(
                name, param.raw("schema"), param, required=param["required"].is_true, attribute=attributes[name]
            )
            for name, param in by_name.items()
        ]
        extras = said["extras"].value
        return shape.Record(fields=tuple(fields), extras=extras if extras in ("forbid", "keep") else "drop")

    def _faults(self, method: Node, said: Node) -> Iterator[DeclaredFault]:
        if said["faults"].value:
            yield from map(self._own_fault, said["faults"].items())
            return
        codes: set[int] = set()
        taken: dict[str, int] = {}
        for index, error in enumerate(method["errors"].items()):
            code, message = error["code"].value, error["message"].text
            if not isinstance(code, int):
                raise error.unreadable(f"its error {index} has no code that is a whole number")
            if code in codes:
                raise error.unreadable(f"its error {index} has the code {code} of another")
            codes.add(code)
            if not is_standard(code):
                name = names.unique(names.pascal(message or f"Error {abs(code)}"), taken)
                yield DeclaredFault(name=name, kind=kind_of(code), docs=message, bindings={NAME: {"code": code}})

    def _own_fault(self, said: Node) -> DeclaredFault:
        data, code = said.raw("data"), said["code"].value
        if not isinstance(code, int):
            raise said.unreadable("its code is no whole number")
        fault = fault_of(said, self._schemas.shape(data) if data else None)
        return msgspec.structs.replace(fault, bindings={NAME: {"code": code}})


def _example(pairing: Node) -> Example:
    example = Example(
        name=pairing["name"].text,
        input={each["name"].text: each.raw("value").value for each in pairing["params"].items()},
        docs=pairing["description"].text,
    )
    result = pairing["result"]
    if not result:
        return example
    return Example(example.name, example.input, result.raw("value").value, example.docs)
