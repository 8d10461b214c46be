"""The failures of an OpenAPI operation as its declared faults."""

from __future__ import annotations

import http
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from entrepot.http import problems
from entrepot.http.media_types import essence, is_json
from entrepot.kit import names
from entrepot.model import shape
from entrepot.model.fault import KINDS, DeclaredFault, Kind
from entrepot.model.shape import Shape
from entrepot.ports.extension import fault_of
from entrepot.protocols.rest import faults
from entrepot.protocols.rest.binding.bound import ANY, NAME, REDIRECTS
from entrepot.protocols.rest.binding.places import holds_octets
from entrepot.protocols.rest.openapi import words
from entrepot.protocols.rest.openapi.document import Content, Dialect, responses_of, status_of
from entrepot.protocols.rest.openapi.octets import is_textual
from entrepot.shapes.document import NOTHING, Node, Refusal, Unreadable
from entrepot.shapes.schema_words import OURS
from entrepot.shapes.schemas import Schemas


class FailureImport:
    """Reads the responses of one operation that are no success."""

    def __init__(self, schemas: Schemas, dialect: Dialect, operation: Node) -> None:
        self._schemas = schemas
        self._dialect = dialect
        self._operation = operation
        self._responses = responses_of(operation)
        self.gaps: list[Refusal] = []

    def faults(self) -> tuple[DeclaredFault, ...]:
        """The declared failures."""
        codes = sorted(code for code in self._responses if code[:1] in ("4", "5"))
        if faults.DEFAULT in self._responses and any(map(_succeeds, self._responses)):
            codes.append(faults.DEFAULT)
        taken: dict[str, int] = {}
        read = (fault for code in codes for fault in self._read(code, self._responses[code]))
        return tuple(msgspec.structs.replace(fault, name=names.unique(fault.name, taken)) for fault in read)

    def _read(self, code: str, response: Node) -> Iterator[DeclaredFault]:
        try:
            node = response.resolved()
        except Unreadable as unreadable:
            self.gaps.append(unreadable.refusal(f"{code} response"))
            return
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
        in_json = [media for name, media in by_essence.items() if is_json(name) or name == ANY]
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


def _succeeds(code: str) -> bool:
    return code[:1] == "2" or status_of(code, 0) in REDIRECTS


def _failing_status(code: str) -> int | str:
    """As the binding of a declared fault has it: a status, a range of them, or any."""
    return code.upper() if _RANGE.fullmatch(code.upper()) else status_of(code, faults.ANY_STATUS)


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
