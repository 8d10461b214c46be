"""A worker as a process of its own, spoken to over its socket."""

from __future__ import annotations

import http.server
import json
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from entrepot.ir.worker import PythonSource, ServiceTable, UpstreamSource, WorkerIR
from support.tables import service_table, worker_pool, worker_table
from support.worker_process import WorkerProcess, started_worker, worker_process

APPS = Path(__file__).parent / "apps"
SECONDS_MAX = 10.0


def described() -> Any:
    sys.path.insert(0, str(APPS))
    try:
        import slow_shop
    finally:
        sys.path.remove(str(APPS))
    return slow_shop.shop.describe()


def table(**changes: Any) -> ServiceTable:
    service = described()
    return replace(service_table(service, source=PythonSource("slow_shop", "shop", ""), expose=("line",)), **changes)


def worker_ir(*tables: ServiceTable, threads: int = 2, **changes: Any) -> WorkerIR:
    return worker_table(services=tables or (table(),), pools=(worker_pool("operations", threads=threads),), **changes)


@pytest.fixture(scope="module")
def shared() -> Iterator[WorkerProcess]:
    with worker_process(worker_ir(), "operations", APPS) as worker:
        yield worker


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not file.exists():
        assert time.monotonic() < deadline, f"{file.name} did not appear"
        time.sleep(0.005)


def test_a_call_is_answered(shared: WorkerProcess) -> None:
    answer = shared.call("shop", "echo", text="hello")
    assert (answer.status, answer.json()) == (200, "hello")
    assert "server" not in answer.headers
    assert "date" not in answer.headers


def test_an_unknown_path_is_a_problem(shared: WorkerProcess) -> None:
    answer = shared.get("/nowhere")
    assert (answer.status, answer.json()["kind"]) == (404, "unknown_operation")


def test_a_crash_tells_nothing_and_its_trace_id_finds_the_log(shared: WorkerProcess) -> None:
    answer = shared.call("shop", "crash")
    assert (answer.status, answer.json()) == (500, {"kind": "internal"})
    record = next(record for record in shared.log() if record["logger"] == "entrepot.faults")
    assert (record["level"], record["operation"], len(record["trace_id"])) == ("error", "shop.crash", 32)
    assert "ValueError" in record["traceback"]
    assert "12345" not in record["message"]


def test_a_commit_that_fails_is_a_fault(shared: WorkerProcess) -> None:
    assert shared.call("shop", "commit", fails=False).status == 200
    answer = shared.call("shop", "commit", fails=True)
    assert (answer.status, answer.json()["detail"]) == (409, "the commit failed")


def test_a_deadline_that_passes_is_a_timeout(shared: WorkerProcess, tmp_path: Path) -> None:
    answer = shared.call("shop", "too_slow", directory=str(tmp_path))
    assert (answer.status, answer.json()["kind"]) == (504, "timeout")
    assert (tmp_path / "too_slow.cancelled").exists()


def test_a_caller_that_leaves_cancels_what_is_safe(shared: WorkerProcess, tmp_path: Path) -> None:
    caller = shared.begin("shop", "safe_wait", directory=str(tmp_path))
    wait_for(tmp_path / "safe_wait.begun")
    caller.close()
    wait_for(tmp_path / "safe_wait.cancelled")


def test_a_caller_that_leaves_does_not_cancel_what_is_not_safe(shared: WorkerProcess, tmp_path: Path) -> None:
    caller = shared.begin("shop", "unsafe_wait", directory=str(tmp_path))
    wait_for(tmp_path / "unsafe_wait.begun")
    caller.close()
    assert shared.call("shop", "too_slow", directory=str(tmp_path)).status == 504  # several sweeps later
    (tmp_path / "unsafe_wait.go_on").touch()
    wait_for(tmp_path / "unsafe_wait.ended")
    assert not (tmp_path / "unsafe_wait.cancelled").exists()


def test_a_reader_that_leaves_closes_its_stream(shared: WorkerProcess, tmp_path: Path) -> None:
    caller = shared.begin("shop", "count", directory=str(tmp_path), upto=3)
    wait_for(tmp_path / "count.begun")
    assert caller.recv(4096).startswith(b"HTTP/1.1 200")
    caller.close()
    wait_for(tmp_path / "count.closed")
    assert (tmp_path / "count.cancelled").exists()


def test_threads_are_bounded_and_the_event_loop_stays_free(tmp_path: Path) -> None:
    with worker_process(worker_ir(threads=1), "operations", APPS) as worker:
        callers = [worker.begin("shop", "block", directory=str(tmp_path)) for _ in range(9)]
        wait_for(tmp_path / "block.begun")
        refused = worker.call("shop", "block", directory=str(tmp_path))
        assert (refused.status, refused.json()["kind"]) == (503, "unavailable")
        assert worker.call("shop", "echo", text="free").status == 200
        (tmp_path / "block.go_on").touch()
        assert [caller.recv(64)[:12] for caller in callers] == [b"HTTP/1.1 200"] * 9


def test_sigterm_lets_calls_finish_and_closes_what_is_open(tmp_path: Path) -> None:
    with worker_process(worker_ir(), "operations", APPS) as worker:
        caller = worker.begin("shop", "unsafe_wait", directory=str(tmp_path))
        wait_for(tmp_path / "unsafe_wait.begun")
        worker.process.terminate()
        wait_until_refused(worker)
        (tmp_path / "unsafe_wait.go_on").touch()
        answer = received_by(caller)
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(b'"unsafe_wait"')
        assert worker.process.wait(SECONDS_MAX) == 0
        assert "the register is closed" in worker.printed()


