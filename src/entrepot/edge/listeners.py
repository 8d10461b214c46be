"""Listeners: the ingress on TCP, the egress on a Unix socket, and what they log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from entrepot.edge import chain
from entrepot.edge.chain import EGRESS, EGRESS_CHAIN, INGRESS, INGRESS_CHAIN, HttpFilter
from entrepot.edge.clusters import BUFFER_BYTES
from entrepot.edge.metadata import kept
from entrepot.edge.trace import TRACE_ID
from entrepot.edge.xds import Json, extension, own_pipe, typed
from entrepot.ir.edge import EdgeIR
from entrepot.ir.layout import Layout

_FILE_LOG = "envoy.extensions.access_loggers.file.v3.FileAccessLog"

# Bounded fields, and no query strings: they carry what is nobody's business.
_REQUEST_FIELDS = {
    "time": "%START_TIME%",
    "method": "%REQ(:METHOD):16%",
    "path": "%PATH(NQ:PATH):256%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "reason": "%RESPONSE_CODE_DETAILS%",
    "duration_ms": "%DURATION%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "cluster": "%UPSTREAM_CLUSTER%",
    "upstream_failure": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
}
_INGRESS_FIELDS = {
    **_REQUEST_FIELDS,
    "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "route": "%ROUTE_NAME%",
    "operation": kept("operation", 128),
    "trace_id": TRACE_ID,
}
_EGRESS_FIELDS = {**_REQUEST_FIELDS, "host": "%REQ(:AUTHORITY):128%", "traceparent": "%REQ(TRACEPARENT):55%"}


def access_log(layout: Layout, listener: str) -> Path:
    """One JSON object a line: every request of the ingress; of the egress those that Envoy answered."""
    return layout.logs / f"{listener}.log"


class Links(msgspec.Struct, frozen=True):
    """How a listener comes by what changes: by discovery when it runs, in place when it is validated."""

    routes: Mapping[str, Json]
    """By listener: the connection manager's field that leads to its routes."""
    settings: Mapping[str, Json]
    """By discovered filter: the field that leads to its settings."""


def listeners(edge: EdgeIR, layout: Layout, links: Links) -> list[Json]:
    """Both listeners."""
    return [_ingress(edge, layout, links), _egress(layout, links)]


def _ingress(edge: EdgeIR, layout: Layout, links: Links) -> Json:
    log = [_json_log(layout, INGRESS, _INGRESS_FIELDS, {"not_health_check_filter": {}})]
    manager = chain.ingress_manager(links.routes[INGRESS], _filters(INGRESS_CHAIN, links), log)
    return {
        "name": INGRESS,
        "traffic_direction": "INBOUND",
        "address": {"socket_address": {"address": edge.address, "port_value": edge.port}},
        # A forgotten Envoy would share the port in silence and answer with an old release.
        "enable_reuse_port": False,
        **_bounded([manager]),
    }


def _egress(layout: Layout, links: Links) -> Json:
    log = [_json_log(layout, EGRESS, _EGRESS_FIELDS, {"response_flag_filter": {}})]
    manager = chain.egress_manager(links.routes[EGRESS], _filters(EGRESS_CHAIN, links), log)
    return {
        "name": EGRESS,
        # Outbound listeners go on while inbound ones drain: requests in progress still need upstreams.
        "traffic_direction": "OUTBOUND",
        "address": own_pipe(layout.egress_socket),
        # A flood of clients must leave the way to the upstreams alone.
        "ignore_global_conn_limit": True,
        "bypass_overload_manager": True,
        **_bounded([manager]),
    }


def _bounded(network_filters: list[Json]) -> Json:
    chains = [{"filters": network_filters}]
    return {"filter_chains": chains, "per_connection_buffer_limit_bytes": BUFFER_BYTES}


def _filters(http_filters: Sequence[HttpFilter], links: Links) -> list[Json]:
    return [{"name": each.name, **_settings(each, links)} for each in http_filters]


def _settings(http_filter: HttpFilter, links: Links) -> Json:
    if http_filter.settings is None:
        return links.settings[http_filter.name]
    off = {"disabled": True} if http_filter.by_route else {}
    return {"typed_config": typed(http_filter.message, http_filter.settings), **off}


def _json_log(layout: Layout, name: str, fields: Mapping[str, str], logged: Json) -> Json:
    log_format = {"json_format": fields, "omit_empty_values": True}
    settings = {"path": str(access_log(layout, name)), "log_format": log_format}
    return {**extension("file", _FILE_LOG, settings), "filter": logged}
