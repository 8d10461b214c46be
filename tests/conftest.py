"""Rules for the whole suite."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Generator, Iterator, Mapping

import pytest
import uvloop
from hypothesis import HealthCheck, settings

from support.running import Running, running_example

CI = os.environ.get("CI") == "true"

ON_BOTH_LOOPS = ("test_http1", "test_egress")
"""Whatever is near sockets of our own is tested on both event loops."""

settings.register_profile("entrepot", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("entrepot")


def pytest_configure() -> None:
    # A shell that runs the tests in the background has them ignore Ctrl-C, and so would all that they start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.path.stem.startswith(ON_BOTH_LOOPS):
        return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, object, object]:
    report = yield
    return _without_skips(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, object, object]:
    report = yield
    return _without_skips(report)


def _without_skips(report: object) -> object:
    """Under CI a skipped test is a failed one: it proves nothing, and nobody reads a skip."""
    assert isinstance(report, pytest.TestReport | pytest.CollectReport)
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {reason}"
    return report


@pytest.fixture(scope="session")
def running_shop() -> Iterator[Running]:
    """`entrepot dev examples/shop`, one for the whole session: tests add to it and count on no number."""
    with running_example("shop") as shop:
        yield shop
