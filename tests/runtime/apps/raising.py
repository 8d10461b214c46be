"""Applications that raise whatever they are asked."""

from typing import Any, NoReturn


def wsgi(environ: dict[str, Any], start_response: Any) -> NoReturn:
    raise RuntimeError("the password is 12345")


async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    raise RuntimeError("the password is 12345")


def text(environ: dict[str, Any], start_response: Any) -> list[Any]:
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"begun", *["text"] * 100]
