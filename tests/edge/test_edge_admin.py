"""The client of Envoy's admin socket."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from entrepot.edge import admin
from entrepot.edge.admin import Admin, AdminError
from support.edge import Site
from support.tables import edge_table


async def test_statistics_are_found_by_their_whole_name(site: Site) -> None:
    await site.start(edge_table(port=site.port))
    names = ["server.live", "listener_manager.lds.version_text", "server.no_such", "server"]
    found = await site.admin.statistics(names)
    assert found.keys() == set(names[:2])
    assert found["server.live"] == "1"
    assert len(found["listener_manager.lds.version_text"]) == 16


async def test_an_unknown_command_is_an_error(site: Site) -> None:
    await site.start(edge_table(port=site.port))
    with pytest.raises(AdminError, match="no_such"):
        await site.admin.switch("no_such")


async def test_no_envoy_is_an_error_that_asks_whether_it_runs(tmp_path: Path) -> None:
    with pytest.raises(AdminError, match="is it running"):
        await Admin(tmp_path / "admin.sock").statistics(["x"])


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"])
async def test_a_broken_answer_is_an_error(site: Site, answer: bytes) -> None:
    await _pretend(site, answer)
    with pytest.raises(AdminError, match="broke off"):
        await site.admin.statistics(["x"])


async def test_a_silent_envoy_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin, "REQUEST_TIMEOUT", 0.05)
    await _pretend(site, None)
    with pytest.raises(AdminError, match="does not answer"):
        await site.admin.statistics(["x"])


async def _pretend(site: Site, answer: bytes | None) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer is None:
            await reader.read(-1)
        else:
            writer.write(answer)
        writer.close()

    server = await asyncio.start_unix_server(serve, str(site.layout.edge_admin_socket))
    site.at_end(server.close)
