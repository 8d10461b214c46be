"""One operation at its address: from a request to the call and from the reply to a response.

This is on the way of every request. What can be decided before the first one is decided then, and
headers that are not there cost one look into a dictionary.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from entrepot.http.bodies import close
from entrepot.http.context import context_of
from entrepot.http.headers import HeaderMap, all_of
from entrepot.http.media_types import choose
from entrepot.http.pages import docs_path
from entrepot.http.problems import HttpOnly, status_of
from entrepot.model.call import Call, Context
from entrepot.model.fault import Fault
from entrepot.model.faults import PreconditionFailed
from entrepot.model.headers import Headers, header
from entrepot.ports.exchange import Request, Response
from entrepot.ports.faults import members_of
from entrepot.ports.links import Links
from entrepot.ports.protocol import ServedService
from entrepot.protocols.rest import etags, faults
from entrepot.protocols.rest.asking import Asking
from entrepot.protocols.rest.binding.bound import JSON, Binding, accept_of, mount
from entrepot.protocols.rest.binding.notations import MSGPACK, always, notation_of, others
from entrepot.protocols.rest.body.body import NotAcceptable, WriteAnswer
from entrepot.protocols.rest.body.codecs import ANSWERS
from entrepot.protocols.rest.input_reader import InputReader
from entrepot.protocols.rest.prefer import preferred
from entrepot.protocols.rest.ranges import part_of
from entrepot.protocols.rest.reply_headers import VARY, ReplyHeaders
from entrepot.protocols.rest.table import CSV, row_of, table_of
from entrepot.protocols.rest.view import HTML, JAVA, page_of

Answer = Callable[[Request, tuple[str, ...]], Awaitable[Response]]
"""Answers a request whose path had these values in the places of its variables."""

_KEPT_BY_304 = (b"etag", b"cache-control", b"content-location", b"expires", b"vary")


class OperationAnswer:
    """Answers the requests for one operation. Its codecs are made when the first request comes."""

    __slots__ = (
        "_accepts_by_heart", "_answers_files", "_apart", "_asking", "_binding", "_changes", "_docs", "_headers",
        "_invoke", "_links", "_mount", "_negotiates", "_offers", "_operation", "_reader", "_shown_as", "_streams",
        "_usual", "_values", "_write",
    )  # fmt: skip
    _asking: Asking
    _headers: ReplyHeaders
    _write: WriteAnswer

    def __init__(self, binding: Binding, served: ServedService, links: Links) -> None:
        self._binding = binding
        self._operation = binding.operation
        self._invoke = served.invokes[binding.operation.name]
        self._values = served.values
        self._mount = mount(served.service)
        self._docs = docs_path(served.service)
        self._links = links
        self._streams = binding.body == "stream"
        self._answers_files = binding.answer == "file"
        self._changes = binding.answer == "value" and not binding.operation.safe
        in_json = binding.answer == "value" and notation_of(binding.produces[0]) == "json"
        is_seen = in_json and binding.method == "GET" and HTML not in binding.produces
        shown = ((CSV, binding.csv), (HTML, is_seen))
        self._shown_as = tuple(media_type for media_type, offered in shown if offered)
        offers = (*binding.produces, *self._shown_as)
        self._negotiates = len(offers) > 1
        self._apart = others(binding.produces) if binding.answer in ("value", "arms") else ()
        self._offers = (*offers, *(each for each in self._apart if each not in offers))
        self._usual = binding.produces[0] if binding.produces else JSON
        self._accepts_by_heart = {b"*/*", b"", self._usual.encode(), accept_of(binding)}
        self._reader: InputReader | None = None

    def _compile(self) -> InputReader:
        self._write = ANSWERS[self._binding.answer].writer(self._binding, self._values)
        self._headers = ReplyHeaders(self._binding, self._values, self._mount, negotiates=self._negotiates)
        if self._binding.asks:
            self._asking = Asking(self._binding, self._values, self._links)
        asking = self._asking if self._binding.asks else None
        self._reader = reader = InputReader(self._binding, self._values, asking)
        return reader

    async def answer(self, request: Request, variables: tuple[str, ...]) -> Response:
        """The response, whatever happens."""
        headers: HeaderMap = dict(request.headers)
        context = context_of(request, headers)
        try:
            reader, media_type = self._reader or self._compile(), self._usual
            accept = headers.get(b"accept")
            if accept is not None and accept not in self._accepts_by_heart:
                media_type = self._choose(request)
            conditional = b"if-match" in headers or b"if-none-match" in headers
            if conditional:
                self._take_conditions(request, context)
            content = None if reader.fetch is None else await reader.fetch(request, headers)
            if reader.shortcut is None or request.query:
                value = reader.read(request, headers, variables, content, context)
            else:
                value = reader.shortcut(variables[0] if reader.fetch is None else content)
            reply = await self._invoke(Call(self._operation, value, content if self._streams else None, context))
            fault = reply.fault
            if fault is None:
                versioned = media_type not in self._shown_as and media_type not in self._apart
                if context.selection:
                    if media_type in self._apart:
                        raise NotAcceptable(f"a part of an answer can be {self._usual}, not {media_type}")
                    reply, response, linked = await self._asking.answer(reply, context)
                    versioned = versioned and not linked
                else:
                    response = self._write(reply.output, media_type, context)
                if self._headers.derived or reply.meta is not None or reply.warnings:
                    self._headers.add(response.headers, reply, request, value, versioned=versioned)
                if conditional and self._operation.safe:
                    response = await self._compare(response, request)
                if b"prefer" in headers:
                    response = preferred(response, request.headers, changes=self._changes)
                if media_type in self._shown_as:
                    response = self._shown(response, request, media_type, context)
                if self._answers_files and b"range" in headers and reply.output is not None:
                    return await part_of(response, reply.output, request, headers, context)
                return response
        except Exception as error:
            fault = faults.of_error(error, self._operation, context)
        return self._refuse(fault, context)

    def _choose(self, request: Request) -> str:
        accept = all_of(request.headers, b"accept") or b"*/*"
        offers = self._binding.produces if accept.startswith(JAVA) else self._offers
        if not offers:
            return self._usual
        chosen = choose(accept, offers)
        if chosen is None:
            told = [each for each in offers if each not in MSGPACK[1:]]
            raise NotAcceptable(f"the answer can be {' or '.join(told)}, none of which Accept takes")
        return chosen

    def _take_conditions(self, request: Request, context: Context) -> None:
        """A safe operation's are compared with its answer; others are for the handler."""
        if self._operation.safe:
            return
        if not self._binding.conditions:
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

    def _shown(self, response: Response, request: Request, media_type: str, context: Context) -> Response:
        """An answer in JSON as something else that its caller likes better."""
        operation, values = self._operation, self._values
        if not response.body:
            return response
        if media_type == HTML:
            return page_of(response, request, operation.summary or operation.name, self._docs, values.limits)
        row = row_of(operation.output, values.types)
        assert row is not None  # or the binding would be none
        names = [field.name for field in row.fields]
        return table_of(response, self._asking.columns(context, names) if context.selection else names, values.limits)

    def _refuse(self, fault: Fault, context: Context) -> Response:
        status = status_of(fault) if isinstance(fault, HttpOnly) else None
        headers = _accepted(self._binding) if fault.kind == "unsupported" and status is None else []
        if self._negotiates:
            headers.append(VARY)
        about = members_of(fault, context.trace_id, self._operation, self._values)
        return faults.response(about, status=status, headers=headers)


def _accepted(binding: Binding) -> Headers:
    """What says, beside a 415, which bodies are taken (RFC 9110, §12.5; RFC 5789, §3.1)."""
    if not binding.accepts:
        return []
    name = b"accept-patch" if binding.method == "PATCH" else b"accept"
    taken = always(binding.accepts) if binding.body in ("object", "value") else binding.accepts
    return [(name, ", ".join(taken).encode()), (b"accept-encoding", b"identity")]
