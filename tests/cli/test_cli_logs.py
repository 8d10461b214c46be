"""Logs at a terminal are for a person; elsewhere they stay as they are."""

from __future__ import annotations

import json
import logging

from click import unstyle

from entrepot.cli.logs import readable
from entrepot.runtime.logs import JsonLines
from support.running import Running


def logged(**extra: str) -> str:
    record = logging.makeLogRecord({"name": "entrepot.runtime", "levelname": "ERROR", "msg": "it failed", **extra})
    return JsonLines().format(record)


def test_a_record_is_told_in_a_line() -> None:
    told = unstyle(readable(logged(operation="shop.product", trace_id="4bf9")))
    assert told[8:] == " error it failed (in shop.product, trace 4bf9)"
    assert unstyle(readable(logged()))[8:] == " error it failed"


def test_a_traceback_stands_below_its_line_as_python_shows_it() -> None:
    try:
        raise RuntimeError("no stock")
    except RuntimeError as error:
        exc_info = (type(error), error, error.__traceback__)
    record = logging.makeLogRecord({"levelname": "ERROR", "msg": "it failed", "exc_info": exc_info})
    first, *rest = unstyle(readable(JsonLines().format(record))).splitlines()
    assert first.endswith("error it failed")
    assert rest[0] == "  Traceback (most recent call last):"
    assert rest[-1] == "  RuntimeError: no stock"


def test_a_request_is_told_by_method_path_status_and_milliseconds() -> None:
    record = {"time": "2024-01-31T12:30:00.5Z", "method": "GET", "path": "/a\x1b", "status": 503, "duration_ms": 12}
    told = readable(json.dumps(record | {"client": "127.0.0.1"}))
    assert unstyle(told)[8:] == r" GET /a\u001b 503 12 ms"
    assert "\x1b[31m503" in told


def test_dev_shows_every_request(running_shop: Running) -> None:
    path = "/api/shop/v1/products/777001"
    assert running_shop.get(path).status == 404
    said = running_shop.printed(until=path)
    [line] = [line for line in said.splitlines() if path in line and line.startswith("ingress ")]
    assert unstyle(readable(line.removeprefix("ingress "))).split()[1:4] == ["GET", path, "404"]


def test_what_is_no_record_stays_as_it_is() -> None:
    for line in ("", "Started.", "{", "[1]", json.dumps({"message": "of another program"}), '{"a": 1}'):
        assert readable(line) == line


def test_what_a_caller_has_sent_cannot_steer_the_terminal() -> None:
    record = logging.makeLogRecord({"levelname": "ERROR", "msg": "no \x1b[2J\nerror of another"})
    assert unstyle(readable(JsonLines().format(record)))[8:] == r" error no \u001b[2J\nerror of another"
