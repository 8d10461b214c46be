"""The admin API: an exchange for a Unix socket that only its owner can reach."""

from __future__ import annotations

import traceback
from typing import Any, TypeVar

import msgspec

from entrepot.control import status
from entrepot.control.applying import Applied, Applier
from entrepot.control.coalesce import Coalesced
from entrepot.control.releases import NoSuchRelease, Releases
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


_Asked = TypeVar("_Asked", bound=ApplyRequest)


class RollbackRequest(ApplyRequest):
    """The body of `POST /rollback`."""

    number: int = 0
    """The release to bring live again; 0 for the one that served before."""


class DiffRequest(ApplyRequest):
    """The body of `POST /diff`."""

    number: int = 0
    """The release that what is on disk is held against; 0 for the one that serves."""


class AdminApi:
    """`POST /apply`, `/rollback` and `/diff`, `GET /status`."""

    def __init__(self, layout: Layout, serves: str, releases: Releases, applier: Applier) -> None:
        self._layout = layout
        self._serves = serves
        self._releases = releases
        self._applier = applier
        self._apply: Coalesced[Applied] = Coalesced(applier.apply)

    async def __call__(self, request: Request) -> Response:
        """The answer to one request, or a problem."""
        try:
            content = msgspec.json.encode(await self._answer(request))
        except NoSuchRelease as error:
            return problem_response(UnknownOperation(str(error)), context_of(request))
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
                await self._asked(request, ApplyRequest)
                return await self._apply.run()
            case "POST", "/rollback":
                return await self._applier.rollback((await self._asked(request, RollbackRequest)).number)
            case "POST", "/diff":
                return await self._applier.unapplied((await self._asked(request, DiffRequest)).number)
            case "GET", "/status":
                return {"live": self._releases.live(), "processes": status.read(self._layout)}
            case "GET", "/releases":
                return self._releases.records()
            case _, "/apply" | "/rollback" | "/diff" | "/status" | "/releases":
                raise MethodNotAllowed(f"{path} does not answer {request.method}")
            case _:
                raise UnknownOperation(f"there is no {path}; try /apply, /rollback, /diff, /status or /releases")

    async def _asked(self, request: Request, kind: type[_Asked]) -> _Asked:
        """The body, which names the project that is meant."""
        body = await read(request.body, BODY_BYTES_MAX)
        try:
            asked = msgspec.json.decode(body, type=kind)
        except ValueError as error:
            raise Malformed(f'the body must be {{"dir": …}}: {error}') from None
        if asked.dir != str(self._layout.project):
            raise Conflict(f"this control runs {self._layout.project}, not {asked.dir}")
        if asked.file not in ("", self._serves):
            raise Conflict(f"{asked.dir} serves {self._serves}, and {asked.file} is not what it serves")
        return asked


def _failure(error: Exception) -> Response:
    """An internal fault with its reason: the caller is the project's owner, who needs it."""
    about = members_of(Internal())
    about.members["detail"] = f"control failed, its log tells more: {error}"
    return response(about, 500)
