"""Calls of an upstream without what has no place in their direction: `readOnly` in requests, `writeOnly` in replies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from msgspec.structs import replace

from entrepot.model.call import Call, Invoke, Reply
from entrepot.model.operation import Operation
from entrepot.model.shape import Shape
from entrepot.shapes.field_access import Message, part_of
from entrepot.shapes.values import Values

Part = Callable[[Any], Any]


def enforce_field_access(operation: Operation, invoke: Invoke, values: Values) -> Invoke:
    """The Invoke, given nothing that belongs in replies only, and giving nothing that belongs in requests only.

    Callers send back what they were given, so such a member of a request is read over; in a reply
    it would be told what was meant to be kept.
    """

    def part(message: Message, shape: Shape | None) -> Part | None:
        return None if shape is None else part_of(message, shape, values)

    given, items_given = part("request", operation.input), part("request", operation.stream_input)
    output = part("reply", operation.output)
    data = {fault.name: found for fault in operation.faults if (found := part("reply", fault.data)) is not None}
    if not (given or items_given or output or data):
        return invoke

    def request_of(call: Call) -> Call:
        stream = call.stream if items_given is None or call.stream is None else _each(call.stream, items_given)
        return replace(call, input=given(call.input) if given else call.input, stream=stream)

    async def invoke_enforced(call: Call) -> Reply:
        reply = await invoke(request_of(call))
        if reply.fault is not None:
            reply.fault.data = data.get(reply.fault.name, _all)(reply.fault.data)
        elif output is not None:
            reply.output = _each(reply.output, output) if operation.stream_output else output(reply.output)
        return reply

    return invoke_enforced


def _all(value: Any) -> Any:
    return value


async def _each(items: AsyncIterator[Any], part: Part) -> AsyncIterator[Any]:
    async with aclosing(items):  # type: ignore[type-var]
        async for item in items:
            yield part(item)
