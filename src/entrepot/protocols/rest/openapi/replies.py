"""The responses of an OpenAPI operation as its output and its declared faults."""

from __future__ import annotations

import http
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from entrepot.http import problems
from entrepot.http.media_types import essence
from entrepot.kit import names
from entrepot.model import shape
from entrepot.model.fault import KINDS, DeclaredFault, Kind
from entrepot.model.shape import Shape
from entrepot.ports.extension import fault_of
from entrepot.protocols.rest import faults
from entrepot.protocols.rest.binding.bound import ANY, EVENT_STREAM, NAME, NDJSON
from entrepot.protocols.rest.binding.places import holds_octets
from entrepot.protocols.rest.openapi import words
from entrepot.protocols.rest.openapi.document import Content, Dialect
from entrepot.protocols.rest.openapi.octets import is_textual, octets_of
from entrepot.shapes.arms import told_apart
from entrepot.shapes.document import NOTHING, Node, Refusal, Unreadable
from entrepot.shapes.schema_words import ITEM_SCHEMA, OURS
from entrepot.shapes.schemas import Schemas

_STREAMS = (EVENT_STREAM, NDJSON, "application/jsonl")
_ITEM_SCHEMAS = (ITEM_SCHEMA, "itemSchema")


class Answer(NamedTuple):
    """One way in which a call goes well."""

    output: Shape
    status: int
    node: Node
    """The response it was read from."""
    streams: bool = False
    media: Node = NOTHING
    """The media type that its schema stands in, where it is JSON."""
    produces: tuple[str, ...] = ()

    @property
    def has_body(self) -> bool:
        """Whether there is more than the status."""
        return self.streams or bool(self.produces)


class Success(NamedTuple):
    """What a call that goes well answers."""

    output: Shape
    answers: tuple[Answer, ...]
    """One for each arm of the output, or for all of it."""
    nodes: tuple[Node, ...]
    """All responses of success."""

    @property
    def arms(self) -> Iterator[tuple[Shape, Answer]]:
        """What is answered in each way."""
        alone = len(self.answers) == 1
        return ((self.output if alone else answer.output, answer) for answer in self.answers)

    @property
    def first(self) -> Answer:
        """The usual one."""
        return self.answers[0]

    def binding(self) -> dict[str, Any]:
        """What REST must know of it."""
        statuses = [answer.status for answer in self.answers]
        told = {"status": statuses[0]} if len(statuses) == 1 else {"statuses": statuses}
        return told | ({"produces": list(self.first.produces)} if self.first.produces else {})


