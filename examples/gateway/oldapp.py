"""An application that was there before: plain WSGI, as Flask and Django speak it."""

from collections.abc import Callable, Iterable
from typing import Any


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("content-type", "text/plain")])
    return [f"the old application, at {environ['PATH_INFO']}\n".encode()]
