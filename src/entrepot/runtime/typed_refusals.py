"""What uvicorn itself refuses to read, told as everything else is."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from entrepot.http.problems import problem_response
from entrepot.model.call import Context
from entrepot.model.faults import Malformed


class TypedRefusals(HttpToolsProtocol):
    """uvicorn's protocol, whose refusals are problems and not a line of text."""

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  (it names the parser's classes)
        """Answer what is no HTTP/1.1, and close: where the next request would begin is not known."""
        problem = problem_response(Malformed("this cannot be read as HTTP/1.1"), Context())
        body = problem.body
        assert isinstance(body, bytes)
        headers = [*problem.headers, (b"content-length", b"%d" % len(body)), (b"connection", b"close")]
        lines = [b"HTTP/1.1 400 Bad Request", *(b"%s: %s" % header for header in headers)]
        self.transport.write(b"\r\n".join([*lines, b"", body]))
        self.transport.close()
