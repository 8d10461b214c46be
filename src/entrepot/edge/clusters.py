"""Clusters: the workers of a generation, and the upstreams."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import msgspec

from entrepot.edge.metadata import METADATA
from entrepot.edge.problems import UPSTREAM_KEY
from entrepot.edge.xds import Json, digest, duration, extension, pipe, typed
from entrepot.ir.edge import EdgeIR
from entrepot.ir.worker import HEALTH_PATH, KEEP_ALIVE_SECONDS
from entrepot.model.upstream import Ejection, HealthCheck, Tls, Upstream, is_ip

BUFFER_BYTES = 32 * 1024
"""Most octets Envoy holds for one connection before it stops reading from the other side."""

KEPT_CLUSTERS = 4_000
"""Most upstreams whose rendering is kept from one release to the next."""

_PROTOCOL_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_TLS_CONTEXT = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"


class Workers(msgspec.Struct, frozen=True):
    """The worker processes that a release runs on: a generation, and by pool their sockets."""

    generation: str
    sockets: Mapping[str, tuple[Path, ...]]


def worker_cluster(pool: str, generation: str) -> str:
    """The cluster of one generation of a pool, so that edge and workers never disagree on a release."""
    return f"worker-{pool}-{generation}"


def upstream_host(upstream: Upstream) -> str:
    """The Host header that the upstream expects."""
    if upstream.host:
        return upstream.host
    first = upstream.endpoints[0]
    name = f"[{first.host}]" if ":" in first.host else first.host
    return name if first.port == (443 if upstream.tls else 80) else f"{name}:{first.port}"


def worker_clusters(edge: EdgeIR, workers: Workers) -> dict[str, Json]:
    """One cluster for each pool, without its endpoints; by name."""
    names = [worker_cluster(pool, workers.generation) for pool in edge.pools]
    return {name: _worker_cluster(name, edge.connections_max) for name in names}


def worker_endpoints(edge: EdgeIR, workers: Workers) -> dict[str, Json]:
    """The endpoints of each worker cluster, by its name."""
    return {
        (name := worker_cluster(pool, workers.generation)): _assignment(
            name, [{"endpoint": {"address": pipe(socket)}} for socket in workers.sockets.get(pool, ())]
        )
        for pool in edge.pools
    }


def _assignment(cluster: str, endpoints: list[Json]) -> Json:
    return {"cluster_name": cluster, "endpoints": [{"lb_endpoints": endpoints}]}


def _worker_cluster(name: str, connections_max: int) -> Json:
    return {
        "name": name,
        "type": "EDS",
        "connect_timeout": "1s",
        "lb_policy": "LEAST_REQUEST",
        # Without it, workers of a generation that is gone stay members as long as their sockets answer.
        "ignore_health_on_host_removal": True,
        # A request to workers that are not up yet is refused now rather than left waiting in a backlog.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "health_checks": [_worker_health()],
        # As many as there may be clients: the connection limit is the one that refuses.
        "circuit_breakers": _breakers(connections_max, connections_max),
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        # Less than the worker's own, so that no request is sent on a connection about to close.
        "typed_extension_protocol_options": _http1({"idle_timeout": duration(KEEP_ALIVE_SECONDS * 0.8)}),
    }


def _worker_health() -> Json:
    """Quick to see that a worker is up; slow to say that a busy one is down, which may be the only one.

    One that has ended is not found out by this: its socket takes connections until it is started again.
    """
    return {
        "timeout": "2s",
        "interval": "1s",
        "unhealthy_interval": "0.1s",
        "no_traffic_interval": "0.1s",
        "no_traffic_healthy_interval": "1s",
        "unhealthy_threshold": 5,
        "healthy_threshold": 1,
        "http_health_check": {"path": HEALTH_PATH, "host": "worker"},
    }


def _breakers(connections: int, requests: int) -> Json:
    threshold = {
        "max_connections": connections,
        "max_pending_requests": requests,
        "max_requests": requests,
        "max_retries": requests,
    }
    return {"thresholds": [threshold]}


def _http1(common: Json) -> Json:
    options: Json = {"explicit_http_config": {"http_protocol_options": {}}}
    if common:
        options["common_http_protocol_options"] = common
    return {_PROTOCOL_OPTIONS: typed(_PROTOCOL_OPTIONS, options)}


def _carrying(requests: int) -> Json:
    return {"max_requests_per_connection": requests} if requests else {}


def upstream_clusters(edge: EdgeIR, ca_bundle: Path, files: Path) -> dict[str, Json]:
    """One cluster for each upstream, by the upstream's name.

    `ca_bundle` verifies those that name no file of their own, of which `files` has a copy. A cluster's own
    name changes with its settings, so that a changed upstream is a new cluster beside the old one:
    resolved, connected and probed before a route leads to it. Egress and pass-through routes share it.
    """
    clusters = {}
    for upstream in edge.upstreams:
        own = upstream.tls is not None and upstream.tls.ca
        clusters[upstream.name] = _named(upstream, files / own if own else ca_bundle)
    return clusters


@lru_cache(maxsize=KEPT_CLUSTERS)
def _named(upstream: Upstream, trusted_ca: Path) -> Json:
    settings = _upstream_cluster(upstream, trusted_ca)
    name = f"upstream-{upstream.name}-{digest(settings)[:8]}"
    return {**settings, "name": name, "load_assignment": _assignment(name, _endpoints(upstream))}


def _upstream_cluster(upstream: Upstream, trusted_ca: Path) -> Json:
    cluster = {
        "connect_timeout": duration(upstream.connect_timeout),
        "lb_policy": upstream.balance.upper(),
        "load_assignment": _assignment("", _endpoints(upstream)),
        "ignore_health_on_host_removal": True,
        # An upstream that does not resolve or answer must not keep the edge from starting.
        "wait_for_warm_on_init": False,
        "circuit_breakers": _breakers(upstream.connections_max, upstream.requests_max),
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "typed_extension_protocol_options": _http1(_carrying(upstream.requests_per_connection)),
        "metadata": {"filter_metadata": {METADATA: {UPSTREAM_KEY: upstream.name}}},
        **_resolution(upstream),
    }
    if upstream.health is not None:
        cluster["health_checks"] = [_health(upstream.health, upstream_host(upstream))]
    if upstream.ejection is not None:
        cluster["outlier_detection"] = _ejection(upstream.ejection)
    if upstream.tls is not None:
        cluster["transport_socket"] = _tls(upstream.tls, trusted_ca)
    return cluster


def _endpoints(upstream: Upstream) -> list[Json]:
    addresses = [{"address": endpoint.host, "port_value": endpoint.port} for endpoint in upstream.endpoints]
    return [{"endpoint": {"address": {"socket_address": address}}} for address in addresses]


def _resolution(upstream: Upstream) -> Json:
    if all(is_ip(endpoint.host) for endpoint in upstream.endpoints):
        return {"type": "STATIC"}
    return {"type": "STRICT_DNS", "dns_lookup_family": "V4_PREFERRED"}


def _health(check: HealthCheck, host: str) -> Json:
    return {
        "timeout": duration(check.timeout),
        "interval": duration(check.interval),
        "no_traffic_interval": duration(check.interval),
        "unhealthy_threshold": check.unhealthy_after,
        "healthy_threshold": check.healthy_after,
        "http_health_check": {"path": check.path, "host": host},
    }


def _ejection(ejection: Ejection) -> Json:
    return {
        "consecutive_5xx": ejection.failures,
        "base_ejection_time": duration(ejection.duration),
        "max_ejection_percent": ejection.share_max,
        "interval": "1s",
        # Only consecutive failures count; by default Envoy also ejects by comparing success rates.
        "enforcing_success_rate": 0,
    }


def _tls(tls: Tls, trusted_ca: Path) -> Json:
    by_address = is_ip(tls.server_name)
    name = {"san_type": "IP_ADDRESS" if by_address else "DNS", "matcher": {"exact": tls.server_name}}
    validation = {
        "trusted_ca": {"filename": str(trusted_ca)},
        "match_typed_subject_alt_names": [name],
    }
    # HTTP/2 carries an upgrade only where both sides know RFC 8441, and few upstreams do.
    context: Json = {"common_tls_context": {"alpn_protocols": ["http/1.1"], "validation_context": validation}}
    if not by_address:
        context["sni"] = tls.server_name
    return extension("tls", _TLS_CONTEXT, context)
