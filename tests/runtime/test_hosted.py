"""Real applications, hosted in worker processes of their own."""

from __future__ import annotations

import http.client
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from support.tables import worker_pool, worker_table
from support.worker_process import WorkerProcess, started_worker, worker_process

APPS = Path(__file__).parent / "apps"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
BEHIND_EDGE = {"host": "shop.example", "x_forwarded_proto": "https", "x_forwarded_for": "192.0.2.7"}


@contextmanager
def hosted(
    kind: Any, app: str, mount: str = "/old", threads: int = 2, limits: Limits = DEFAULT_LIMITS
) -> Iterator[WorkerProcess]:
    pool = worker_pool("old", kind=kind, app=app, mount=mount, threads=threads)
    with worker_process(worker_table(pools=(pool,), limits=limits), "old", APPS) as worker:
        yield worker


@pytest.fixture(scope="module")
def flask() -> Iterator[WorkerProcess]:
    with hosted("wsgi", "flask_app:app") as worker:
        yield worker


@pytest.fixture(scope="module")
def fastapi() -> Iterator[WorkerProcess]:
    with hosted("asgi", "fastapi_app:app") as worker:
        yield worker


def test_flask_finds_its_prefix_and_its_caller(flask: WorkerProcess) -> None:
    assert flask.get("/old/hello/%C3%A9t%C3%A9?q=a%20b", **BEHIND_EDGE).json() == {
        "name": "été",
        "script_name": "/old",
        "path": "/hello/été",
        "query": "a b",
        "url": "/old/hello/x",
        "scheme": "https",
        "caller": "192.0.2.7",
        "external": "https://shop.example/old/hello/x",
    }


def test_flask_gets_a_body_and_gives_headers(flask: WorkerProcess) -> None:
    body = bytes(range(256)) * 1000
    answer = flask.request("POST", "/old/echo", body, content_type="application/x-thing")
    assert (answer.status, answer.body) == (200, body)
    assert (answer.headers["content-type"], answer.headers["x-one"]) == ("application/x-thing", "1")


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 131_072, 1_000_000])
def test_a_body_of_any_size_arrives_whole(flask: WorkerProcess, size: int) -> None:
    body = b"x" * size
    assert flask.request("POST", "/old/echo", body, content_type="text/plain").body == body


def test_a_body_longer_than_a_file_may_be_is_refused() -> None:
    with hosted("wsgi", "flask_app:app", limits=Limits(file_bytes_max=100_000)) as worker:
        assert worker.request("POST", "/old/echo", b"x" * 100_000, content_type="text/plain").status == 200
        refused = worker.request("POST", "/old/echo", b"x" * 100_001, content_type="text/plain")
        assert (refused.status, refused.json()["detail"]) == (413, "the body is longer than 100000 bytes")


def test_callers_that_stall_in_their_body_take_no_thread() -> None:
    with hosted("wsgi", "flask_app:app", threads=1) as worker, ExitStack() as held:
        for _ in range(20):
            held.enter_context(worker.send(b"POST /old/echo HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nx"))
        assert worker.get("/old/hello/x").status == 200


def test_callers_that_do_not_read_take_no_thread() -> None:
    with hosted("wsgi", "flask_app:app", threads=1) as worker, ExitStack() as held:
        for _ in range(5):
            held.enter_context(worker.send(b"GET /old/ample HTTP/1.1\r\nhost: a\r\n\r\n"))
        assert worker.get("/old/hello/x").status == 200


@pytest.mark.parametrize(
    ("kind", "app", "other"),
    [
        ("wsgi", "flask_app:app", "hello/x"), ("asgi", "fastapi_app:app", "hello/x"),
        ("asgi", "raising:endless", "short"),
    ],
)  # fmt: skip
def test_an_answer_without_an_end_ends_with_its_caller(kind: str, app: str, other: str) -> None:
    with hosted(kind, app, threads=1) as worker:
        with worker.send(b"GET /old/endless HTTP/1.1\r\nhost: a\r\n\r\n") as caller:
            assert caller.recv(1000)
        assert worker.get(f"/old/{other}").status == 200
        assert worker.stop() == 0
        assert "Traceback" not in worker.printed()


def test_an_answer_that_is_no_octets_breaks_off_and_keeps_no_thread() -> None:
    with hosted("wsgi", "raising:text", threads=1) as worker:
        for _ in range(2):
            with pytest.raises(http.client.IncompleteRead):
                worker.get("/old/x")
        worker.stop()
        assert "the application answered with str in the place of bytes" in worker.printed()


def test_an_application_says_nothing_in_the_name_of_the_edge() -> None:
    with hosted("wsgi", "raising:claiming") as worker:
        assert worker.get("/old/x").headers.keys() == {"x-a", "transfer-encoding"}


def test_a_status_that_never_arrives_is_found_by_the_trace_id() -> None:
    with hosted("wsgi", "raising:strange", threads=1) as worker:
        for _ in range(3):
            assert worker.get("/old/x", traceparent=TRACEPARENT).json()["trace_id"] == TRACEPARENT[3:35]
        worker.stop()
        assert "the application answered with the status 1000" in worker.printed()


