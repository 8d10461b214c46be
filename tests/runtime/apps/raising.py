"""Applications that raise whatever they are asked, and others that do not behave."""

from typing import Any, NoReturn


def wsgi(environ: dict[str, Any], start_response: Any) -> NoReturn:
    raise RuntimeError("the password is 12345")


async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    raise RuntimeError("the password is 12345")


def text(environ: dict[str, Any], start_response: Any) -> list[Any]:
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"begun", *["text"] * 100]


def claiming(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response(
        "200 OK", [("X-Envoy-Immediate-Health-Check-Fail", "1"), ("x-entrepot-operation", "x"), ("x-a", "1")]
    )
    return [b"told"]


async def endless(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while not scope["path"].endswith("/short"):
        await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
    await send({"type": "http.response.body", "body": b"short"})


def strange(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("1000 Strange", [])
    return [b"x"]
