"""Asking the control process of a running project, over its Unix socket."""

from __future__ import annotations

import asyncio
import http
import json
import time
from typing import Any

from entrepot.control import status
from entrepot.http.bodies import read
from entrepot.ir.layout import Layout
from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.kit.limits import DEFAULT_LIMITS
from entrepot.model.fault import Fault
from entrepot.ports.exchange import Request
from entrepot.wire.http1 import Http1Client
from entrepot.wire.pool import NotConnected

TIMEOUT = 120.0
"""Seconds: an apply takes as long as new workers need to start."""


NOT_RUNNING = "E914"
"""What is asked needs the running project, and no control process answers for it."""


class NotRunning(Refused):
    """No control process answers for the project."""

    def __init__(self, layout: Layout) -> None:
        message, remedy = "is not running", "Start it first: `entrepot serve` or `entrepot dev`."
        if status.runs_without_edge(layout):
            message = "runs without an edge (`--edge none`), and nothing is brought live while it does"
            remedy = "Stop it and start it again: it then serves what is on disk."
        super().__init__([Diagnostic(NOT_RUNNING, f"{layout.project} {message}", remedy=remedy)])


class ControlFailed(Exception):
    """Control answered with an error."""


def ask(layout: Layout, method: str, path: str, body: Any = None) -> Any:
    """The JSON answer to one request. Raises `NotRunning`, or `ControlFailed` with control's own words."""
    content = b"" if body is None else json.dumps(body).encode()
    request = Request(method, path.encode(), headers=_HEADERS, body=content, deadline=time.monotonic() + TIMEOUT)
    try:
        code, text = asyncio.run(_answer(layout, request))
        answer = json.loads(text)
    except NotConnected:
        raise NotRunning(layout) from None
    except (Fault, ValueError) as error:
        raise ControlFailed(f"control did not answer: {error}") from error
    if code != http.HTTPStatus.OK:
        raise ControlFailed(str(answer.get("detail", f"control answered {code}")))
    return answer


_HEADERS = [(b"content-type", b"application/json")]


async def _answer(layout: Layout, request: Request) -> tuple[int, bytes]:
    client = Http1Client(path=str(layout.control_socket))
    try:
        response = await client(request)
        return response.status, await read(response.body, DEFAULT_LIMITS.reply_bytes_max)
    finally:
        await client.close()
