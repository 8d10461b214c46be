"""One site for each test that asks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from support.edge import Site, edge_site


@pytest_asyncio.fixture
async def site() -> AsyncIterator[Site]:
    async with edge_site() as started:
        yield started
