"""Further tries: who may be asked again, how often, and after which failures.

What may be repeated is decided once for all routes, by the request's method: a header adds the failures after
which an idempotent request may be tried again to those after which any may. Two routes for each path, one for
each kind of method, would double the work of Envoy for each release.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from entrepot.edge.metadata import kept, rewritten
from entrepot.edge.xds import Json, duration, extension, header
from entrepot.model.upstream import Upstream

RETRY_ON = "x-envoy-retry-on"
"""Adds conditions to those of the route's policy."""

_METHOD_ADDS = "retry_on"
_IDEMPOTENT = "GET|HEAD|OPTIONS|QUERY|PUT|DELETE"
_NEVER_ARRIVED = "connect-failure,refused-stream,reset-before-request"
_MAY_REPEAT = "connect-failure,refused-stream,reset"
_WORKER_RETRIES = 2
"""One for the worker that died with the request, one for a connection that was dying with it. A request that
kills workers kills no more than these."""
_WORKER_RETRY_BACKOFF = 0.01
"""Seconds, within which Envoy has seen the end of all of a dead worker's connections."""
_LOOKS = 30
"""For a host that has not been tried yet: one that turns all away has the least to do, and is found again and again."""
_PREVIOUS_HOSTS = "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"


class Tries(msgspec.Struct, frozen=True):
    """How often an upstream is tried, and how long.

    The upstream's timeout is that of a try, which ends when the answer begins: so it cuts no stream,
    and the longer deadline that a worker hints at does not lift it.
    """

    attempts: int
    timeout: float

    @classmethod
    def of(cls, upstream: Upstream) -> Tries:
        return cls(upstream.retry.attempts, upstream.retry.per_try_timeout or upstream.timeout)

    @property
    def policy(self) -> Json:
        """For a request that may have any method."""
        limit = {"num_retries": self.attempts - 1, "per_try_timeout": duration(self.timeout)}
        if self.attempts <= 1:
            return {"retry_policy": limit}
        return {"retry_policy": {"retry_on": _NEVER_ARRIVED, **limit, **_other_host()}}


def usual(all_tries: Iterable[Tries]) -> Tries | None:
    """Those that most routes share; None without any. Said once for all, it need not be said for each."""
    counted = Counter(all_tries).most_common(1)
    return counted[0][0] if counted else None


def rule() -> Json:
    """What of a request's method is kept: that it may be repeated after its upstream has failed, too.

    Of other methods their own name, which is no condition that Envoy knows: it passes them over.
    """
    return rewritten(":method", _METHOD_ADDS, f"^(?:{_IDEMPOTENT})$", "reset,gateway-error")


def repeatable() -> Json:
    """The header that says so to Envoy's router."""
    return header(RETRY_ON, kept(_METHOD_ADDS))


def of_workers() -> list[tuple[Json, Json]]:
    """What a route to workers matches besides its path, and the policy then: a worker's own 503 is not repeated."""
    method = {"name": ":method", "string_match": {"safe_regex": {"regex": _IDEMPOTENT}}}
    return [({"headers": [method]}, _of_workers(_MAY_REPEAT)), ({}, _of_workers(_NEVER_ARRIVED))]


def _of_workers(retry_on: str) -> Json:
    backoff = {"base_interval": duration(_WORKER_RETRY_BACKOFF)}
    policy = {"retry_on": retry_on, "num_retries": _WORKER_RETRIES, "retry_back_off": backoff, **_other_host()}
    return {"retry_policy": policy}


def _other_host() -> Json:
    predicate = extension("previous_hosts", _PREVIOUS_HOSTS)
    return {"retry_host_predicate": [predicate], "host_selection_retry_max_attempts": _LOOKS}
