"""Parts of a file: RFC 9110, §14."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from entrepot import File, Service
from entrepot.app import CATALOG
from entrepot.http.bodies import chunks_of
from entrepot.model.call import Call
from entrepot.ports.exchange import Request, Response
from entrepot.runtime.local import local_service

REST = CATALOG["rest"]
CONTENT = bytes(range(100))


def album() -> Service:
    service = Service("album")

    @service.get("/picture")
    async def picture() -> File:
        return File.of(CONTENT, media_type="image/png")

    @service.get("/versioned")
    async def versioned() -> File:
        file = File.of(CONTENT)
        file.etag = "v1"
        return file

    @service.get("/endless")
    async def endless() -> File:
        async def opener(start: int, stop: int | None) -> AsyncIterator[bytes]:
            yield CONTENT[start:stop]

        return File(opener=opener)

    @service.post("/made")
    async def made() -> File:
        return File.of(CONTENT)

    return service


async def ask(
    path: str, range: bytes | None, method: str = "GET", **more: bytes
) -> tuple[int, dict[bytes, bytes], bytes]:
    async with local_service(album()) as served:
        headers = [] if range is None else [(b"range", range)]
        headers += [(name.replace("_", "-").encode(), value) for name, value in more.items()]
        response = await REST.server.serve([served])(Request(method, f"/api/album/v1{path}".encode(), b"", headers))
        return response.status, dict(response.headers), b"".join([chunk async for chunk in chunks_of(response.body)])


@pytest.mark.parametrize(
    ("range", "start", "stop"),
    [
        (b"bytes=0-9", 0, 10),
        (b"bytes=90-", 90, 100),
        (b"bytes=-10", 90, 100),
        (b"bytes=-1000", 0, 100),
        (b"bytes=99-99", 99, 100),
        (b"bytes=50-1000", 50, 100),
        (b"Bytes= 1-2 ", 1, 3),
    ],
)
async def test_one_range_is_answered_with_that_part(range: bytes, start: int, stop: int) -> None:
    status, headers, body = await ask("/picture", range)
    assert (status, body) == (206, CONTENT[start:stop])
    assert headers[b"content-range"] == b"bytes %d-%d/100" % (start, stop - 1)
    assert headers[b"content-length"] == b"%d" % (stop - start)
    assert headers[b"content-type"] == b"image/png"


@pytest.mark.parametrize(
    "range",
    [
        b"bytes=0-1,5-6",
        b"lines=0-1",
        b"bytes=5-2",
        b"bytes=-",
        b"bytes=a-b",
        b"bytes",
        b"",
        b"bytes=" + b"9" * 30 + b"-",
    ],
)
async def test_what_is_not_one_range_is_answered_with_the_whole(range: bytes) -> None:
    assert (await ask("/picture", range))[::2] == (200, CONTENT)


@pytest.mark.parametrize("range", [b"bytes=100-", b"bytes=100-200", b"bytes=-0"])
async def test_a_range_beyond_the_end_is_refused_with_the_size(range: bytes) -> None:
    status, headers, body = await ask("/picture", range)
    assert status == 416
    assert headers[b"content-range"] == b"bytes */100"
    assert headers[b"content-type"] == b"application/problem+json"
    assert b"100 bytes" in body


async def test_who_asks_for_no_part_is_told_that_there_are_parts() -> None:
    assert (await ask("/picture", None))[1][b"accept-ranges"] == b"bytes"


@pytest.mark.parametrize(("path", "method"), [("/endless", "GET"), ("/made", "POST"), ("/picture", "HEAD")])
async def test_where_there_are_no_parts_the_whole_is_meant(path: str, method: str) -> None:
    status, headers, _ = await ask(path, b"bytes=0-9", method)
    assert status == 200
    assert b"content-range" not in headers


@pytest.mark.parametrize(
    ("if_range", "status"), [(b'"v1"', 206), (b'"v2"', 200), (b'W/"v1"', 200), (b"yesterday", 200)]
)
async def test_a_part_of_another_version_is_of_no_use(if_range: bytes, status: int) -> None:
    assert (await ask("/versioned", b"bytes=0-9", if_range=if_range))[0] == status


async def test_what_the_caller_has_already_is_not_sent_in_parts() -> None:
    assert (await ask("/versioned", b"bytes=0-9", if_none_match=b'"v1"'))[0] == 304


class Upstream:
    """Answers with one response whose body tells whether it was closed."""

    def __init__(self, status: int, *headers: tuple[bytes, bytes]) -> None:
        self.status, self.headers, self.closed = status, list(headers), False

    async def __call__(self, _request: Request) -> Response:
        return Response(self.status, [*self.headers, (b"content-length", b"100")], self)

    def __aiter__(self) -> Upstream:
        self.rest = [CONTENT[:50], CONTENT[50:]]
        return self

    async def __anext__(self) -> bytes:
        if not self.rest:
            raise StopAsyncIteration
        return self.rest.pop(0)

    async def aclose(self) -> None:
        self.closed = True


async def through(upstream: Upstream, **headers: bytes) -> tuple[int, bytes]:
    """A call of the album as an upstream's service."""
    async with local_service(album()) as served:
        invokes = REST.client.dial(served.service, served.values, upstream, "album", "/api/album/v1")

        async def dialled(call: Call) -> Any:
            return await invokes[call.operation.name](call)

        again = type(served)(
            service=served.service, values=served.values, invokes=dict.fromkeys(served.invokes, dialled)
        )
        named = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
        response = await REST.server.serve([again])(Request("GET", b"/api/album/v1/picture", b"", named))
        return response.status, b"".join([chunk async for chunk in chunks_of(response.body)])


async def test_an_upstreams_file_is_passed_on_in_parts() -> None:
    upstream = Upstream(200)
    assert await through(upstream, range=b"bytes=40-59") == (206, CONTENT[40:60])
    assert upstream.closed


async def test_an_upstreams_file_that_nobody_reads_is_closed() -> None:
    upstream = Upstream(200)
    assert (await through(upstream, range=b"bytes=100-"))[0] == 416
    assert upstream.closed
    upstream = Upstream(200, (b"etag", b'"v1"'))
    assert (await through(upstream, if_none_match=b'"v1"'))[0] == 304
    assert upstream.closed


async def test_a_part_that_nobody_asked_for_is_no_whole() -> None:
    upstream = Upstream(206, (b"content-range", b"bytes 0-99/200"))
    status, body = await through(upstream)
    assert status == 502
    assert b"unasked" in body
    assert upstream.closed
