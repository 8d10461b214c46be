"""The bounded pool in which plain `def` functions and generators run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from entrepot.model.faults import Unavailable

T = TypeVar("T")

WAITING_PER_THREAD = 8
"""How many functions may wait for each thread before one more is refused."""

_END: Any = object()


class Threads:
    """At most `threads` functions at work, and `waiting` more in a queue."""

    def __init__(self, threads: int, waiting: int | None = None) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="handler")
        self._begun: set[Future[Any]] = set()
        self._places = threading.Semaphore(threads + (threads * WAITING_PER_THREAD if waiting is None else waiting))

    def start(self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Begin the function in a thread, under the caller's context variables.

        Raises `Unavailable` when all threads are busy and the queue is full.
        """
        if not self._places.acquire(blocking=False):
            raise Unavailable("all threads of the worker are busy", retry_after=1)
        future = self.go_on(function, *arguments)
        future.add_done_callback(lambda _: self._places.release())
        return future

    def go_on(self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Begin the next step of something that `start` began. It is never refused, only queued."""
        future = self._executor.submit(copy_context().run, _as_error, function, *arguments)
        self._begun.add(future)
        future.add_done_callback(self._begun.discard)
        return future

    @property
    def at_work(self) -> int:
        """How many functions have begun, or wait to, and have not ended."""
        return len(self._begun)

    def close(self) -> None:
        """Take no more work; what has begun goes on, what waits is dropped."""
        self._executor.shutdown(wait=False, cancel_futures=True)


class ThreadedGenerator:
    """A plain iterator or generator, driven like an asynchronous one: each step in a thread.

    A thread cannot be interrupted. When the waiting for a step is cancelled the step goes on,
    and the next one waits for it.
    """

    def __init__(self, generator: Any, threads: Threads) -> None:
        self._generator = generator
        self._threads = threads
        self._step: Future[Any] | None = None

    @property
    def running(self) -> Future[Any] | None:
        """The step begun last."""
        return self._step

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        return await self._do(next, self._generator)

    async def athrow(self, error: BaseException) -> Any:
        """Raise the error at the `yield`."""
        return await self._do(self._generator.throw, error)

    async def aclose(self) -> None:
        """End it where it stands."""
        close = getattr(self._generator, "close", None)
        if close is not None:
            await self._do(close)

    async def _do(self, step: Callable[..., Any], *arguments: Any) -> Any:
        await settled(self._step)
        begin = self._threads.start if self._step is None else self._threads.go_on
        self._step = begin(_up_to_the_end, step, *arguments)
        value = await asyncio.wrap_future(self._step)
        if value is _END:
            raise StopAsyncIteration
        return value


def _as_error(function: Callable[..., T], *arguments: Any) -> T:
    """What the function gives. Asyncio passes on neither a StopIteration, for which it would wait for ever, nor what
    ends a process, and takes a cancellation for its own: whatever has a meaning to it becomes an ordinary error.
    """
    try:
        return function(*arguments)
    except BaseException as error:
        if isinstance(error, Exception) and not isinstance(error, StopIteration):
            raise
        raise RuntimeError(f"the function raised {type(error).__name__}") from error


def _up_to_the_end(step: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return step(*arguments)
    except StopIteration:
        return _END


async def settled(future: Future[Any] | None) -> None:
    """Return once the thread has come out of the function, whatever came of it."""
    if future is not None and not future.done():
        await asyncio.gather(asyncio.wrap_future(future), return_exceptions=True)
