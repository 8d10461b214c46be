"""What a function's signature says about its operation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from entrepot.authoring import diagnostics
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
from entrepot.authoring.markers import Marker
from entrepot.authoring.places import RESULT
from entrepot.model.call import Conditions, Context, Meta, Reply
from entrepot.model.principal import Principal
from entrepot.model.shape import Null, Shape
from entrepot.shapes.class_fields import NoShape
from entrepot.shapes.reflect import Member, Reflector, is_type

PARTS_OF_A_CALL: dict[Any, Source] = {
    Principal: "principal",
    Context: "context",
    Conditions: "conditions",
    Meta: "meta",
}
"""Types by which a parameter asks for a part of the call's context."""

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


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
        self._problems = found

    def read(self, function: Callable[..., Any], names: Mapping[str, Any]) -> Signature:
        """The signature; what is wrong with it goes to the diagnostics, and is left out."""
        signature = Signature()
        hints = self._problems.hints_of(function, names)
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
        if parameter.kind not in _NAMED:
            self._problems.add(
                diagnostics.UNSUPPORTED_PARAMETER,
                f"{function.__name__} takes {parameter}, which has no name that a caller could use",
                function,
                "Name every parameter, and take a dict or a list where their number varies.",
                name,
            )
            return
        if name not in hints:
            self._problems.add(
                diagnostics.UNANNOTATED,
                f"parameter {name!r} of {function.__name__} has no type",
                function,
                f"Annotate it: `{name}: int`.",
                name,
            )
            return
        wanted = bare(hints[name])
        source = self._source(wanted)
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
            self._problems.add(
                diagnostics.BAD_STREAM,
                f"{function.__name__} takes two streams, but a call brings one",
                function,
                "Join them in one stream of a union, or make two operations.",
                parameter.name,
            )
            return
        item = self._member(stream_item(annotation, ASYNC_STREAMS), "the stream", function, parameter.name)
        signature.stream_input = None if item is None else item.shape

    def _read_field(
        self, parameter: inspect.Parameter, annotation: Any, signature: Signature, function: Callable[..., Any]
    ) -> None:
        member = self._member(annotation, f"parameter {parameter.name!r}", function, parameter.name)
        if member is None:
            return
        markers = [each for each in attached_to(annotation) if isinstance(each, Marker)]
        signature.fields.append(
            InputField(
                name=parameter.name,
                member=member,
                required=parameter.default is parameter.empty and not member.may_be_absent,
                default=parameter.empty if parameter.default is msgspec.UNSET else parameter.default,
                marker=markers[0] if markers else None,
            )
        )

    def _read_result(self, function: Callable[..., Any], hints: Mapping[str, Any], signature: Signature) -> None:
        if "return" not in hints or hints["return"] is Reply:
            self._problems.add(
                diagnostics.UNANNOTATED,
                f"{function.__name__} does not say what it returns",
                function,
                "Annotate the result, with `-> None` if there is none and `-> Product | Reply` to set headers.",
                RESULT,
            )
            return
        result = without(hints["return"], Reply)
        item = stream_item(result, ASYNC_STREAMS + SYNC_STREAMS)
        signature.stream_output = item is not None
        output = self._member(result if item is None else item, "the result", function, RESULT)
        signature.output = Null() if output is None else output.shape

    def _member(self, annotation: Any, subject: str, function: Callable[..., Any], parameter: str) -> Member | None:
        try:
            return self._reflector.member(annotation)
        except NoShape as error:
            self._problems.add(
                diagnostics.UNSUPPORTED_TYPE,
                f"{subject} of {function.__name__}: {error}",
                function,
                "Use a type that can travel, or provide it with a `resource` of the service.",
                parameter,
            )
            return None
