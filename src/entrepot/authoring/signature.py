"""What a function's signature says about its operation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any, get_args

import msgspec

from entrepot.authoring import mistakes
from entrepot.authoring.annotations import (
    ASYNC_STREAMS,
    SYNC_STREAMS,
    attached_to,
    bare,
    stream_item,
    without,
)
from entrepot.authoring.diagnostics import Diagnostics
from entrepot.authoring.handler import Parameter, Source
from entrepot.authoring.markers import Body, Marker
from entrepot.authoring.marks import OF_ROLES, classes_within, markers_within
from entrepot.authoring.places import RESULT
from entrepot.model.call import Conditions, Context, Reply
from entrepot.model.principal import Principal
from entrepot.model.shape import Null, Role, Shape
from entrepot.shapes.class_fields import NoShape
from entrepot.shapes.reflect import Member, Reflector, is_type

PARTS_OF_A_CALL: dict[Any, Source] = {
    Principal: "principal",
    Context: "context",
    Conditions: "conditions",
}
"""Types by which a parameter asks for a part of the call's context."""

_NAMELESS = {
    inspect.Parameter.POSITIONAL_ONLY: "{}, /",
    inspect.Parameter.VAR_POSITIONAL: "*{}",
    inspect.Parameter.VAR_KEYWORD: "**{}",
}
"""Kinds of parameters that a caller could not name, and how each is written."""


