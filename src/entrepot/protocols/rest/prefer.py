"""The answer that a caller prefers (RFC 7240): without a body; and which preferences were followed."""

from __future__ import annotations

from entrepot.http.preferences import preferences
from entrepot.model.headers import Headers
from entrepot.ports.exchange import Response
from entrepot.protocols.rest.body.body import NO_CONTENT

_OF_BODY = (b"content-type", b"content-length")
_HANDLING = ("strict", "lenient")
"""How what there is not is taken: refused, as always, or read over, as `parameters.head` does."""


def preferred(response: Response, headers: Headers, *, changes: bool) -> Response:
    """The answer to a request with these headers, which perhaps changed something."""
    said = preferences(headers)
    wanted, handling = said.get("return"), said.get("handling")
    followed = [f"handling={handling}"] if handling in _HANDLING else []
    if changes and wanted in ("minimal", "representation"):
        followed.append(f"return={wanted}")
        response = _without_body(response) if wanted == "minimal" else response
    if followed:
        response.headers.append((b"preference-applied", ", ".join(followed).encode()))
    return response


def _without_body(response: Response) -> Response:
    headers = [line for line in response.headers if line[0] not in _OF_BODY]
    if response.status == 200:
        return Response(NO_CONTENT, headers)
    return Response(response.status, [*headers, (b"content-length", b"0")])
