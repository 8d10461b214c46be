"""The same attacks again and again, each with words of its own: what is held at rest does not grow with them."""

from __future__ import annotations

from typing import Any

from support.attacked import API
from support.processes import MIB
from support.raw_client import chunked, head

ROUNDS = 100
GROWTH_MAX = 6 * MIB
"""Most octets by which a process may grow at rest in so many rounds, in which about 12,000 new things are said."""


def attack(attacked: Any, mark: str) -> None:
    """One round; every name, path and value in it is new."""
    _in_requests(attacked, mark)
    _in_bodies(attacked, mark)
    _in_messages(attacked, mark)
    _in_failures(attacked, mark)
    _broken_off(attacked, mark)


def _in_requests(attacked: Any, mark: str) -> None:
    for path in (f"/{mark}", f"/api/{mark}/v1/x", f"{API}/{mark}", f"{API}/keys/{mark}", f"{API}/keys/%ff{mark}"):
        attacked.request("GET", path)
    attacked.request("GET", f"{API}/search?" + "&".join(f"{mark}{number}=1" for number in range(20)))
    attacked.request("GET", f"{API}/seen", b"", *(f"X-{mark}-{number}: {mark}" for number in range(20)))
    attacked.request(mark.upper(), f"{API}/keys/a")
    attacked.request("GET", f"{API}/nothing/{mark}", b"", f"traceparent: {mark}", f"Idempotency-Key: {mark}")


def _in_bodies(attacked: Any, mark: str) -> None:
    wrong = {f"{mark}{number}": number for number in range(50)}
    for body in (
        b'{"name":"' + mark.encode(),
        wrong,
        {"labels": wrong},
        {"code": "a" * 400 + mark},
        {"by_number": wrong},
    ):
        attacked.request("POST", f"{API}/things", body)
    attacked.request("POST", f"{API}/things", {"anything": wrong, "at": mark, "count": mark, "tree": {"name": [mark]}})
    attacked.request("POST", f"{API}/things", b"{}", content_type=f"application/{mark}")
    attacked.request("POST", f"{API}/uploads", mark.encode(), content_type=f"multipart/form-data; boundary={mark}")
    attacked.request(
        "POST", f"{API}/forms", f"{mark}=1&name={mark}".encode(), content_type="application/x-www-form-urlencoded"
    )


def _in_messages(attacked: Any, mark: str) -> None:
    call = '{"jsonrpc":"2.0","id":"%s","method":"%s","params":{"%s":1}}'
    attacked.rpc(f"target.{mark}", {mark: 1})
    attacked.rpc("target.key", {"key": mark, mark: mark})
    batch = [call % (f"{mark}{number}", f"target.{mark}{number}", mark) for number in range(20)]
    attacked.request("POST", "/jsonrpc", f"[{','.join(batch)}]".encode())


def _in_failures(attacked: Any, mark: str) -> None:
    for path in (f"crash?said={mark}", "raised/exit", "wrong/inside", f"mirrored?value={mark}%0a", "crashes"):
        attacked.request("GET", f"{API}/{path}")
    for path in ("/api/things/v1/things/html", "/api/away/v1/things/fine", f"/old/{mark}", "/old/raises"):
        attacked.request("GET", path)


def _broken_off(attacked: Any, mark: str) -> None:
    begun = (
        f"GET /{mark} HTTP/1.1\r\nHost: {mark}\r\nX-{mark}".encode(),
        head("POST", f"{API}/things", b"x" * 1000) + b'{"' + mark.encode(),
        chunked("PUT", f"{API}/blobs/{mark}") + b"5\r\n" + mark[:5].encode() + b"\r\n",
        head("GET", f"{API}/ticks?after={int(mark, 36) % 1000}", b""),
    )
    for octets in begun:
        with attacked.connect() as connection:
            connection.sendall(octets)


def test_attacks_leave_nothing_behind(attacked: Any) -> None:
    for number in range(ROUNDS):  # what is made on first use is made, and pools are as full as they get
        attack(attacked, f"w{number:05}")
    held = [process.memory for process in attacked.processes]
    for number in range(ROUNDS):
        attack(attacked, f"z{number:05}")
    for process, before in zip(attacked.processes, held, strict=True):
        grown = process.memory - before
        assert grown < GROWTH_MAX, f"{process.command[:100]} grew by {grown // 1024} KiB"
