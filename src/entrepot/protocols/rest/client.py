"""Calls an upstream over HTTP as if it were a service."""

from __future__ import annotations

from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model.call import Call, Context, Headers, Invoke, Reply
from entrepot.model.fault import Fault
from entrepot.model.operation import Operation, Service
from entrepot.model.shape import Types
from entrepot.ports.exchange import Exchange, Request
from entrepot.ports.protocol import Document, Imported, Invokes
from entrepot.protocols.rest import etags, openapi_in
from entrepot.protocols.rest.binding import ANY, JSON, Binding, bind
from entrepot.protocols.rest.input_writer import InputWriter
from entrepot.protocols.rest.output_reader import OutputReader
from entrepot.shapes.values import Values


class RestClient:
    """The client half of REST."""

    documents: tuple[str, ...] = ("openapi",)

    def read(self, document: Document, name: str) -> Imported:
        """An OpenAPI 3.0 or 3.1 or Swagger 2.0 document as a service. Raises `Refused`."""
        return openapi_in.read(document, name)

    def dial(
        self, service: Service, values: Values, exchange: Exchange, host: str, base_path: str = "",
        limits: Limits = DEFAULT_LIMITS,
    ) -> Invokes:  # fmt: skip
        """An Invoke for each operation. Raises `Unbindable` for one that REST cannot carry."""
        return {
            operation.name: _invoke(
                operation, bind(operation, service.types), values, service.types, exchange, host, base_path, limits
            )
            for operation in service.operations
        }


def _invoke(
    operation: Operation, binding: Binding, values: Values, types: Types, exchange: Exchange, host: str,
    base_path: str, limits: Limits,
) -> Invoke:  # fmt: skip
    writer = InputWriter(operation, binding, values, types, base_path)
    reader = OutputReader(operation, binding, values, types, host, limits)
    own_headers: Headers = [(b"host", host.encode()), (b"accept", _accept(binding))]
    method, conditional = binding.method, binding.conditions and not operation.safe

    async def invoke(call: Call) -> Reply:
        try:
            written = writer.write(call.input, call.stream)
            request = Request(
                method,
                written.path,
                written.query,
                [*own_headers, *_context_headers(call.context, conditional=conditional), *written.headers],
                written.body,
                deadline=call.context.deadline,
                idempotent=operation.idempotent or operation.safe,
            )
            return await reader.read(await exchange(request))
        except Fault as fault:
            return Reply(fault=fault)

    return invoke


def _accept(binding: Binding) -> bytes:
    """What the contract says is answered, and problems beside it."""
    wanted = binding.produces or (JSON,)
    return ANY.encode() if ANY in wanted else ", ".join((*wanted, "application/problem+json;q=0.9")).encode()


def _context_headers(context: Context, *, conditional: bool) -> Headers:
    headers: Headers = []
    if context.traceparent:
        headers.append((b"traceparent", context.traceparent.encode()))
    if context.idempotency_key:
        headers.append((b"idempotency-key", context.idempotency_key.encode()))
    if conditional:
        headers.extend(etags.write_conditions(context.conditions))
    return headers