class InputField(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter that the caller fills in."""

    name: str
    member: Member
    """Its type, taken apart."""
    required: bool
    default: Any
    """The function's own default, or `inspect.Parameter.empty`."""
    marker: Marker | None


class Signature(msgspec.Struct, kw_only=True):
    """A function's parameters and result."""

    parameters: list[Parameter] = []
    fields: list[InputField] = []
    stream_input: Shape | None = None
    output: Shape = Null()
    stream_output: bool = False


class SignatureReader:
    """Reads the functions of one service; `provided` are the types that its resources give."""

    def __init__(self, reflector: Reflector, provided: Collection[Any], found: Diagnostics) -> None:
        self._reflector = reflector
        self._provided = provided
        self._found = found

    def read(self, function: Callable[..., Any], names: Mapping[str, Any]) -> Signature:
        """The signature; what is wrong with it goes to the diagnostics, and is left out."""
        signature = Signature()
        hints = self._found.hints_of(function, names)
        if hints is None:
            return signature
        for parameter in inspect.signature(function).parameters.values():
            self._read_parameter(parameter, hints, signature, function)
        self._read_result(function, hints, signature)
        return signature

    def _read_parameter(
        self, parameter: inspect.Parameter, hints: Mapping[str, Any], signature: Signature, function: Callable[..., Any]
    ) -> None:
        name = parameter.name
        if parameter.kind in _NAMELESS:
            form = _NAMELESS[parameter.kind].format(name)
            self._found.add(mistakes.NO_NAME_ON_A_WIRE, function, name, form=form)
            return
        if name not in hints:
            self._found.add(mistakes.NO_TYPE, function, name)
            return
        wanted = bare(hints[name])
        source = self._source(wanted)
        self._check_markers(name, hints[name], source, function)
        if source == "stream":
            self._read_inbound_stream(parameter, wanted, signature, function)
        elif source == "input":
            self._read_field(parameter, hints[name], signature, function)
        signature.parameters.append(
            Parameter(
                name=name,
                source=source,
                provides=wanted if source == "resource" else None,
                has_default=parameter.default is not parameter.empty,
                keyword_only=parameter.kind is parameter.KEYWORD_ONLY,
            )
        )

    def _source(self, wanted: Any) -> Source:
        if not is_type(wanted):
            return "input"  # which its reader refuses
        if wanted in self._provided:
            return "resource"
        if stream_item(wanted, ASYNC_STREAMS) is not None:
            return "stream"
        # A principal in a union or with a note attached must not become an input, or callers could name themselves.
        return PARTS_OF_A_CALL.get(wanted, "input") if isinstance(wanted, type) else "input"

    def _read_inbound_stream(
        self, parameter: inspect.Parameter, annotation: Any, signature: Signature, function: Callable[..., Any]
    ) -> None:
        if signature.stream_input is not None:
            self._found.add(mistakes.TWO_STREAMS, function, parameter.name)
            return
        item = self._member(stream_item(annotation, ASYNC_STREAMS), "the stream", function, parameter.name)
        signature.stream_input = None if item is None else item.shape

    def _read_field(
        self, parameter: inspect.Parameter, annotation: Any, signature: Signature, function: Callable[..., Any]
    ) -> None:
        member = self._member(annotation, f"parameter `{parameter.name}`", function, parameter.name)
        if member is None:
            return
        markers = [each for each in attached_to(annotation) if isinstance(each, Marker)]
        if self._misplaced(parameter, annotation, markers, function):
            return
        signature.fields.append(
            InputField(
                name=parameter.name,
                member=member,
                required=parameter.default is parameter.empty and not member.may_be_absent,
                default=parameter.empty if parameter.default is msgspec.UNSET else parameter.default,
                marker=markers[0] if markers else None,
            )
        )

    def _check_markers(self, name: str, annotation: Any, source: Source, function: Callable[..., Any]) -> None:
        """Note each marker that nobody reads; the body of a stream may be marked as what it is."""
        read = [each for each in attached_to(annotation) if isinstance(each, Marker)]
        for mark in classes_within(annotation):
            self._found.add(mistakes.MARK_NOT_MADE, function, name, where=f"parameter `{name}`", mark=mark)
        for number, marker in enumerate(markers_within(annotation)):
            words = {"mark": marker.written}
            if source != "input" and not (source == "stream" and isinstance(marker, Body)):
                self._found.add(mistakes.MARKER_OF_NO_INPUT, function, name, **words)
            elif not any(marker is each for each in read):  # one that is equal may stand around the whole
                self._found.add(mistakes.MARKER_INSIDE, function, name, **words)
            elif number:
                self._found.add(mistakes.MARKER_AFTER_ANOTHER, function, name, other=read[0].written, **words)

    def _misplaced(
        self, parameter: inspect.Parameter, annotation: Any, markers: list[Marker], function: Callable[..., Any]
    ) -> bool:
        """Whether a marker stands where a default does or the other way round, which is noted."""
        default = parameter.default
        if isinstance(default, Marker):
            told = _marked(parameter.name, annotation, default)
            self._found.add(mistakes.MARKER_AS_DEFAULT, function, parameter.name, annotation=told)
            return True
        if markers and not isinstance(markers[0].name, str):
            told = _marked(parameter.name, annotation, markers[0])
            self._found.add(
                mistakes.MARKER_WITHOUT_NAME, function, parameter.name, name=repr(markers[0].name), annotation=told
            )
            return True
        return False

    def _check_result(self, role: Role, annotation: Any, function: Callable[..., Any]) -> None:
        for mark in classes_within(annotation):
            self._found.add(mistakes.MARK_NOT_MADE, function, RESULT, where="the result", mark=mark)
        marks = [each.written for each in markers_within(annotation)]
        for mark in marks + [OF_ROLES[role]] if role else marks:
            self._found.add(mistakes.MARK_OF_A_RESULT, function, RESULT, mark=mark)

    def _read_result(self, function: Callable[..., Any], hints: Mapping[str, Any], signature: Signature) -> None:
        if "return" not in hints or hints["return"] is Reply:
            self._found.add(mistakes.NO_RESULT_TYPE, function, RESULT)
            return
        result = without(hints["return"], Reply)
        item = stream_item(result, ASYNC_STREAMS + SYNC_STREAMS)
        signature.stream_output = item is not None
        output = self._member(result if item is None else item, "the result", function, RESULT)
        signature.output = Null() if output is None else output.shape
        self._check_result("" if output is None else output.role, result, function)

    def _member(self, annotation: Any, subject: str, function: Callable[..., Any], parameter: str) -> Member | None:
        try:
            return self._reflector.member(annotation)
        except NoShape as error:
            remedy = error.remedy
            if error.may_be_provided and parameter != RESULT:
                remedy = f"{remedy[:-1]}, or provide it with a `resource` of the service."
            self._found.add(mistakes.NO_SHAPE, function, parameter, subject=subject, error=error.problem, remedy=remedy)
            return None


def _marked(name: str, annotation: Any, marker: Marker) -> str:
    """The parameter as it should be written."""
    base, given = bare(annotation), marker.name
    written = base.__name__ if isinstance(base, type) and not get_args(base) else str(base)
    on_wire, default = (repr(given), "") if given and isinstance(given, str) else ("", f" = {given!r}")
    return f"`{name}: Annotated[{written}, {type(marker).__name__}({on_wire})]{'' if given == '' else default}`"
