"""One operation at its address: from a request to the call and from the reply to a response.

This is on the way of every request. What can be decided when the endpoint is made is decided
then, and headers that are not there cost one look into a dictionary.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cached_property, partial

from entrepot.http.bodies import close
from entrepot.http.context import context_of
from entrepot.http.headers import HeaderMap, all_of
from entrepot.http.media_types import choose
from entrepot.http.problems import HttpOnly, status_of
from entrepot.kit.limits import Limits
from entrepot.model.call import Call, Context, Invoke, Reply
from entrepot.model.fault import Fault, Issue
from entrepot.model.faults import PreconditionFailed, Unsupported
from entrepot.model.headers import Headers, header
from entrepot.model.operation import Operation
from entrepot.model.shape import Types
from entrepot.ports.exchange import Request, Response
from entrepot.ports.faults import members_of, unforeseen
from entrepot.protocols.rest import etags, faults
from entrepot.protocols.rest.binding.bound import JSON, Binding, accept_of
from entrepot.protocols.rest.body.received import NOTHING, Given
from entrepot.protocols.rest.input_reader import InputReader
from entrepot.protocols.rest.output_writer import OutputWriter
from entrepot.shapes.values import Values

Endpoint = Callable[[Request, tuple[str, ...]], Awaitable[Response]]
"""Answers a request whose path had these values in the places of its variables."""

_KEPT_BY_304 = (b"etag", b"cache-control", b"content-location", b"expires", b"vary")


class NotAcceptable(HttpOnly, Unsupported):
    """The caller's Accept header leaves nothing that can be answered with."""

    http_status = 406


class OperationEndpoint:
    """Answers the requests for one operation. Its codecs are made when the first request comes."""

    def __init__(
        self, operation: Operation, binding: Binding, invoke: Invoke, values: Values, types: Types, mount: str,
        limits: Limits, heartbeat: float,
    ) -> None:  # fmt: skip
        self._operation = operation
        self._invoke = invoke
        self._values = values
        self._limits = limits
        self._safe = operation.safe
        self._conditions = binding.conditions
        self._offers = binding.produces
        self._usual = binding.produces[0] if binding.produces else JSON
        self._unread_accepts = {None, b"*/*", b"", self._usual.encode(), accept_of(binding)}
        self._accepts = _accepted_header(binding)
        self._make_reader = partial(InputReader, operation, binding, values, types, limits)
        self._make_writer = partial(OutputWriter, operation, binding, values, types, limits, mount, heartbeat)

    @cached_property
    def _reader(self) -> InputReader:
        return self._make_reader()

    @cached_property
    def _write(self) -> Callable[[Reply, Request, str, Context], Response]:
        return self._make_writer().write

    async def __call__(self, request: Request, variables: tuple[str, ...]) -> Response:
        """The response, whatever happens."""
        known: HeaderMap = dict(request.headers)
        context = context_of(request, known)
        try:
            media_type = self._usual
            if known.get(b"accept") not in self._unread_accepts:
                media_type = self._choose(request)
            conditional = b"if-match" in known or b"if-none-match" in known
            if conditional:
                self._take_conditions(request, context)
            given: Given = {}
            issues: list[Issue] = []
            reader, received = self._reader, NOTHING
            if reader.has_parameters or request.query:
                reader.take_parameters(request, known, variables, given, issues)
            if reader.read_body is not None:
                received = await reader.read_body(request, known, given, issues)
            if issues:
                raise reader.refusal(issues)
            value = reader.make(**given) if received.input is None else received.input
            reply = await self._invoke(Call(self._operation, value, received.stream, context))
            if reply.fault is None:
                response = self._write(reply, request, media_type, context)
                if conditional and self._safe:
                    return await self._compare(response, request)
                return response
            fault = reply.fault
        except Fault as raised:
            fault = raised
        except Exception as error:
            fault = unforeseen(error, self._operation.name, context)
        return self._refuse(fault, context)

    def _choose(self, request: Request) -> str:
        if not self._offers:
            return self._usual
        chosen = choose(all_of(request.headers, b"accept") or b"*/*", self._offers)
        if chosen is None:
            raise NotAcceptable(f"the answer can be {' or '.join(self._offers)}, none of which Accept takes")
        return chosen

    def _take_conditions(self, request: Request, context: Context) -> None:
        if self._safe:
            return
        if not self._conditions:
            raise PreconditionFailed(
                "this operation does not compare versions; send it without If-Match and If-None-Match"
            )
        wanted, unwanted = all_of(request.headers, b"if-match"), all_of(request.headers, b"if-none-match")
        context.conditions = etags.conditions(wanted, unwanted)

    async def _compare(self, response: Response, request: Request) -> Response:
        """The answer to a safe request, or why it need not be sent (RFC 9110, §13.2.2)."""
        etag = header(response.headers, b"etag") or b""
        broken = etags.fails(etag, all_of(request.headers, b"if-match"))
        unwanted = all_of(request.headers, b"if-none-match")
        if not broken and (unwanted is None or not etags.is_known(etag, unwanted)):
            return response
        if not isinstance(response.body, bytes):
            await close(response.body)
        if broken:
            raise PreconditionFailed("the version given in If-Match is not the present one")
        return Response(304, [line for line in response.headers if line[0] in _KEPT_BY_304])

    def _refuse(self, fault: Fault, context: Context) -> Response:
        status = status_of(fault) if isinstance(fault, HttpOnly) else None
        headers = self._accepts if fault.kind == "unsupported" and status is None else []
        about = members_of(fault, context.trace_id, self._operation, self._values, self._limits)
        return faults.response(about, status=status, headers=list(headers))


def _accepted_header(binding: Binding) -> Headers:
    """What says, beside a 415, which bodies are taken (RFC 9110, §12.5; RFC 5789, §3.1)."""
    if not binding.accepts:
        return []
    name = b"accept-patch" if binding.method == "PATCH" else b"accept"
    return [(name, ", ".join(binding.accepts).encode()), (b"accept-encoding", b"identity")]
