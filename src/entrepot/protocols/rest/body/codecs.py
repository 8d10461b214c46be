"""The table of body forms: who reads and who writes each."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from entrepot.model.call import Context
from entrepot.ports.exchange import Response
from entrepot.protocols.rest.binding.bound import AnswerForm, Binding, BodyForm
from entrepot.protocols.rest.body import arms, form, octets, redirect, stream, upload, value
from entrepot.protocols.rest.body.body import EMPTY, NO_CONTENT, BodyReader, ReadAnswer, WriteAnswer, WriteBody
from entrepot.shapes.values import Values


class BodyCodec(NamedTuple):
    """Bodies of requests: read by the server, written by the client."""

    reader: Callable[[Binding, Values], BodyReader | None]
    """None where there is nothing to read."""
    writer: Callable[[Binding, Values], WriteBody]


class AnswerCodec(NamedTuple):
    """Bodies of answers: written by the server, read by the client of an upstream called so."""

    writer: Callable[[Binding, Values], WriteAnswer]
    reader: Callable[[Binding, Values, str], ReadAnswer]


def _nothing_writer(binding: Binding, _values: Values) -> WriteAnswer:
    status = binding.status

    def write_nothing(_output: None, _media_type: str, _context: Context) -> Response:
        return Response(status, [] if status == NO_CONTENT else [(b"content-length", b"0")])

    return write_nothing


def _nothing_reader(_binding: Binding, _values: Values, _upstream: str) -> ReadAnswer:
    async def read_nothing(_response: Response) -> None:
        return None

    return read_nothing


BODIES: dict[BodyForm, BodyCodec] = {
    "none": BodyCodec(lambda _binding, _values: None, lambda _binding, _values: lambda _input, _stream: EMPTY),
    "object": BodyCodec(value.object_reader, value.object_writer),
    "value": BodyCodec(value.value_reader, value.value_writer),
    "form": BodyCodec(form.form_reader, form.form_writer),
    "raw": BodyCodec(octets.raw_reader, octets.raw_writer),
    "file": BodyCodec(octets.file_reader, octets.file_writer),
    "upload": BodyCodec(upload.upload_reader, upload.upload_writer),
    "stream": BodyCodec(stream.items_reader, stream.items_writer),
}

ANSWERS: dict[AnswerForm, AnswerCodec] = {
    "none": AnswerCodec(_nothing_writer, _nothing_reader),
    "value": AnswerCodec(value.answer_writer, value.answer_reader),
    "arms": AnswerCodec(arms.answer_writer, arms.answer_reader),
    "raw": AnswerCodec(octets.raw_answer_writer, octets.raw_answer_reader),
    "file": AnswerCodec(octets.file_answer_writer, octets.file_answer_reader),
    "stream": AnswerCodec(stream.answer_writer, stream.answer_reader),
    "redirect": AnswerCodec(redirect.answer_writer, redirect.answer_reader),
}
