"""An answer that says where to go, and has no body (RFC 9110, §15.4)."""

from __future__ import annotations

from typing import Any

from entrepot.model.call import Context
from entrepot.model.fault import Fault
from entrepot.model.headers import header, text_of
from entrepot.ports.exchange import Response
from entrepot.protocols.rest.binding.bound import REDIRECTS, Binding
from entrepot.protocols.rest.body.body import ReadAnswer, WriteAnswer, broken
from entrepot.protocols.rest.reply_headers import checked_line
from entrepot.shapes.values import Values


def answer_writer(binding: Binding, _values: Values) -> WriteAnswer:
    """Writes where to go."""
    status = binding.status

    def write_answer(output: Any, _media_type: str, _context: Context) -> Response:
        return Response(status, [(b"content-length", b"0"), (b"location", checked_line(output.location.encode()))])

    return write_answer


def answer_reader(binding: Binding, values: Values, upstream: str) -> ReadAnswer:
    """Reads where to go, whichever redirect it is."""
    read = values.codec(binding.operation.output).of_plain

    async def read_answer(response: Response) -> Any:
        location = header(response.headers, b"location")
        if response.status not in REDIRECTS or location is None:
            raise broken(upstream, f"answered {response.status} without saying where to go")
        try:
            return read({"location": text_of(location)})
        except Fault as fault:
            raise broken(upstream, "answered outside its contract", fault.issues) from None

    return read_answer
