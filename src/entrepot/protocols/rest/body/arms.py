"""A value that is one of several, each under a status of its own."""

from __future__ import annotations

from typing import Any

import msgspec

from entrepot.model.call import Context
from entrepot.model.shape import Shape
from entrepot.ports.exchange import Response
from entrepot.protocols.rest.binding.bound import Binding, union_of
from entrepot.protocols.rest.body import value
from entrepot.protocols.rest.body.body import NO_CONTENT, ReadAnswer, WriteAnswer
from entrepot.shapes.values import Values


def answer_writer(binding: Binding, values: Values) -> WriteAnswer:
    """Writes an output under the status of its arm; null, where that is none of them, is an answer without content."""
    write = value.answer_writer(binding, values)
    by_arm = [(status, values.codec(arm).holds) for status, arm in _arms(binding).items()]

    def write_answer(output: Any, media_type: str, context: Context) -> Response:
        status = next((status for status, holds in by_arm if holds(output)), None)
        if status is None and output is None:
            return Response(NO_CONTENT, [])
        written = write(output, media_type, context)
        return Response(status or binding.status, written.headers, written.body)

    return write_answer


def answer_reader(binding: Binding, values: Values, upstream: str) -> ReadAnswer:
    """Reads an output by its status; under any other than those of the contract it may be of any arm."""
    of_any = value.answer_reader(binding, values, upstream)
    of_status = {
        status: value.answer_reader(_answering(binding, arm), values, upstream)
        for status, arm in _arms(binding).items()
    }

    async def read_answer(response: Response) -> Any:
        return await of_status.get(response.status, of_any)(response)

    return read_answer


def _arms(binding: Binding) -> dict[int, Shape]:
    """By status: what is answered."""
    union = union_of(binding.operation.output)
    assert union is not None
    return dict(zip(binding.statuses, union.arms, strict=True))


def _answering(binding: Binding, output: Shape) -> Binding:
    return msgspec.structs.replace(binding, operation=msgspec.structs.replace(binding.operation, output=output))
