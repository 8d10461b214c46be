"""A hosted application that tells what it was given."""

import json
from collections.abc import Callable, Iterable
from typing import Any


def raises(start_response: Callable[..., Any]) -> Iterable[bytes]:
    raise RuntimeError("the database at db.internal refused")


def raises_amid_the_answer(start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("content-type", "text/plain"), ("content-length", "1000")])
    yield b"begun"
    raise RuntimeError("the cursor at db.internal broke")


def exits(start_response: Callable[..., Any]) -> Iterable[bytes]:
    raise SystemExit("db.internal")


def is_interrupted(start_response: Callable[..., Any]) -> Iterable[bytes]:
    raise KeyboardInterrupt("db.internal")


def says_too_much(start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("content-type", "text/plain"), ("content-length", "5")])
    return [b"begun", b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nsmuggled"]


def says_too_little(start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("content-type", "text/plain"), ("content-length", "1000")])
    return [b"begun"]


def breaks_its_headers(start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("content-type", "text/plain"), ("x-evil", "a\r\nx-other: db.internal")])
    return [b"begun"]


def says_nothing(start_response: Callable[..., Any]) -> Iterable[bytes]:
    return []


def says_a_lot(start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("content-type", "text/plain"), ("content-length", str(128 * 65536))])
    return (b"x" * 65536 for _ in range(128))


MISDEEDS: dict[str, Callable[..., Iterable[bytes]]] = {
    "/raises": raises,
    "/raises-amid-the-answer": raises_amid_the_answer,
    "/exits": exits,
    "/is-interrupted": is_interrupted,
    "/says-too-much": says_too_much,
    "/says-too-little": says_too_little,
    "/breaks-its-headers": breaks_its_headers,
    "/says-nothing": says_nothing,
    "/says-a-lot": says_a_lot,
}


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """`/raises` and those below it do what their name says."""
    misdeed = MISDEEDS.get(environ["PATH_INFO"])
    if misdeed is not None:
        return misdeed(start_response)
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("content-type", "application/json")])
    told = {"path": environ["PATH_INFO"], "size": len(body)}
    told |= {name: value for name, value in environ.items() if name.startswith("HTTP_")}
    return [json.dumps(told).encode()]
