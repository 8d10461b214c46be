"""What HTTP refuses before a protocol sees it, and how a client posts."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from entrepot.http.bodies import TooSlow, chunks_of
from entrepot.http.media_types import MediaTypes
from entrepot.http.posts import NotPosted, Poster, check_post, rejection
from entrepot.kit.limits import Limits
from entrepot.model.call import Context
from entrepot.model.faults import TooLarge, Unsupported, UpstreamFailed
from entrepot.ports.exchange import Request, Response

XML = b"text/xml"


def check(method: str = "POST", **headers: bytes) -> None:
    known = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    check_post(Request(method, b"/"), known, MediaTypes(["text/xml", "application/soap+xml"]))


@pytest.mark.parametrize(
    "content_type",
    [
        b"text/xml",
        b"text/xml; charset=utf-8",
        b"application/soap+xml; action=x",
        b'TEXT/XML;charset="UTF-8"',
        b"text/xml; version=1",
    ],
)
def test_a_post_of_the_media_type_is_taken(content_type):
    check(content_type=content_type, content_encoding=b"identity")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content_type": b"application/json"},
        {"content_type": b"text/xml; charset=latin-1"},
        {"content_type": b"text/xml; version=1; charset=latin-1"},
        {"content_type": b"text/*"},
        {"content_type": XML, "content_encoding": b"gzip"},
    ],
)
def test_anything_else_is_not(headers):
    with pytest.raises(Unsupported):
        check(**headers)


def test_a_get_is_no_post():
    with pytest.raises(NotPosted, match="GET"):
        check("GET", content_type=XML)


@pytest.mark.parametrize(
    ("fault", "status"), [(NotPosted(), 405), (Unsupported(), 415), (TooLarge(), 413), (TooSlow(), 408)]
)
def test_what_http_refuses_has_its_status(fault, status):
    response = rejection(fault, b"<no/>", XML)
    assert (response.status, response.body) == (status, b"<no/>")
    assert ((b"allow", b"POST") in response.headers) == (status == 405)


class Upstream:
    """Answers as told, and keeps the requests."""

    def __init__(self, answer: Response, **limits: int) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.poster = Poster(self.exchange, "bank", "/rpc", XML, Limits(**limits))

    async def exchange(self, request: Request) -> Response:
        self.requests.append(request)
        return self.answer


async def test_a_message_is_posted_with_its_context():
    upstream = Upstream(Response(200, [], b"<yes/>"))
    context = Context(idempotency_key="k", deadline=7.0)
    response, body = await upstream.poster.post(b"<call/>", context, idempotent=True)
    [request] = upstream.requests
    assert (response.status, body) == (200, b"<yes/>")
    assert (request.method, request.path, request.body) == ("POST", b"/rpc", b"<call/>")
    assert (request.deadline, request.idempotent) == (7.0, True)
    wanted = {b"host": b"bank", b"content-type": XML, b"accept": XML, b"idempotency-key": b"k"}
    assert wanted.items() <= dict(request.headers).items()


async def test_a_message_may_have_headers_of_its_own():
    upstream = Upstream(Response(200))
    own = [(b"soapaction", b"x"), (b"content-type", b"text/xml; charset=utf-8")]
    await upstream.poster.post(b"", Context(), idempotent=False, headers=own)
    await upstream.poster.post(b"", Context(), idempotent=False)
    first, second = upstream.requests
    assert [pair for pair in first.headers if pair[0] in (b"soapaction", b"content-type")] == own
    assert [pair for pair in second.headers if pair[0] in (b"soapaction", b"content-type")] == [(b"content-type", XML)]


async def test_an_answer_may_come_in_other_media_types_and_piece_by_piece():
    async def pieces() -> AsyncIterator[bytes]:
        yield b"1"
        yield b"2"

    upstream = Upstream(Response(200, [], pieces()))
    poster = Poster(upstream.exchange, "bank", "/mcp", XML, Limits(), b"text/xml, text/event-stream")
    response = await poster.send(b"", Context(), idempotent=False)
    assert [piece async for piece in chunks_of(response.body)] == [b"1", b"2"]
    assert dict(upstream.requests[0].headers)[b"accept"] == b"text/xml, text/event-stream"


async def test_an_answer_beyond_the_limit_is_the_upstreams_failure():
    with pytest.raises(UpstreamFailed) as raised:
        await Upstream(Response(200, [], b"x" * 11), reply_bytes_max=10).poster.post(b"", Context(), idempotent=False)
    assert raised.value.upstream == "bank"


@pytest.mark.parametrize(
    ("status", "kind", "upstream"),
    [(401, "unauthenticated", ""), (503, "unavailable", "bank"), (404, "upstream_failed", "bank"),
     (500, "upstream_failed", "bank"), (429, "rate_limited", "")],
)  # fmt: skip
def test_a_status_without_a_message_tells_what_it_can(status, kind, upstream):
    fault = Upstream(Response(200)).poster.failure(Response(status, [(b"retry-after", b"7")]))
    assert (fault.kind, fault.upstream) == (kind, upstream)
    assert str(status) in fault.detail
    assert fault.retry_after == (None if kind == "upstream_failed" else 7.0)
