"""All that the edge needs to know.

What the compiler decides has no default here: a stored release that lacks it is of another version's form.
"""

from __future__ import annotations

import msgspec

from entrepot.model.upstream import Upstream

OWN_PREFIX = "/-/"
"""Addresses of the edge and the workers themselves; no route of a project reaches below it."""
READY_PATH = "/-/ready"
"""At the edge: 200 when every worker pool has a healthy worker, 503 before that and while draining."""
LIVE_PATH = "/-/live"
"""At the edge: answered as long as it runs."""


class PoolTarget(msgspec.Struct, frozen=True, tag="pool", gc=False):
    """The workers of a pool. Their generation is known only when the release is delivered."""

    pool: str


class UpstreamTarget(msgspec.Struct, frozen=True, kw_only=True, tag="upstream", gc=False):
    """An upstream, reached without touching Python."""

    upstream: str
    strip_prefix: bool = False
    """Whether the route's own prefix is taken off the path."""


class Route(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An address at the edge and where it leads. There may be thousands, which no collector need look at."""

    path: str
    """A prefix that ends with "/", or an exact path."""
    exact: bool = False
    target: PoolTarget | UpstreamTarget
    raw_path: bool = True
    """True: the path reaches the target as it came (operations: an encoded slash is data).
    False: a path with dot segments, empty segments, backslashes or encoded slashes is refused."""
    timeout: float | None = None
    """Seconds for a whole answer; None leaves it to the target."""
    silence: float | None = None
    """Seconds that nothing may pass in either direction; None leaves it to the listener."""


class EdgeIR(msgspec.Struct, frozen=True, kw_only=True):
    """The edge of one release."""

    address: str
    port: int
    routes: tuple[Route, ...]
    """In order of their paths; no two take the same one."""
    upstreams: tuple[Upstream, ...]
    """In order of their names."""
    pools: tuple[str, ...]
    """Names of the worker pools that routes lead to."""
    connections_max: int
    """Client connections at once; one more is refused."""
    memory_max: int
    """Octets that its process may hold; near them, requests are refused."""
