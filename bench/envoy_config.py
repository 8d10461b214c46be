"""Envoy as one writes it by hand: a bare router, and one that does what our edge does.

The second is what our edge is compared with, so it must neither shirk nor carry more: it is one flat
file for one upstream, without generations, trees of routes or discovery, and these are its duties:

- strip the headers a client could claim an identity, an address or a privilege with; bound headers,
  buffers, idle time, connections and requests; read chunks strictly; refuse underscores, unclean
  paths, two hosts at once, methods that HTTP has not and octets that no address has;
- give every request one trace id, the caller's own or a new one, and tell it to the upstream,
  to the log and to whoever gets an answer of Envoy's own;
- retry elsewhere what is safe to retry, leave out an endpoint that keeps failing, name the upstream
  that failed;
- take headers that are for the log alone off every answer, and believe them from workers only: the
  upstream says nothing in our name or in Envoy's;
- write one JSON line for each request but probes, and say when it is ready.

What happens only when a request fails, such as the words of problems, is kept short: no run has any.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

Json = dict[str, Any]
TYPES = "type.googleapis.com/envoy.extensions"
# A request that is refused before any filter has seen it has no id but its time.
TRACE_ID = (
    '%COALESCE({"operators":[{"command":"DYNAMIC_METADATA","param":"trace:trace_id"},'
    '{"command":"START_TIME","param":"0000000000000%s%9f"}]})%'
)
LOG_FIELDS = {
    "time": "%START_TIME%",
    "method": "%REQ(:METHOD):16%",
    "path": "%PATH(NQ:PATH):256%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "reason": "%RESPONSE_CODE_DETAILS%",
    "duration_ms": "%DURATION%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "upstream": "%UPSTREAM_CLUSTER%",
    "upstream_failure": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "route": "%ROUTE_NAME%",
    "operation": "%DYNAMIC_METADATA(trace:operation):128%",
    "trace_id": TRACE_ID,
}
STRIPPED_PREFIXES = ("x-entrepot-", "x-envoy-", "x-forwarded-")
STRIPPED = ("forwarded", "x-real-ip", "x-original-url", "x-rewrite-url", "proxy")
METHODS = (
    "GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|QUERY",
    "ACL|BIND|CHECKOUT|COPY|LINK|LOCK|MERGE|MKACTIVITY|MKCALENDAR|MKCOL|M-SEARCH|MOVE|NOTIFY",
    "PROPFIND|PROPPATCH|PURGE|REBIND|REPORT|SEARCH|SOURCE|SUBSCRIBE|TRACE|UN(BIND|LINK|LOCK|SUBSCRIBE)",
)
TARGET = "[!-~]*"
UNCLEAN_PATH = r"(?i).*(//|\\|%2f|%5c|%2e|%00|/\.\.?(;[^/]*)?(/.*)?$).*"


def bare(port: int, upstream: Json, scratch: Path) -> Json:
    """Only the router."""
    return _config(port, upstream, scratch, manager={}, routes=[_route({})], filters=[])


def hardened(port: int, upstream: Json, scratch: Path) -> Json:
    """What our edge does, without our edge."""
    log_format = {"json_format": LOG_FIELDS, "omit_empty_values": True}
    log = {"path": str(scratch / "access.log"), "log_format": log_format}
    manager = {
        "use_remote_address": True,
        "internal_address_config": {"cidr_ranges": [{"address_prefix": "255.255.255.255", "prefix_len": 32}]},
        "forward_client_cert_details": "SANITIZE",
        "request_headers_timeout": "10s",
        "stream_idle_timeout": "300s",
        "common_http_protocol_options": {"headers_with_underscores_action": "REJECT_REQUEST", "idle_timeout": "3600s"},
        "early_header_mutation_extensions": [_strip()],
        "access_log": [
            {
                **_extension("file", "access_loggers.file.v3.FileAccessLog", **log),
                "filter": {"not_health_check_filter": {}},
            }
        ],
        "local_reply_config": {"body_format": {"json_format": _PROBLEM, "content_type": "application/problem+json"}},
    }
    config = _config(port, upstream, scratch, manager, _careful_routes(), [_trace(), _ready(), _unclaimed()])
    config["static_resources"]["listeners"][0]["per_connection_buffer_limit_bytes"] = 32768
    config["static_resources"]["clusters"][0] |= {
        "per_connection_buffer_limit_bytes": 32768,
        "circuit_breakers": {"thresholds": [{"max_connections": 1024, "max_requests": 1024}]},
        "outlier_detection": {"consecutive_5xx": 5, "enforcing_success_rate": 0},
    }
    strict = {"envoy.reloadable_features.strict_chunk_parsing": True}
    config["layered_runtime"] = {"layers": [{"name": "strict", "static_layer": strict}]}
    config["overload_manager"] = {"resource_monitors": [_connection_limit()]}
    return config


def _connection_limit() -> Json:
    return _extension(
        "envoy.resource_monitors.global_downstream_max_connections",
        "resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
        max_active_downstream_connections=10_000,
    )


_PROBLEM = {
    "title": "%LOCAL_REPLY_BODY%",
    "status": "%RESPONSE_CODE%",
    "upstream": "%UPSTREAM_CLUSTER%",
    "trace_id": TRACE_ID,
}


def _strip() -> Json:
    mutations: list[Json] = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in STRIPPED_PREFIXES]
    mutations += [{"remove": name} for name in STRIPPED]
    return _extension("strip", "http.early_header_mutation.header_mutation.v3.HeaderMutation", mutations=mutations)


def _unclaimed() -> Json:
    claims = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in ("x-entrepot-", "x-envoy-")]
    mutations = {"response_mutations": claims}
    return _extension("unclaimed", "filters.http.header_mutation.v3.HeaderMutation", mutations=mutations)


def _ready() -> Json:
    path = {"name": ":path", "string_match": {"exact": "/-/ready"}}
    return _extension("ready", "filters.http.health_check.v3.HealthCheck", pass_through_mode=False, headers=[path])


def _trace() -> Json:
    """Envoy has no other means to make a trace id, short of its tracing, which costs more."""
    uuid = "^([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$"
    theirs = "^(00-([0-9a-f]{32})-[0-9a-f]+-[0-9a-f]{2})$|^.*$"
    return _extension(
        "trace",
        "filters.http.header_to_metadata.v3.Config",
        request_rules=[
            _rule("x-request-id", "trace_id", uuid, r"\1\2\3\4\5"),
            _rule("traceparent", "trace_id", theirs, r"\2"),
            {**_rule("traceparent", "traceparent", theirs, r"\1"), "remove": True},
        ],
        response_rules=[_taken_off("x-entrepot-operation"), _taken_off("x-envoy-upstream-healthchecked-cluster")],
    )


def _taken_off(header: str) -> Json:
    pair = {"metadata_namespace": "trace", "key": header.rpartition("-")[2]}
    return {"header": header, "on_header_present": pair, "remove": True}


def _rule(header: str, key: str, pattern: str, substitution: str) -> Json:
    rewrite = {"pattern": {"regex": pattern}, "substitution": substitution}
    return {
        "header": header,
        "on_header_present": {"metadata_namespace": "trace", "key": key, "regex_value_rewrite": rewrite},
    }


def _careful_routes() -> list[Json]:
    predicate = _extension("previous_hosts", "retry.host.previous_hosts.v3.PreviousHostsPredicate")
    retry = {"num_retries": 1, "per_try_timeout": "15s", "retry_host_predicate": [predicate]}
    never_arrived = "connect-failure,refused-stream,reset-before-request"
    repeatable = {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD|OPTIONS|QUERY|PUT|DELETE"}}}
    two_hosts = {"name": ":authority", "string_match": {"contains": ","}}
    refused = [[two_hosts], [_unlike(":method", each) for each in METHODS], [_unlike(":path", TARGET)]]
    again = {"retry_policy": {**retry, "retry_on": "connect-failure,refused-stream,reset,gateway-error"}}
    once = {"retry_policy": {**retry, "retry_on": never_arrived}}
    return [
        *({"match": {"prefix": "/", "headers": each}, "direct_response": {"status": 400}} for each in refused),
        {"match": {"safe_regex": {"regex": UNCLEAN_PATH}}, "direct_response": {"status": 400}},
        {"match": {"path": "/-/live"}, "direct_response": {"status": 200}},
        {"match": {"prefix": "/-/"}, "direct_response": {"status": 404}},
        _route({**_REWRITTEN, **again}, repeatable),
        _route({**_REWRITTEN, **once}),
    ]


def _unlike(header: str, regex: str) -> Json:
    return {"name": header, "string_match": {"safe_regex": {"regex": regex}}, "invert_match": True}


_REWRITTEN = {
    "host_rewrite_literal": "plain",
    "append_x_forwarded_host": True,
    "timeout": "0s",
    "upgrade_configs": [{"upgrade_type": "websocket"}],
}
_TRACEPARENT = "00-%DYNAMIC_METADATA(trace:trace_id)%-%DYNAMIC_METADATA(trace:trace_id):16%-00"


def _route(action: Json, *headers: Json) -> Json:
    return {"match": {"prefix": "/", "headers": [*headers]}, "route": {"cluster": "upstream", **action}}


def unix_socket(path: Path) -> Json:
    """An upstream on a Unix socket."""
    return {"pipe": {"path": str(path)}}


def loopback(port: int) -> Json:
    """An upstream on TCP."""
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _extension(name: str, message: str, **settings: Any) -> Json:
    return {"name": name, "typed_config": {"@type": f"{TYPES}.{message}", **settings}}


def _header(key: str, value: str) -> Json:
    return {"header": {"key": key, "value": value}}


def _config(port: int, upstream: Json, scratch: Path, manager: Json, routes: list[Json], filters: list[Json]) -> Json:
    host: Json = {"name": "all", "domains": ["*"], "routes": routes}
    hosts: Json = {"virtual_hosts": [host]}
    if filters:
        # What is added if absent is looked for before anything of the same level is added.
        hosts["request_headers_to_add"] = [_header("traceparent", "%DYNAMIC_METADATA(trace:traceparent)%")]
        hosts["most_specific_header_mutations_wins"] = True
        host["request_headers_to_add"] = [{**_header("traceparent", _TRACEPARENT), "append_action": "ADD_IF_ABSENT"}]
    router = _extension("router", "filters.http.router.v3.Router", suppress_envoy_headers=bool(manager))
    connection_manager = _extension(
        "http",
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="ingress",
        http_filters=[*filters, router],
        route_config=hosts,
        **manager,
    )
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": upstream}}]}]
    cluster = {"name": "upstream", "load_assignment": {"cluster_name": "upstream", "endpoints": endpoints}}
    listener = {"address": loopback(port), "filter_chains": [{"filters": [connection_manager]}]}
    admin = {"address": unix_socket(scratch / "admin.sock")}
    return {"admin": admin, "static_resources": {"listeners": [listener], "clusters": [cluster]}}
