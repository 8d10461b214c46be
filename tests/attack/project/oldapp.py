"""A hosted application that tells what it was given."""

import json
from collections.abc import Callable, Iterable
from typing import Any


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("content-type", "application/json")])
    told = {"path": environ["PATH_INFO"], "size": len(body)}
    told |= {name: value for name, value in environ.items() if name.startswith("HTTP_")}
    return [json.dumps(told).encode()]
