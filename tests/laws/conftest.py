"""One edge for all laws; and what the laws left out: clients refuse to send what their protocol has no place for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.laws import Sent
from support.through_edge import Edge

LEFT_OUT: list[Sent] = []


@pytest.fixture(scope="session")
def edge() -> Iterator[Edge]:
    with Edge() as started:
        yield started


@pytest.fixture
def sent(request: pytest.FixtureRequest) -> Iterator[Sent]:
    """Counts refused examples; a law that leaves out many of them fails."""
    counted = Sent(request.node.name)
    LEFT_OUT.append(counted)
    yield counted
    assert counted.share <= Sent.SHARE_MAX, str(counted)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for counted in LEFT_OUT:
        terminalreporter.write_line(str(counted))
