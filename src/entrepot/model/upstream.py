"""A system that somebody else runs and we call."""

from __future__ import annotations

import ipaddress
from typing import Literal

import msgspec


class Endpoint(msgspec.Struct, frozen=True):
    """One address of an upstream."""

    host: str
    """A name or an IP address."""
    port: int


def is_ip(host: str) -> bool:
    """Whether a host is an address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """How the upstream's certificate is verified; it always is."""

    server_name: str
    ca_file: str = ""
    """PEM bundle, relative to the project; "" uses the system's."""
    ca: str = ""
    """SHA-256 of that file once it is sealed, by which a release's own copy of it is found."""


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """Further tries. Unsafe calls are only tried again when the first never reached the upstream."""

    attempts: int = 2
    """Tries in all, the first included."""
    per_try_timeout: float | None = None
    """Seconds."""


class HealthCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Active probing: a GET of `path` that must answer 200."""

    path: str = "/"
    interval: float = 5.0
    """Seconds between probes."""
    timeout: float = 1.0
    """Seconds."""
    unhealthy_after: int = 2
    healthy_after: int = 1


class Ejection(msgspec.Struct, frozen=True, kw_only=True):
    """Passive health: an endpoint that keeps failing is left out for a while."""

    failures: int = 5
    """Consecutive 5xx answers or failed connections."""
    duration: float = 30.0
    """Seconds."""
    share_max: int = 50
    """Percent of the endpoints that may be out at once."""


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """A logical backend: one or several endpoints under one set of rules."""

    name: str
    endpoints: tuple[Endpoint, ...]
    host: str = ""
    """The Host header it expects; "" derives it from the first endpoint."""
    base_path: str = ""
    """Path before every operation's, without a slash at its end."""
    tls: Tls | None = None
    balance: Literal["round_robin", "least_request"] = "round_robin"
    connect_timeout: float = 1.0
    """Seconds."""
    timeout: float = 15.0
    """Seconds for a whole answer; streams are exempt."""
    retry: Retry = Retry()
    health: HealthCheck | None = None
    ejection: Ejection | None = Ejection()
    connections_max: int = 1024
    requests_per_connection: int = 0
    """Requests that one connection carries, one after the other; 0: as many as come."""
    requests_max: int = 1024
    """Requests in progress at once, and as many again that wait for a connection; one more is refused."""
