"""Envoy as one writes it by hand: a bare router, and one that does what our edge does.

The second strips the headers a client could claim an identity with, bounds headers and idle
time, refuses underscores, writes one JSON line for each request, bounds connections and retries
what never reached the upstream.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

Json = dict[str, Any]
TYPES = "type.googleapis.com/envoy.extensions"
LOG_FIELDS = {
    "time": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "path": "%PATH(NQ)%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "milliseconds": "%DURATION%",
    "upstream": "%UPSTREAM_CLUSTER%",
    "request_id": "%REQ(X-REQUEST-ID)%",
}
STRIPPED = ("x-entrepot-", "x-envoy-", "x-forwarded-")


def bare(port: int, upstream: Json, scratch: Path) -> Json:
    """Only the router."""
    return _config(port, upstream, scratch, {}, {})


def hardened(port: int, upstream: Json, scratch: Path) -> Json:
    """What our edge does, without our edge."""
    mutations = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in STRIPPED]
    mutations += [{"remove": "forwarded"}, {"remove": "x-real-ip"}]
    manager = {
        "use_remote_address": True,
        "strip_any_host_port": True,
        "forward_client_cert_details": "SANITIZE",
        "request_headers_timeout": "10s",
        "stream_idle_timeout": "300s",
        "common_http_protocol_options": {"headers_with_underscores_action": "REJECT_REQUEST", "idle_timeout": "3600s"},
        "early_header_mutation_extensions": [
            _extension("strip", "http.early_header_mutation.header_mutation.v3.HeaderMutation", mutations=mutations)
        ],
        "access_log": [
            _extension(
                "file",
                "access_loggers.file.v3.FileAccessLog",
                path=str(scratch / "access.log"),
                log_format={"json_format": LOG_FIELDS},
            )
        ],
    }
    retry = {"retry_on": "connect-failure,refused-stream,reset-before-request", "num_retries": 2}
    return _config(port, upstream, scratch, manager, {"timeout": "15s", "retry_policy": retry})


def unix_socket(path: Path) -> Json:
    """An upstream on a Unix socket."""
    return {"pipe": {"path": str(path)}}


def loopback(port: int) -> Json:
    """An upstream on TCP."""
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _extension(name: str, message: str, **settings: Any) -> Json:
    return {"name": name, "typed_config": {"@type": f"{TYPES}.{message}", **settings}}


def _config(port: int, upstream: Json, scratch: Path, manager: Json, route: Json) -> Json:
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "upstream", **route}}]
    connection_manager = _extension(
        "http",
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="ingress",
        http_filters=[_extension("router", "filters.http.router.v3.Router", suppress_envoy_headers=bool(manager))],
        route_config={"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        **manager,
    )
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": upstream}}]}]
    cluster = {"name": "upstream", "load_assignment": {"cluster_name": "upstream", "endpoints": endpoints}}
    listener = {"address": loopback(port), "filter_chains": [{"filters": [connection_manager]}]}
    admin = {"address": unix_socket(scratch / "admin.sock")}
    return {"admin": admin, "static_resources": {"listeners": [listener], "clusters": [cluster]}}
