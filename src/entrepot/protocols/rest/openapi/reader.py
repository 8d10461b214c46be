"""An OpenAPI or Swagger document as a service.

Each operation is read by itself; what cannot be carried is refused with its place and the
reason, and the rest is imported. Nothing is fetched: references lead inside the document.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from entrepot.kit import names
from entrepot.kit.diagnostics import Diagnostic, Place, Refused
from entrepot.kit.names import major
from entrepot.kit.pointers import escape
from entrepot.model.operation import Link, Operation, Outgoing, Service
from entrepot.model.shape import Record, Shape
from entrepot.ports.extension import with_said
from entrepot.ports.link_checks import own_links
from entrepot.ports.protocol import Imported
from entrepot.protocols.rest.binding.bound import JSON, MEDIA, METHODS, NAME, PATHS, Binding
from entrepot.protocols.rest.binding.check import Unbindable
from entrepot.protocols.rest.binding.data import bind
from entrepot.protocols.rest.openapi import headers, media, outgoing, words
from entrepot.protocols.rest.openapi.document import Dialect, OpenApi3, dialect_of
from entrepot.protocols.rest.openapi.examples import ExampleImport
from entrepot.protocols.rest.openapi.failures import FailureImport
from entrepot.protocols.rest.openapi.headers import HeaderImport
from entrepot.protocols.rest.openapi.inputs import InputImport
from entrepot.protocols.rest.openapi.links import LinkImport
from entrepot.protocols.rest.openapi.outgoing import Sent
from entrepot.protocols.rest.openapi.security import SecurityImport
from entrepot.protocols.rest.openapi.servers import other_server
from entrepot.protocols.rest.openapi.successes import Success, SuccessImport
from entrepot.protocols.rest.openapi.told import ToldImport, data, meaning
from entrepot.protocols.rest.openapi.words import PROBLEM_SCHEMA, REFERENCES
from entrepot.protocols.rest.routing.template import Segment, parse
from entrepot.shapes.document import Document, Node, Refusal, Unreadable
from entrepot.shapes.schema_places import unplaced
from entrepot.shapes.schema_words import OURS
from entrepot.shapes.schemas import Schemas

NOT_OPENAPI = "E703"
"""A document is none of OpenAPI 3.0, 3.1, 3.2 and Swagger 2.0."""

_OTHER_METHODS = ("trace", "options", "query")


def read(document: Document, name: str) -> Imported:
    """The document as a service called `name`. Raises `Refused` when it is of another kind."""
    if isinstance(document.content, dict) and OURS in document.content:
        document = msgspec.structs.replace(document, content=unplaced(document.content))
    dialect = dialect_of(document)
    if dialect is None:
        message = "this is not an OpenAPI document of version 3.0, 3.1 or 3.2, nor Swagger 2.0"
        remedy = "Look at its `openapi` or `swagger` member; convert an older or newer version first."
        raise Refused([Diagnostic(NOT_OPENAPI, message, Place(file=document.source), remedy)])
    try:
        return _Import(dialect, name).imported()
    except Unreadable as unreadable:
        place = document.place(unreadable.pointer)
        raise Refused([Diagnostic(NOT_OPENAPI, str(unreadable), place, "Correct the document.")]) from None


def count(content: object) -> int:
    """The operations that a document lists."""
    paths = content.get("paths") if isinstance(content, dict) else None
    items = paths.values() if isinstance(paths, dict) else ()
    return sum(method.lower() in item for item in items if isinstance(item, dict) for method in METHODS)


class _Import:
    """One document on its way."""

    def __init__(self, dialect: Dialect, name: str) -> None:
        self._dialect = dialect
        self._root = dialect.root
        self._name = name
        self._ours = OURS in dialect.root.value
        self._schemas = Schemas(dialect.root.tree)
        self._security = SecurityImport(dialect.root)
        self._told = ToldImport()
        self._operations: list[Operation] = []
        self._refusals: list[Refusal] = []
        self._taken: dict[str, int] = {}
        self._given: set[str] = set()
        """The names that a document of ours gives."""
        self._addresses: set[tuple[str, tuple[Segment, ...]]] = set()
        self._called_at: dict[str, str] = {}
        """By operation: its path at the upstream, where ours is another."""
        self._media: dict[str, dict[str, list[str]]] = {}
        """By operation: the media types that its upstream speaks, where none of a value is JSON."""
        self._elsewhere: dict[str, str] = {}
        self._by_id: dict[str, str] = {}
        self._linked: list[tuple[str, Success]] = []
        self._nodes: list[tuple[str, Node]] = []
        """Of each operation: its name and where it stands."""
        self._outgoing: list[Outgoing] = []

    def imported(self) -> Imported:
        self._security.read_schemes()
        for path, item in self._members(self._root["paths"]):
            self._read_path(path, item)
        self._read_outgoing()
        self._refusals += self._security.refusals
        self._refusals += self._schemas.loosened
        rest = data(self._told.of_service(self._root, self._operations))
        self._refusals += self._told.refusals
        if self._called_at:
            rest[PATHS] = self._called_at
        if self._media:
            rest[MEDIA] = self._media
        info = self._root["info"]
        service = Service(
            name=self._name,
            version=str(info["version"].value) if self._ours else major(info["version"].value),
            operations=tuple(self._operations),
            types=self._types(),
            schemes=self._security.schemes,
            outgoing=tuple(self._outgoing),
            title=info["title"].text,
            docs=info["description"].text,
            bindings={NAME: rest} if rest else {},
        )
        service = msgspec.structs.replace(service, links=self._links(service))
        return Imported(service, tuple(self._refusals), self._server_url(), self._elsewhere)

    def _members(self, node: Node) -> Iterable[tuple[str, Node]]:
        """Members one by one; a reference that leads nowhere costs that member only."""
        value = node.value if isinstance(node.value, dict) else {}
        for key in value:
            try:
                yield str(key), node[key]
            except Unreadable as unreadable:
                self._refusals.append(unreadable.refusal(str(key)))

    def _refuse(self, pointer: str, construct: str, reason: str) -> None:
        self._refusals.append(Refusal(pointer, construct, reason))

    def _server_url(self) -> str:
        try:
            return self._dialect.server_url()
        except Unreadable as unreadable:
            self._refusals.append(unreadable.refusal("servers"))
            return ""

    def _read_path(self, path: str, item: Node) -> None:
        for method in (*map(str.lower, METHODS), *_OTHER_METHODS):
            if not (isinstance(item.value, dict) and method in item.value):
                continue
            construct = f"{method.upper()} {path}"
            try:
                node = item[method]
                if method in _OTHER_METHODS:
                    raise node.unreadable(f"the method {method.upper()} carries no operation")
                self._operations.append(self._read_operation(method.upper(), path, item, node))
            except Unreadable as unreadable:
                self._refusals.append(unreadable.refusal(construct))
            except RecursionError:
                self._refuse(item.raw(method).pointer, construct, "it is nested too deeply")
        for method, node in self._members(item["additionalOperations"]):  # of OpenAPI 3.2
            self._refuse(node.pointer, f"{method} {path}", f"the method {method} carries no operation")

    def _read_operation(self, method: str, path: str, item: Node, node: Node) -> Operation:
        called = path.partition("#")[0]
        # Both are taken even where the rest cannot be read, so that no other's depend on what can.
        name = self._operation_name(node, method, path)
        address = self._own_address(method, called, name, node)
        elsewhere = other_server(self._root, item, node) if isinstance(self._dialect, OpenApi3) else ""
        operation, success = self._described(name, method, called, item, node, {"path": address})
        self._linked.append((name, success))
        self._nodes.append((name, node))
        if address != called:
            self._called_at[name] = called
        operation = operation if self._ours else self._served_in_json(operation)
        if elsewhere and not self._ours:
            self._elsewhere[name] = elsewhere
        return operation

    def _served_in_json(self, operation: Operation) -> Operation:
        """The operation, whose values callers may have in JSON, whatever their upstream speaks."""
        said = operation.bindings[NAME]
        if all(media.has_json(said.get(name, (JSON,))) for name in ("accepts", "produces")):
            return operation
        spoken = media.of_upstream(bind(operation, self._schemas.types))
        if not spoken:
            return operation
        self._media[operation.name] = spoken
        rest = operation.bindings[NAME] | {name: [JSON, *media_types] for name, media_types in spoken.items()}
        return msgspec.structs.replace(operation, bindings={NAME: rest})

    def _described(
        self, name: str, method: str, called: str, item: Node, node: Node, binding: dict[str, Any]
    ) -> tuple[Operation, Success]:
        """What an operation takes and gives; `binding` is what REST must know of it besides."""
        examples = ExampleImport()
        inputs = InputImport(self._schemas, self._dialect, examples)
        inputs.read_parameters(item, node)
        inputs.read_path(called)
        inputs.read_body(item, node, method)
        successes = SuccessImport(self._schemas, self._dialect, node)
        success = successes.success()
        examples.take_output(success.first.media)
        failures = FailureImport(self._schemas, self._dialect, node)
        beside = HeaderImport(self._schemas, self._dialect)
        replied = beside.read(success.nodes)
        told = msgspec.structs.replace(
            self._told.of_operation(node, self._foreign_id(node, name)),
            responses=self._meanings(success),
            headers=success.apart(beside.statuses),
        )
        rest = {
            "method": method, **binding, **inputs.binding(), **success.binding(), **_own_binding(node[OURS]),
            **data(told),
        }  # fmt: skip
        operation = msgspec.structs.replace(
            words.implied(method),
            name=name,
            input=Record(fields=tuple(inputs.fields), extras=inputs.extras),
            output=success.output,
            stream_input=inputs.stream,
            stream_output=success.first.streams,
            headers=replied,
            faults=failures.faults(),
            examples=examples.examples,
            deprecated=node["deprecated"].is_true,
            security=self._security.demanded(node, inputs.places, inherits=bool(called)),
            summary=node["summary"].text,
            docs=node["description"].text,
            tags=tuple(tag.text for tag in node["tags"].items() if tag.text),
            bindings={NAME: rest},
        )
        operation = with_said(operation, node[OURS])
        bound = self._bound(operation, node)
        self._refusals += [*inputs.gaps, *successes.gaps, *failures.gaps, *beside.gaps, *examples.gaps]
        own = headers.without_derived(bound, self._schemas.types)
        return msgspec.structs.replace(operation, headers=own), success

    def _meanings(self, success: Success) -> dict[str, str]:
        """By status: what is said of it, where it is more than we would say ourselves."""
        found = {}
        for output, answer in success.arms:
            said = answer.node["description"].text or answer.node["summary"].text
            if said not in ("", meaning(output, answer.status, self._schemas.types)):
                found[str(answer.status)] = said
        return found

    def _read_outgoing(self) -> None:
        """What is sent is named after what is served, so that no operation's name depends on it."""
        for name, node in self._nodes:
            for sent in outgoing.callbacks(name, node, self._members):
                self._read_sent(sent)
        for sent in outgoing.webhooks(self._root, self._members):
            self._read_sent(sent)

    def _read_sent(self, sent: Sent) -> None:
        try:
            node = sent.item[sent.method.lower()]
            if sent.method not in METHODS:
                raise node.unreadable(f"the method {sent.method} carries no operation")
            operation, _ = self._described(self._sent_name(sent, node), sent.method, "", sent.item, node, {})
            self._outgoing.append(Outgoing(operation=operation, of=sent.of, address=sent.address))
        except Unreadable as unreadable:
            self._refusals.append(unreadable.refusal(sent.construct))

    def _sent_name(self, sent: Sent, node: Node) -> str:
        """By what it is called where it stands; in a document of ours names are final."""
        if not self._ours:
            return names.unique(names.snake(sent.key), self._taken)
        name = node["operationId"].text
        if not name or name in self._given:
            raise node.unreadable("its operationId is missing, or another operation's")
        self._given.add(name)
        return name

    def _operation_name(self, node: Node, method: str, path: str) -> str:
        """What no other operation is called. Raises `Unreadable` in a document of ours, where names are final."""
        operation_id = node["operationId"].text
        known = operation_id in self._by_id
        if self._ours and operation_id:
            if known:
                raise node.unreadable(f"another operation is called {operation_id}, too")
            self._by_id[operation_id] = name = node[OURS][words.NAME].text or operation_id
            if name in self._given:
                raise node.unreadable(f"another operation is called {name}, too")
            self._given.add(name)
            return name
        name = names.unique(names.snake(operation_id or f"{method} {path}"), self._taken)
        if known:
            construct = f"operationId {operation_id} of {method} {path}"
            self._refuse(node.pointer, construct, f"another operation has it, too; this one is called {name}")
        elif operation_id:
            self._by_id[operation_id] = name
        return name

    def _foreign_id(self, node: Node, name: str) -> str:
        """Its `operationId`, where that is the operation's alone and not its name."""
        operation_id = node["operationId"].text
        return operation_id if operation_id != name and self._by_id.get(operation_id) == name else ""

    def _bound(self, operation: Operation, node: Node) -> Binding:
        """Raises `Unreadable` when the operation, read by its parts, still cannot be carried."""
        try:
            return bind(operation, self._schemas.types)
        except Unbindable as unbindable:
            raise node.unreadable(str(unbindable)) from None

    def _own_address(self, method: str, called: str, name: str, node: Node) -> str:
        """A path that no other operation of this method has: where it would, the name is put behind it.

        Raises `Unreadable` for what is no path.
        OpenAPI forbids templates that only their variables' names tell apart (3.1, §4.8.8.2), and a fragment
        reaches no server; yet documents have both. Such an operation is still called at the path given.
        """
        path = called
        try:
            while (address := (method, parse(path).pattern)) in self._addresses:
                path = f"{path.rstrip('/')}/{name}"
        except ValueError as error:
            raise node.unreadable(str(error)) from None
        self._addresses.add(address)
        return path

    def _types(self) -> dict[str, Shape]:
        """The types that operations lead to, and in a document of ours all of them."""
        if self._ours:
            for name in self._root["components"]["schemas"].value or ():
                if name != PROBLEM_SCHEMA:
                    self._schemas.shape(self._root.part({"$ref": f"{REFERENCES}{escape(name)}"}))
            return dict(self._schemas.types)
        operations = [*self._operations, *(each.operation for each in self._outgoing)]
        return self._schemas.reachable(part for operation in operations for part in operation.shapes)

    def _links(self, service: Service) -> tuple[Link, ...]:
        own = self._root[OURS][words.LINKS]
        if own:
            return tuple(own_links(own, service, self._refusals))
        linked = LinkImport(self._operations, self._by_id, {node.pointer: name for name, node in self._nodes})
        found: dict[tuple[str, str], Link] = {}
        for name, success in self._linked:
            for answer in success.answers:
                for link in linked.read(name, answer.output, answer.node, self._members, self._schemas.types):
                    found.setdefault((link.type, link.field), link)
        self._refusals += linked.refusals
        return tuple(found.values())


def _own_binding(said: Node) -> dict[str, Any]:
    """What a document of ours says of an operation's REST binding besides."""
    told = {
        words.CONDITIONS: said[words.CONDITIONS].is_true,
        words.LOCATION: said[words.LOCATION].text,
        words.CACHE_CONTROL: said[words.CACHE_CONTROL].text,
        words.BULK: said[words.BULK].is_true,
        words.CSV: said[words.CSV].is_true,
    }
    return {key: value for key, value in told.items() if value}
