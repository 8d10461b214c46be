"""Applications that raise whatever they are asked."""

from typing import Any, NoReturn


def wsgi(environ: dict[str, Any], start_response: Any) -> NoReturn:
    raise RuntimeError("the password is 12345")


async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    raise RuntimeError("the password is 12345")