def test_sigterm_ends_streams_with_a_fault_before_the_limit(tmp_path: Path) -> None:
    with worker_process(worker_ir(), "operations", APPS, drain_seconds=1) as worker:
        caller = worker.begin("shop", "count", directory=str(tmp_path), upto=2)
        wait_for(tmp_path / "count.begun")
        assert worker.stop() == 0
        received = received_by(caller)
        assert b'!{"kind":"unavailable"' in received
        assert received.endswith(b"0\r\n\r\n")
        assert (tmp_path / "count.closed").exists()


def test_sigterm_cancels_what_does_not_finish_within_the_limit(tmp_path: Path) -> None:
    with worker_process(worker_ir(), "operations", APPS, drain_seconds=1) as worker:
        worker.begin("shop", "unsafe_wait", directory=str(tmp_path))
        wait_for(tmp_path / "unsafe_wait.begun")
        assert worker.stop() == 0
        assert (tmp_path / "unsafe_wait.cancelled").exists()


def test_a_thread_that_never_ends_keeps_no_worker_alive(tmp_path: Path) -> None:
    with worker_process(worker_ir(), "operations", APPS, drain_seconds=1) as worker:
        worker.begin("shop", "block", directory=str(tmp_path))
        wait_for(tmp_path / "block.begun")
        assert worker.stop() == 0
        assert "are given up" in worker.printed()


def test_a_worker_refuses_code_that_is_not_what_was_sealed() -> None:
    service = described()
    changed = replace(service.operations[0], deprecated=True)
    other = replace(service, operations=(changed, *service.operations[1:-1]))
    with started_worker(worker_ir(table(service=other)), "operations", APPS) as worker:
        assert worker.process.wait(SECONDS_MAX) == 1
        printed = worker.printed()
        assert "E852" in printed
        assert f"operations added: {service.operations[-1].name}" in printed
        assert f"operations changed: {changed.name}" in printed


def test_an_operator_may_set_another_timeout(tmp_path: Path) -> None:
    service = described()
    quick = tuple(replace(operation, timeout=0.1) for operation in service.operations)
    with worker_process(worker_ir(table(service=replace(service, operations=quick))), "operations", APPS) as worker:
        assert worker.call("shop", "unsafe_wait", directory=str(tmp_path)).status == 504


@pytest.mark.parametrize(
    ("ir", "pool", "words"),
    [
        (lambda: worker_ir(), "others", "E854"),
        (lambda: worker_ir(table(source=PythonSource("slow_shop", "missing", ""))), "operations", "E851"),
        (lambda: worker_ir(table(source=UpstreamSource("line", "crm"))), "operations", "E855"),
        (lambda: worker_ir(table(source=PythonSource("no_such_module", "shop", ""))), "operations", "no_such_module"),
    ],
)
def test_a_worker_that_cannot_serve_says_why_and_does_not_start(ir: Any, pool: str, words: str) -> None:
    with started_worker(ir(), pool, APPS) as worker:
        assert worker.process.wait(SECONDS_MAX) == 1
        assert words in worker.printed()


def test_an_upstreams_service_is_called_through_the_egress(tmp_path: Path) -> None:
    upstream = replace(described(), name="crm")
    with started_egress(tmp_path) as (path, seen):
        ir = worker_ir(
            table(service=upstream, source=UpstreamSource("line", "crm", base_path="/base")),
        )
        with worker_process(ir, "operations", APPS, egress=path) as worker:
            answer = worker.call("crm", "echo", text="hello")
            assert (answer.status, answer.json()) == (200, "from the upstream")
            assert seen == [("/base/line/crm/echo", "crm.egress", {"text": "hello"})]


@contextmanager
def started_egress(directory: Path) -> Iterator[tuple[Path, list[tuple[str, str, Any]]]]:
    """An egress that answers every request itself, and the requests it has seen."""
    seen: list[tuple[str, str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            seen.append((self.path, self.headers["host"], json.loads(body)))
            self.send_response(200)
            self.send_header("x-entrepot-egress", "-")
            self.send_header("content-length", "19")
            self.end_headers()
            self.wfile.write(b'"from the upstream"')

        def log_message(self, *_: Any) -> None: ...

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

        def get_request(self) -> Any:
            request, _ = super().get_request()
            return request, ("egress", 0)

    path = directory / "egress.sock"
    with Server(str(path), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield path, seen
        server.shutdown()


def received_by(caller: socket.socket) -> bytes:
    """Everything until the worker closes the connection."""
    received = b""
    while chunk := caller.recv(4096):
        received += chunk
    return received


def wait_until_refused(worker: WorkerProcess) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        try:
            worker.get("/-/health")
        except OSError:
            return
        time.sleep(0.01)
    pytest.fail("the worker accepts connections still")


@pytest.mark.parametrize("octets", [b"\x00\x01\x02\r\n\r\n", b"FOO!/ HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"])
def test_what_is_no_http_is_a_problem_of_ours(shared: WorkerProcess, octets: bytes) -> None:
    with shared.send(octets) as connection, connection.makefile("rb") as answer:
        head, _, body = answer.read().partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 400 Bad Request"
    assert {b"content-type: application/problem+json", b"connection: close"} <= set(lines)
    assert json.loads(body)["kind"] == "malformed"
