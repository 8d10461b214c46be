"""Parts of a file: what GET with Range is answered with (RFC 9110, §14).

One range is answered with that part. Where a caller asks for several, or in other units, the whole
is sent, as §14.2 allows; so it is when the file has changed since the caller had a part of it (If-Range).
"""

from __future__ import annotations

import re

from entrepot.http.bodies import close
from entrepot.http.headers import HeaderMap
from entrepot.http.problems import HttpOnly, problem_response
from entrepot.model.call import Context
from entrepot.model.faults import Rejected
from entrepot.model.file import File
from entrepot.model.headers import header
from entrepot.ports.exchange import Request, Response

_ONE_RANGE = re.compile(rb"[ \t]*bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)


class NoSuchRange(HttpOnly, Rejected):
    """The file has no octet of those that the caller asks for."""

    http_status = 416


async def part_of(response: Response, file: File, request: Request, headers: HeaderMap, context: Context) -> Response:
    """The part of a file that the request asks for, of which `response` is the whole."""
    size = file.size
    if request.method != "GET" or response.status != 200 or size is None:
        return response
    wanted = _offsets(headers[b"range"], size)
    if wanted is None or not _is_present(headers.get(b"if-range"), response):
        return response
    start, stop = wanted
    if start >= stop:
        await close(response.body)
        fault = NoSuchRange(f"the file has {size} bytes, and none of those asked for")
        return problem_response(fault, context, [(b"content-range", b"bytes */%d" % size)])
    described = [pair for pair in response.headers if pair[0] != b"content-length"]
    about = [
        (b"content-length", b"%d" % (stop - start)),
        (b"content-range", b"bytes %d-%d/%d" % (start, stop - 1, size)),
    ]
    return Response(206, about + described, file.open(start, stop))


def _offsets(field: bytes, size: int) -> tuple[int, int] | None:
    """The first octet and the one after the last; None where Range says nothing that is taken."""
    match = _ONE_RANGE.fullmatch(field)
    if match is None or match[0].strip().endswith(b"=-"):
        return None
    first, last = match.groups()
    if not first:
        return max(0, size - int(last)), size
    if last and int(last) < int(first):
        return None
    return int(first), min(size, int(last) + 1) if last else size


def _is_present(if_range: bytes | None, response: Response) -> bool:
    """Whether what the caller has a part of is what there is now (RFC 9110, §13.1.5)."""
    return if_range is None or if_range.strip() in (
        header(response.headers, b"etag"),
        header(response.headers, b"last-modified"),
    )