class ReplyImport:
    """Reads the responses of one operation."""

    def __init__(self, schemas: Schemas, dialect: Dialect, operation: Node) -> None:
        self._schemas = schemas
        self._dialect = dialect
        self._operation = operation
        self._responses = dict(operation["responses"].members())
        self.gaps: list[Refusal] = []

    def success(self) -> Success:
        """The output: the bodies of all successes, or of those that can be told apart. Raises `Unreadable`."""
        found = [
            (_status(code, 200), node)
            for code, node in sorted(self._responses.items())
            if code[:1] == "2" and not node[OURS][words.BULK]
        ]
        if not found and "default" in self._responses and not self._codes("3"):
            found = [(200, self._responses["default"])]
        if not found:
            reason = "its only success is a redirect, which is not followed" if self._codes("3") else "none succeeds"
            raise self._operation["responses"].unreadable(reason)
        read = [self._read(status, node) for status, node in found]
        answers = self._apart([answer for answer in read if answer.has_body]) or read[:1]
        output = self._union(answers)
        if answers[0].produces and not answers[0].streams and not all(answer.has_body for answer in read):
            output = _nullable(output)
        return Success(output, tuple(answers), tuple(node for _, node in found))

    def _apart(self, answers: list[Answer]) -> list[Answer]:
        """The first answer, and those that can be told from it and from each other; what else differs is left out."""
        found: list[Answer] = []
        for answer in answers:
            if any(answer.output == other.output for other in found):
                continue
            reason = self._clash([*found, answer])
            if reason:
                reason = f"only the body of status {found[0].status} is read: {reason}"
                self.gaps.append(Refusal(answer.node.pointer, f"{answer.status} response", reason))
            else:
                found.append(answer)
        return found

    def _clash(self, answers: list[Answer]) -> str:
        """Why these cannot be the arms of one output; "" when they can."""
        if len({answer.status for answer in answers}) < len(answers):
            return "another is of the same status"
        if len(answers) > 1 and any(not answer.media or answer.produces != answers[0].produces for answer in answers):
            return "another is not JSON of the same media type"
        outputs = [answer.output for answer in answers]
        return "" if len(answers) == 1 or told_apart(outputs, self._schemas.types) else "nothing but its status tells another from it"

    def _union(self, answers: list[Answer]) -> Shape:
        arms = tuple(answer.output for answer in answers)
        return shape.Union(arms=arms, choose=told_apart(arms, self._schemas.types) or "kind") if arms[1:] else arms[0]

    def _codes(self, digit: str) -> list[str]:
        return [code for code in self._responses if code[:1] == digit]

    def _read(self, status: int, node: Node) -> Answer:
        content = self._dialect.reply(node, self._operation)
        by_essence = {essence(name): media for name, media in content.media_types.items()}
        in_json = [name for name in by_essence if name.endswith("json") and name not in _STREAMS]
        streams = [name for name in by_essence if name in _STREAMS]
        if not by_essence:
            return Answer(shape.Null(), status, node)
        if in_json:
            schema = by_essence[in_json[0]].raw("schema")
            part = self._schemas.shape(schema)
            if isinstance(self._schemas.resolved(part), shape.Null):
                return Answer(part, status, node)
            same = [name for name in in_json if by_essence[name].raw("schema").value == schema.value]
            return Answer(part, status, node, produces=tuple(same), media=by_essence[in_json[0]])
        if streams:
            item = _item_schema(by_essence[streams[0]], node)
            return Answer(self._schemas.shape(item), status, node, streams=True, produces=tuple(streams))
        return Answer(self._octets(list(by_essence), content), status, node, produces=tuple(by_essence))

    def _octets(self, media_types: list[str], content: Content) -> Shape:
        """Our own documents say in the schema what octets are; others are known by their media type."""
        schema = next(iter(content.media_types.values())).raw("schema")
        if schema.raw(OURS):
            return self._schemas.shape(schema)
        return octets_of(media_types)

    def faults(self) -> tuple[DeclaredFault, ...]:
        """The declared failures."""
        found: list[DeclaredFault] = []
        taken: dict[str, int] = {}
        for code, node in sorted(self._responses.items(), key=lambda pair: (not pair[0][:1].isdigit(), pair[0])):
            if code[:1] not in ("4", "5") and not (code == "default" and self._codes("2")):
                continue
            for fault in self._read_failure(code, node):
                found.append(msgspec.structs.replace(fault, name=names.unique(fault.name, taken)))
        return tuple(found)

    def _read_failure(self, code: str, node: Node) -> Iterator[DeclaredFault]:
        content = self._dialect.reply(node, self._operation)
        schema = content.media_types.get(problems.PROBLEM, NOTHING).raw("schema")
        own = list(_own_arms(schema))
        if own:
            for arm in own:
                yield self._own_fault(arm, code)
        elif not _is_own_problem(schema):
            yield self._foreign_fault(code, node, content)

    def _own_fault(self, arm: Node, code: str) -> DeclaredFault:
        status = _failing_status(code)
        data = arm["allOf"][1]["properties"].raw("data")
        carried = None if data.value is None else self._schemas.shape(data)
        if carried is not None and holds_octets(carried, self._schemas.types):
            self.gaps.append(Refusal(data.pointer, f"{code} response", _NO_OCTETS))
            carried = None
        fault = fault_of(arm[OURS], carried)
        whole = arm[OURS][words.WHOLE]
        bindings = _own_bindings(status, fault.kind, whole.is_true or whole.text)
        return msgspec.structs.replace(fault, bindings=bindings)

    def _foreign_fault(self, code: str, node: Node, content: Content) -> DeclaredFault:
        data, whole = self._body_of_failure(f"{code} response", content)
        return DeclaredFault(
            name=_fault_name(code),
            kind=_kind(code),
            data=data,
            docs=node["description"].text,
            bindings={NAME: {"status": _failing_status(code), "whole": whole}},
        )

    def _body_of_failure(self, construct: str, content: Content) -> tuple[Shape | None, bool | str]:
        """The body as data, and the media type of one that is text. One that is not carried leaves the status alone."""
        by_essence = {essence(name): media for name, media in content.media_types.items()}
        in_json = [media for name, media in by_essence.items() if name.endswith("json") or name == ANY]
        textual = [name for name in by_essence if is_textual(name)]
        if in_json:
            return self._data(construct, in_json[0].raw("schema")), True
        if textual:
            return shape.Text(), textual[0]
        if by_essence:
            self.gaps.append(Refusal(content.node.pointer, construct, _NO_OCTETS))
        return None, True

    def _data(self, construct: str, schema: Node) -> Shape | None:
        try:
            data = self._schemas.shape(schema)
        except Unreadable as unreadable:
            self.gaps.append(unreadable.refusal(construct))
            return None
        if holds_octets(data, self._schemas.types):
            self.gaps.append(Refusal(schema.pointer, construct, _NO_OCTETS))
            return None
        return None if isinstance(self._schemas.resolved(data), shape.Null) else data


