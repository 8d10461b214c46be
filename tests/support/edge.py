"""A real Envoy in front of tiny servers that do what their path says.

async with edge_site() as site:
    worker = await site.worker("operations")
    await site.start(edge_table(port=site.port, routes=..., pools=("operations",)))
    answer = await site.get("/api/x")
"""

from __future__ import annotations

import asyncio
import json
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from entrepot.edge import run
from entrepot.edge.admin import Admin
from entrepot.edge.clusters import Workers
from entrepot.edge.deliver import Deliverer
from entrepot.edge.emit import cluster_file, clusters_in
from entrepot.edge.listeners import access_log
from entrepot.ir.edge import EdgeIR
from entrepot.ir.layout import Layout
from support.answer import Answer
from support.running import free_port

PATIENCE = 20.0
"""Seconds after which a test that waits has failed."""


@dataclass
class Seen:
    """A request as a server received it."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


@dataclass
class Origin:
    """A server that echoes, and obeys the first segment of its path.

    `/status/N` answers N. `/reset` reads the request and closes. `/hang` never answers. `/stream`
    sends a line each time `pulse` is set, until `over` is. Everything else is told back as JSON.
    """

    name: str
    healthy: bool = True
    holds: bool = False
    """Whether it never answers, whatever the path; its health apart."""
    turns_away: bool = False
    """Whether it closes every connection."""
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    pulse: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    answer_headers: tuple[tuple[str, str], ...] = ()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while not self.turns_away:
                request = await _read_request(reader)
                await self._answer(request, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, request: Seen, writer: asyncio.StreamWriter) -> None:
        if request.path == "/-/health":
            self._write(writer, 200 if self.healthy else 503, b"")
            return
        self.seen.append(request)
        words = request.path.split("?")[0].split("/")
        if "reset" in words:
            raise ConnectionResetError
        if self.holds or "hang" in words:
            await asyncio.Event().wait()
        if "stream" in words:
            await self._stream(writer)
        elif "status" in words:
            self._write(writer, int(words[-1]), b"{}")
        else:
            body = {"by": self.name, "method": request.method, "path": request.path, "headers": request.headers}
            self._write(writer, 200, b"" if request.method == "HEAD" else json.dumps(body).encode())

    def _write(self, writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
        extra = "".join(f"{name}: {value}\r\n" for name, value in self.answer_headers)
        head = f"HTTP/1.1 {status} S\r\ncontent-type: application/json\r\n{extra}content-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        writer.write(b"6\r\nbegin\n\r\n")
        while not self.over.is_set():
            await self.pulse.wait()
            self.pulse.clear()
            writer.write(b"5\r\nbeat\n\r\n")
        writer.write(b"0\r\n\r\n")


async def _read_request(reader: asyncio.StreamReader) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in head[1:] if line)]
    length = next((int(value) for name, value in headers if name == "content-length"), 0)
    body = await reader.readexactly(length)
    if ("transfer-encoding", "chunked") in headers:
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    return Seen(method, path, headers, body)


class Site:
    """The directories of one project, its servers, and an Envoy in front of them."""

    def __init__(self, directory: Path, stack: AsyncExitStack) -> None:
        self.layout = Layout(directory, directory / "state", directory / "run")
        for each in (self.layout.edge, self.layout.logs, self.layout.run, self.layout.files):
            each.mkdir(mode=0o700, parents=True)
        self.port = free_port()
        self.binary = run.binary()
        self.deliverer = Deliverer(self.layout, self.binary)
        self.admin = Admin(self.layout.edge_admin_socket)
        self.workers = Workers("g1", {})
        self._stack = stack
        self._stack.callback(run.forget, self.layout)
        self._process: asyncio.subprocess.Process | None = None

    async def worker(self, pool: str, generation: str = "g1", index: int = 0) -> Origin:
        """A worker that listens on its socket, known to `workers` when of the present generation."""
        origin = Origin(f"{pool}-{generation}-{index}")
        socket = self.layout.worker_socket(generation, pool, index)
        server = await asyncio.start_unix_server(origin.serve, str(socket))
        self._stack.callback(server.close)
        sockets = dict(self.workers.sockets) if generation == self.workers.generation else {}
        sockets[pool] = (*sockets.get(pool, ()), socket)
        self.workers = Workers(generation, sockets)
        return origin

    async def upstream(self, name: str = "upstream", tls: ssl.SSLContext | None = None) -> tuple[Origin, int]:
        """A server on the loopback, and its port."""
        origin = Origin(name)
        server = await asyncio.start_server(origin.serve, "127.0.0.1", 0, ssl=tls)
        self._stack.callback(server.close)
        return origin, server.sockets[0].getsockname()[1]

    async def start(self, edge: EdgeIR, *, ready: bool = True) -> None:
        """Envoy on this release, ready to serve."""
        self.deliverer.start_files(edge, self.workers)
        await self.start_envoy()
        outcome = await self.deliverer.confirm()
        assert outcome.state == "live", outcome.reason
        if ready:
            await self.until_ready()

    async def start_envoy(self, epoch: int = 0) -> None:
        """Envoy on the files as they are; of another epoch, in the place of the one before."""
        command = run.command(self.layout, self.binary, epoch=epoch, drain_seconds=1, leave_seconds=60)
        self._process = await asyncio.create_subprocess_exec(*command, env=run.environment())
        self._stack.push_async_callback(self._stop, self._process)

    def at_end(self, closing: Callable[[], object]) -> None:
        """Call this when the test is over."""
        self._stack.callback(closing)

    async def envoy_ended(self) -> int:
        """The exit code of the one started last."""
        assert self._process is not None
        return await asyncio.wait_for(self._process.wait(), PATIENCE)

    async def kill_envoy(self) -> None:
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def terminate_envoy(self) -> int:
        assert self._process is not None
        self._process.terminate()
        return await self._process.wait()

    async def until_ready(self, status: int = 200) -> None:
        """Return when `/-/ready` answers so."""
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(OSError):
                    if (await self.get("/-/ready")).status == status:
                        return
                await asyncio.sleep(0.01)

    def statistic_of(self, upstream: str, name: str) -> str:
        """The full name of a statistic of an upstream's cluster."""
        [cluster] = [each for each in clusters_in(self._clusters()) if each.startswith(f"upstream-{upstream}-")]
        return f"cluster.{cluster}.{name}"

    def _clusters(self) -> bytes:
        return (self.layout.edge / cluster_file({}).path).read_bytes()

    async def until_statistic(self, name: str, value: str) -> None:
        """Return when one of Envoy's statistics has this value."""
        async with asyncio.timeout(PATIENCE):
            while True:
                if (await self.admin.statistics([name])).get(name) == value:
                    return
                await asyncio.sleep(0.01)

    async def get(self, path: str, *headers: str, method: str = "GET", body: bytes = b"") -> Answer:
        """Send one request to the ingress on a connection of its own."""
        return await self.send(request_bytes(path, *headers, method=method, body=body))

    async def send(self, octets: bytes) -> Answer:
        """Send any bytes to the ingress and read until it closes."""
        return await _exchange(*await asyncio.open_connection("127.0.0.1", self.port), octets)

    async def egress(self, host: str, path: str, *headers: str, method: str = "GET", body: bytes = b"") -> Answer:
        """Send one request the way a worker does."""
        octets = request_bytes(path, *headers, host=f"{host}.egress", method=method, body=body)
        return await _exchange(*await asyncio.open_unix_connection(str(self.layout.egress_socket)), octets)

    async def logged(self, listener: str, count: int) -> list[dict[str, Any]]:
        """The access log of a listener, once it has so many lines."""
        async with asyncio.timeout(PATIENCE):
            while True:
                lines = _lines(access_log(self.layout, listener))
                if len(lines) >= count:
                    return lines
                await asyncio.sleep(0.02)

    async def _stop(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


@asynccontextmanager
async def edge_site() -> AsyncIterator[Site]:
    """A site in a directory whose name is short, as the paths of Unix sockets must be."""
    with tempfile.TemporaryDirectory(prefix="e-") as directory:
        async with AsyncExitStack() as stack:
            yield Site(Path(directory), stack)


async def until(condition: Callable[[], bool]) -> None:
    """Return when what others do has made the condition true."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if condition():
                return
            await asyncio.sleep(0.002)


def request_bytes(path: str, *headers: str, host: str = "edge.test", method: str = "GET", body: bytes = b"") -> bytes:
    """An HTTP/1.1 request that asks for the connection's end."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, octets: bytes) -> Answer:
    try:
        writer.write(octets)
        async with asyncio.timeout(PATIENCE):
            return await read_answer(reader, bodiless=octets.startswith(b"HEAD "))
    except asyncio.IncompleteReadError as error:
        raise ConnectionError(f"no whole response, only {error.partial[:100]!r}") from error
    finally:
        writer.close()


async def read_answer(reader: asyncio.StreamReader, *, bodiless: bool = False) -> Answer:
    """The next response; its body as long as it says, or to the connection's end."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    length = "0" if bodiless else headers.get("content-length")
    body = await reader.read(-1) if length is None else await reader.readexactly(int(length))
    return Answer(int(head[0].split(" ")[1]), headers, body)
