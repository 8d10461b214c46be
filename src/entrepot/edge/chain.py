"""What every request passes: the HTTP filters, in order, and the hardened connection manager.

The filter list is constant for a version of ours. What changes from release to release is
*discovered*: it lives in a file of its own, so that no change of it touches a listener, because a
changed listener drains its connections and cuts its streams.

Settings follow Envoy's guide to edge deployments, with one exception: paths stay as they came
(docs/decisions/0004-paths.md).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from entrepot.edge import problems, retries, trace
from entrepot.edge.metadata import taken_off
from entrepot.edge.xds import Json, duration, extension, typed
from entrepot.ir.edge import READY_PATH
from entrepot.model.headers import OF_THE_EDGE

INGRESS = "ingress"
EGRESS = "egress"
"""The two listeners, also the prefixes of their statistics."""

HEADERS_COUNT_MAX = 100
HEADERS_KIB_MAX = 60
REQUEST_HEADERS_TIMEOUT = 10.0
"""Seconds a client has for all of its request headers."""
STREAM_IDLE_TIMEOUT = 300.0
"""Seconds a stream may be silent in both directions."""
CONNECTION_IDLE_TIMEOUT = 3600.0
"""Seconds a connection may have no request."""

_OURS = tuple(map(bytes.decode, OF_THE_EDGE))
STRIPPED_PREFIXES = (*_OURS, "x-forwarded-")
STRIPPED_HEADERS = ("forwarded", "x-real-ip", "x-original-url", "x-rewrite-url", "proxy")
"""What a client could claim an identity, an address or a privilege with: the last three make some
applications serve another path than the one that was routed, or call out by way of a proxy."""

RUNTIME: Json = {
    # By default what stands after a chunk up to the end of its line is passed over: two readers of
    # such a body may disagree where it ends.
    "envoy.reloadable_features.strict_chunk_parsing": True,
}
"""Features of Envoy that are not on by themselves, or not yet."""

_HCM = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_EARLY_MUTATION = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"


class HttpFilter(msgspec.Struct, frozen=True):
    """One filter of a chain."""

    name: str
    message: str
    settings: Json | None
    """None: discovered, see `discovered_settings`."""
    by_route: bool = False
    """Off but for the routes that set it."""


_HEALTH = HttpFilter("health", "envoy.extensions.filters.http.health_check.v3.HealthCheck", None)

# First, so that what the health filter answers has a trace id too, and passes here on its way out.
_METADATA = HttpFilter(
    "metadata",
    "envoy.extensions.filters.http.header_to_metadata.v3.Config",
    {
        "request_rules": [*trace.rules(), retries.rule()],
        "response_rules": [taken_off("x-entrepot-operation"), taken_off("x-envoy-upstream-healthchecked-cluster")],
    },
)

_HYGIENE_MESSAGE = "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation"

# Last before the router, so that no other filter sees what a target says in our name.
HYGIENE = HttpFilter("hygiene", _HYGIENE_MESSAGE, {}, by_route=True)

_ROUTER_MESSAGE = "envoy.extensions.filters.http.router.v3.Router"
_INGRESS_ROUTER = HttpFilter("router", _ROUTER_MESSAGE, {"suppress_envoy_headers": True})
_EGRESS_ROUTER = HttpFilter(
    "router",
    _ROUTER_MESSAGE,
    {
        "suppress_envoy_headers": True,
        "strict_check_headers": ["x-envoy-upstream-rq-timeout-ms", "x-envoy-max-retries", "x-envoy-retry-on"],
    },
)

INGRESS_CHAIN: tuple[HttpFilter, ...] = (_METADATA, _HEALTH, HYGIENE, _INGRESS_ROUTER)
EGRESS_CHAIN: tuple[HttpFilter, ...] = (_EGRESS_ROUTER,)


def foreign_headers() -> Json:
    """For a route whose target is not of our making: it says nothing in our name or Envoy's."""
    removed = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in _OURS]
    return typed(f"{_HYGIENE_MESSAGE}PerRoute", {"mutations": {"response_mutations": removed}})


def discovered_settings(worker_clusters: Iterable[str]) -> dict[str, Json]:
    """The present settings of every discovered filter, by its name."""
    ready = {"pass_through_mode": False, "headers": [{"name": ":path", "string_match": {"exact": READY_PATH}}]}
    # Any percentage above none means: at least one worker, for the worker counts that one machine has.
    healthy = {cluster: {"value": 1} for cluster in worker_clusters}
    if healthy:
        ready["cluster_min_healthy_percentages"] = healthy
    return {_HEALTH.name: typed(_HEALTH.message, ready)}


def ingress_manager(routes: Json, filters: list[Json], access_log: list[Json]) -> Json:
    """The network filter that reads clients' requests."""
    return extension(
        "http",
        _HCM,
        {
            **_common(INGRESS, routes, filters, access_log),
            "use_remote_address": True,
            "skip_xff_append": True,
            "xff_num_trusted_hops": 0,
            # No client is internal, wherever it comes from: each gets its address in one header.
            "internal_address_config": {"cidr_ranges": [{"address_prefix": "255.255.255.255", "prefix_len": 32}]},
            "server_name": "entrepot",
            "forward_client_cert_details": "SANITIZE",
            "max_request_headers_kb": HEADERS_KIB_MAX,
            "request_headers_timeout": duration(REQUEST_HEADERS_TIMEOUT),
            "common_http_protocol_options": {
                "headers_with_underscores_action": "REJECT_REQUEST",
                "idle_timeout": duration(CONNECTION_IDLE_TIMEOUT),
                "max_headers_count": HEADERS_COUNT_MAX,
            },
            "http2_protocol_options": {
                "max_concurrent_streams": 100,
                "initial_stream_window_size": 64 * 1024,
                "initial_connection_window_size": 1024 * 1024,
            },
            # Routes to workers switch it off: no worker speaks anything but HTTP.
            "upgrade_configs": [{"upgrade_type": "websocket"}],
            "early_header_mutation_extensions": [extension("strip", _EARLY_MUTATION, {"mutations": _stripped()})],
            "local_reply_config": problems.ingress_replies(),
        },
    )


def egress_manager(routes: Json, filters: list[Json], access_log: list[Json]) -> Json:
    """The network filter that reads workers' requests to upstreams."""
    return extension(
        "http",
        _HCM,
        {
            **_common(EGRESS, routes, filters, access_log),
            "use_remote_address": True,
            "skip_xff_append": True,
            # Without this, Envoy drops the hint headers of workers in silence.
            "internal_address_config": {"unix_sockets": True},
            "generate_request_id": False,
            # An answer that breaks off is told at once: on this socket no octet gets lost at a close.
            "delayed_close_timeout": "0s",
            "server_header_transformation": "PASS_THROUGH",
            "local_reply_config": problems.egress_replies(),
        },
    )


def _common(name: str, routes: Json, filters: list[Json], access_log: list[Json]) -> Json:
    return {
        "stat_prefix": name,
        **routes,
        "http_filters": filters,
        "access_log": access_log,
        "stream_idle_timeout": duration(STREAM_IDLE_TIMEOUT),
        "normalize_path": False,
        "merge_slashes": False,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
    }


def _stripped() -> list[Json]:
    prefixes = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in STRIPPED_PREFIXES]
    return prefixes + [{"remove": name} for name in STRIPPED_HEADERS]