@pytest.mark.parametrize("unsent_max", [70_000, 100_000_000])
def test_an_answer_arrives_whole_however_little_of_it_may_wait(unsent_max: int) -> None:
    with hosted("wsgi", "flask_app:app", limits=Limits(file_bytes_max=unsent_max)) as worker:
        assert worker.get("/old/ample").body == b"".join(b"%07d\n" % number * 1000 for number in range(1000))


def test_each_chunk_is_sent_as_it_comes(flask: WorkerProcess) -> None:
    with flask.send(b"GET /old/slowly HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n") as caller:
        reader = caller.makefile("rb")
        while reader.readline() != b"\r\n":
            pass
        assert reader.read(len(b"5\r\nfirst\r\n")) == b"5\r\nfirst\r\n"
        assert flask.get("/old/open").body == b"opened"
        assert reader.read() == b"4\r\nlast\r\n0\r\n\r\n"


def test_flask_streams(flask: WorkerProcess) -> None:
    assert flask.get("/old/stream").body == "".join(map(str, range(1000))).encode()


def test_a_crash_shows_nothing(flask: WorkerProcess) -> None:
    answer = flask.get("/old/crash")
    assert answer.status == 500
    assert b"12345" not in answer.body


def test_an_application_that_raises_is_found_by_the_trace_id() -> None:
    """WSGI and ASGI, outside any framework that would answer for it."""
    for kind in ("wsgi", "asgi"):
        with hosted(kind, f"raising:{kind}") as worker:
            answer = worker.get("/old/x", traceparent=TRACEPARENT)
            assert (answer.status, answer.json()["kind"]) == (500, "internal")
            assert answer.json()["trace_id"] == TRACEPARENT[3:35]
            assert b"12345" not in answer.body
            worker.stop()
            assert TRACEPARENT[3:35] in worker.printed()
            assert "the password is 12345" in worker.printed()


def test_outside_the_prefix_there_is_nothing(flask: WorkerProcess) -> None:
    assert flask.get("/older/hello/x").status == 404
    assert flask.get("/hello/x").status == 404
    assert flask.get("/old").status in (308, 404)


def test_health_is_answered_before_the_application(flask: WorkerProcess) -> None:
    assert flask.get("/-/health").body == b"ok\n"
    assert flask.get("/old/-/health").body == b"the application's own"


def test_requests_beyond_the_threads_and_their_queue_are_refused() -> None:
    with hosted("wsgi", "flask_app:app", threads=1) as worker:
        request = b"GET /old/wait HTTP/1.1\r\nhost: w\r\n\r\n"
        callers = [worker.send(request) for _ in range(12)]
        refused: set[socket.socket] = set()
        while len(refused) < 3:
            answered, _, _ = select.select([each for each in callers if each not in refused], [], [], 10)
            assert answered
            refused.update(answered)
        assert {caller.recv(4096)[:12] for caller in refused} == {b"HTTP/1.1 503"}
        assert len(refused) == 3
        assert worker.get("/-/health").status == 200
        for caller in callers:
            caller.close()


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_django_finds_its_prefix(kind: str) -> None:
    with hosted(kind, f"django_app:{kind}") as worker:
        assert worker.get("/old/hello/ann?q=a%20b").json() == {
            "name": "ann",
            "script_name": "/old",
            "path_info": "/hello/ann",
            "url": "/old/hello/x",
            "query": "a b",
        }
        answer = worker.request("POST", "/old/echo", b"hello", content_type="text/plain")
        assert (answer.status, answer.body) == (200, b"hello")
        assert worker.get("/old/nothing").status == 404
        assert worker.stop() == 0


def test_fastapi_finds_its_prefix_and_has_been_started(fastapi: WorkerProcess) -> None:
    assert fastapi.get("/old/hello/ann?q=x", **BEHIND_EDGE).json() == {
        "name": "ann",
        "root_path": "/old",
        "url": "https://shop.example/old/hello/x",
        "query": "x",
        "state": ["started"],
        "caller": "192.0.2.7",
    }


def test_fastapi_gets_a_body_and_streams(fastapi: WorkerProcess) -> None:
    assert fastapi.request("POST", "/old/echo", b"hello").json() == {"body": "hello"}
    assert fastapi.get("/old/stream").body == "".join(map(str, range(1000))).encode()


def test_an_application_is_stopped_by_its_lifespan() -> None:
    with hosted("asgi", "fastapi_app:app") as worker:
        assert worker.stop() == 0
        assert "the application has stopped" in worker.printed()


def test_an_application_may_be_served_at_the_root() -> None:
    with hosted("wsgi", "flask_app:app", mount="") as worker:
        answer = worker.get("/hello/ann").json()
        assert (answer["script_name"], answer["path"], answer["url"]) == ("", "/hello/ann", "/hello/x")


@pytest.mark.parametrize("app", ["no_such_app:app", "flask_app:no_such_name"])
def test_an_application_that_is_not_there_does_not_start(app: str) -> None:
    pool = worker_pool("old", kind="wsgi", app=app, mount="/old")
    with started_worker(worker_table(pools=(pool,)), "old", APPS) as worker:
        assert worker.process.wait(10) == 1
        assert "no_such" in worker.printed()
