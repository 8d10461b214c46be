"""The admin API: an exchange for a Unix socket that only its owner can reach."""

from __future__ import annotations

import traceback
from typing import Any

import msgspec

from entrepot.control import status
from entrepot.control.applying import Applied, Applier
from entrepot.control.coalesce import Coalesced
from entrepot.control.releases import Releases
from entrepot.http.bodies import read
from entrepot.http.context import context_of
from entrepot.http.problems import MethodNotAllowed, problem_response, response
from entrepot.ir.layout import Layout
from entrepot.model.fault import Fault
from entrepot.model.faults import Conflict, Internal, Malformed, UnknownOperation
from entrepot.ports.exchange import Request, Response
from entrepot.ports.faults import members_of

BODY_BYTES_MAX = 64 * 1024


class ApplyRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `POST /apply`."""

    dir: str
    """The project's directory, so that nobody applies one project and means another."""
    file: str = ""
    """What of it is meant, a Python file or the declaration; "" for whatever is served."""


class AdminApi:
    """`POST /apply`, `GET /status`, `GET /releases`."""

    def __init__(self, layout: Layout, serves: str, releases: Releases, applier: Applier) -> None:
        self._layout = layout
        self._serves = serves
        self._releases = releases
        self._apply: Coalesced[Applied] = Coalesced(applier.apply)

    async def __call__(self, request: Request) -> Response:
        """The answer to one request, or a problem."""
        try:
            content = msgspec.json.encode(await self._answer(request))
        except Fault as fault:
            return problem_response(fault, context_of(request))
        except Exception as error:
            traceback.print_exception(error)
            return _failure(error)
        return Response(200, [(b"content-type", b"application/json")], content)

    async def _answer(self, request: Request) -> Any:
        path = request.path.decode("latin-1")
        match request.method, path:
            case "POST", "/apply":
                return await self._apply_request(await read(request.body, BODY_BYTES_MAX))
            case "GET", "/status":
                return {"live": self._releases.live(), "processes": status.read(self._layout)}
            case "GET", "/releases":
                return self._releases.records()
            case _, "/apply" | "/status" | "/releases":
                raise MethodNotAllowed(f"{path} does not answer {request.method}")
            case _:
                raise UnknownOperation(f"there is no {path}; try /apply, /status or /releases")

    async def _apply_request(self, body: bytes) -> Applied:
        try:
            request = msgspec.json.decode(body, type=ApplyRequest)
        except ValueError as error:
            raise Malformed(f'the body must be {{"dir": …}}: {error}') from None
        if request.dir != str(self._layout.project):
            raise Conflict(f"this control runs {self._layout.project}, not {request.dir}")
        if request.file not in ("", self._serves):
            raise Conflict(f"{request.dir} serves {self._serves}, and {request.file} is not what it serves")
        return await self._apply.run()


def _failure(error: Exception) -> Response:
    """An internal fault with its reason: the caller is the project's owner, who needs it."""
    about = members_of(Internal())
    about.members["detail"] = f"control failed, its log tells more: {error}"
    return response(about, 500)