_NO_OCTETS = "its data holds a file, for which an error has no place; the status alone is kept"
_RANGE = re.compile("[45]XX")


def _status(code: str, otherwise: int) -> int:
    return int(code) if len(code) == 3 and code.isdigit() else otherwise


def _failing_status(code: str) -> int | str:
    """As the binding of a declared fault has it: a status, a range of them, or any."""
    return code.upper() if _RANGE.fullmatch(code.upper()) else _status(code, faults.ANY_STATUS)


def _own_bindings(status: int | str, kind: Kind, whole: bool | str) -> dict[str, Any]:
    """What REST must know of a fault that a document of ours declares: what its kind does not say."""
    if whole:
        return {NAME: {"status": status, "whole": whole}}
    return {} if status == KINDS[kind].status else {NAME: {"status": status}}


def _kind(code: str) -> Kind:
    status = _failing_status(code)
    if isinstance(status, int) and status != faults.ANY_STATUS:
        return problems.kind_of(status)
    return "upstream_failed" if code[:1] == "5" else "rejected"


def _fault_name(code: str) -> str:
    status = _failing_status(code)
    if status == faults.ANY_STATUS:
        return "OtherFailure"
    try:
        return names.pascal(http.HTTPStatus(int(status)).phrase)
    except ValueError:
        return f"Status{status}"


def _own_arms(schema: Node) -> Iterator[Node]:
    """The parts of a problem schema of ours that are declared faults."""
    listed = schema.raw("anyOf")
    arms = [listed.raw(index) for index in range(len(listed.value))] if isinstance(listed.value, list) else [schema]
    return (arm for arm in arms if arm[OURS])


def _is_own_problem(schema: Node) -> bool:
    return schema.raw("$ref").text.endswith(f"/{words.PROBLEM_SCHEMA}")


def _item_schema(media: Node, response: Node) -> Node:
    for name in _ITEM_SCHEMAS:
        if media[name]:
            return media.raw(name)
    raise response.unreadable("it is a stream, and nothing says of what items")


def _nullable(part: Shape) -> Shape:
    return part if isinstance(part, shape.Nullable) else shape.Nullable(shape=part)
