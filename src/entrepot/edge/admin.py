"""A client of Envoy's admin interface, which answers on a Unix socket only."""

from __future__ import annotations

import asyncio
import http.client
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import quote

REQUEST_TIMEOUT = 2.0
"""Seconds for one request."""


Kind = Literal["All", "Counters", "Gauges", "TextReadouts"]
_NAMES_AT_ONCE = 200
"""Of statistics that are asked for: an address may be only so long."""


class AdminError(Exception):
    """Envoy did not answer, or not with success."""


class Admin:
    """Envoy's statistics and switches."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def statistics(self, names: Sequence[str], kind: Kind = "All") -> dict[str, str]:
        """The present values of these statistics as texts; one that does not exist is absent.

        Envoy looks at each that it has, of that kind: at a hundred counters for each upstream, and at hardly any text.
        """
        found: dict[str, str] = {}
        for start in range(0, len(names), _NAMES_AT_ONCE):
            pattern = "^(?:" + "|".join(map(re.escape, names[start : start + _NAMES_AT_ONCE])) + ")$"
            text = await self._request("GET", f"/stats?type={kind}&filter={quote(pattern, safe='')}")
            pairs = (line.partition(": ") for line in text.decode().splitlines())
            found |= {name: value.strip('"') for name, _, value in pairs}
        return found

    async def answers(self) -> bool:
        """Whether there is one that answers."""
        try:
            await self.statistics(["server.live"], "Gauges")
        except AdminError:
            return False
        return True

    async def switch(self, command: str) -> None:
        """Do what `command` names, such as `healthcheck/fail`."""
        await self._request("POST", f"/{command}")

    async def _request(self, method: str, target: str) -> bytes:
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT):
                answer = await self._exchange(method, target)
        except (OSError, TimeoutError) as error:
            raise AdminError(f"Envoy does not answer on {self._socket}: is it running? ({error})") from error
        return _content(answer, target)

    async def _exchange(self, method: str, target: str) -> bytes:
        reader, writer = await asyncio.open_unix_connection(str(self._socket))
        try:
            head = f"{method} {target} HTTP/1.1\r\nHost: admin\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            writer.write(head.encode())
            return await reader.read(-1)
        finally:
            writer.close()


class _Received:
    """Octets in the place of a socket, which is all that `HTTPResponse` reads from."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def makefile(self, *_: object) -> io.BytesIO:
        return io.BytesIO(self._octets)


def _content(answer: bytes, target: str) -> bytes:
    response = http.client.HTTPResponse(_Received(answer))  # type: ignore[arg-type]
    try:
        response.begin()
        content = response.read()
    except (http.client.HTTPException, OSError) as error:
        raise AdminError(f"Envoy's answer to {target} broke off: {error!r}") from error
    if response.status != 200:
        raise AdminError(f"Envoy answered {response.status} to {target}: {content[:200].decode(errors='replace')}")
    return content
