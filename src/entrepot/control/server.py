"""The admin API: a small ASGI application on a Unix socket that only its owner can reach."""

from __future__ import annotations

import http
import traceback
from typing import Any

import msgspec

from entrepot.control import status
from entrepot.control.applying import Applied, Applier
from entrepot.control.coalesce import Coalesced
from entrepot.control.releases import Releases
from entrepot.ir.layout import Layout
from entrepot.wire.asgi import Receive, Scope, Send

BODY_BYTES_MAX = 64 * 1024


class CannotAnswer(Exception):
    """A request that cannot be answered as asked."""

    def __init__(self, code: http.HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class ApplyRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `POST /apply`."""

    dir: str
    """The project's directory, so that nobody applies one project and means another."""


class AdminApi:
    """`POST /apply`, `GET /status`, `GET /releases`."""

    def __init__(self, layout: Layout, releases: Releases, applier: Applier) -> None:
        self._layout = layout
        self._releases = releases
        self._apply: Coalesced[Applied] = Coalesced(applier.apply)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3.0)."""
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope["method"], scope["path"], receive)
            await _send_json(send, http.HTTPStatus.OK, answer)
        except CannotAnswer as reason:
            await _send_json(send, reason.code, {"detail": str(reason)})
        except Exception as error:  # the caller is the project's owner, who needs the reason
            traceback.print_exception(error)
            detail = f"control failed, its log tells more: {error}"
            await _send_json(send, http.HTTPStatus.INTERNAL_SERVER_ERROR, {"detail": detail})

    async def _answer(self, method: str, path: str, receive: Receive) -> Any:
        match method, path:
            case "POST", "/apply":
                return await self._apply_request(await _read(receive))
            case "GET", "/status":
                return {"live": self._releases.live(), "processes": status.read(self._layout)}
            case "GET", "/releases":
                return self._releases.records()
            case _, "/apply" | "/status" | "/releases":
                raise CannotAnswer(http.HTTPStatus.METHOD_NOT_ALLOWED, f"{path} does not answer {method}")
            case _:
                raise CannotAnswer(http.HTTPStatus.NOT_FOUND, f"there is no {path}; try /apply, /status or /releases")

    async def _apply_request(self, body: bytes) -> Applied:
        try:
            request = msgspec.json.decode(body, type=ApplyRequest)
        except ValueError as error:
            raise CannotAnswer(http.HTTPStatus.BAD_REQUEST, f'the body must be {{"dir": …}}: {error}') from None
        if request.dir != str(self._layout.project):
            detail = f"this control runs {self._layout.project}, not {request.dir}"
            raise CannotAnswer(http.HTTPStatus.CONFLICT, detail)
        return await self._apply.run()


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_BYTES_MAX:
            raise CannotAnswer(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {BODY_BYTES_MAX} bytes")
        if not message.get("more_body", False):
            return bytes(body)


async def _send_json(send: Send, code: http.HTTPStatus, answer: Any) -> None:
    content = msgspec.json.encode(answer)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": content})
