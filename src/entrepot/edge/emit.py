"""EdgeIR to Envoy's files. Pure: the same values give the same bytes.

Each release is rendered twice from one IR. The *files* are what a running Envoy watches: one
directory for each discovered resource. The *static* rendering holds everything in place, because
`envoy --mode validate` does not read files that are discovered.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from entrepot.edge import chain
from entrepot.edge.chain import EGRESS, INGRESS
from entrepot.edge.clusters import Workers, upstream_clusters, worker_clusters, worker_endpoints
from entrepot.edge.listeners import Links, listeners
from entrepot.edge.routes import Target, egress_routes, ingress_routes
from entrepot.edge.xds import Json, discovery, encoded, extension, own_pipe, typed, watched
from entrepot.ir.edge import EdgeIR
from entrepot.ir.layout import Layout

BOOTSTRAP = Path("bootstrap.json")
"""Below `Layout.edge`, like every path of this module."""

Kind = Literal["eds", "cds", "ecds", "rds", "lds"]

_MESSAGES: dict[Kind, str] = {
    "eds": "envoy.config.endpoint.v3.ClusterLoadAssignment",
    "cds": "envoy.config.cluster.v3.Cluster",
    "ecds": "envoy.config.core.v3.TypedExtensionConfig",
    "rds": "envoy.config.route.v3.RouteConfiguration",
    "lds": "envoy.config.listener.v3.Listener",
}
_LISTENERS, _CLUSTERS = "listeners", "clusters"
_CONNECTION_LIMIT = "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
_HEAP_LIMIT = "envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig"
_HEAP = "envoy.resource_monitors.fixed_heap"
_NEAR_THE_HEAP_LIMIT = {
    "envoy.overload_actions.shrink_heap": 0.95,
    "envoy.overload_actions.stop_accepting_requests": 0.98,
}
"""What Envoy does from which part of its memory on. Connections alone do not bound it: one of HTTP/2 carries a hundred
requests, each with buffers of its own."""


class _Head(msgspec.Struct):
    version_info: str


class File(msgspec.Struct, frozen=True):
    """One discovered resource, or all of the clusters, or all of the listeners."""

    kind: Kind
    name: str
    version: str
    """What Envoy reports once it has accepted the content."""
    content: bytes

    @classmethod
    def read(cls, path: Path, content: bytes) -> File:
        """The file that stands at `path`. Raises `msgspec.DecodeError` when it is none of ours."""
        kind, name, _ = path.parts
        return cls(msgspec.convert(kind, Kind), name, msgspec.json.decode(content, type=_Head).version_info, content)

    @property
    def path(self) -> Path:
        """Alone in its directory: Envoy reads all that it watches there at every rename."""
        return _path(self.kind, self.name)

    @property
    def statistics(self) -> str:
        """The prefix of Envoy's statistics about it, as `version_text` and `update_rejected`."""
        return {
            "eds": f"cluster.{self.name}",
            "cds": "cluster_manager.cds",
            "ecds": f"extension_config_discovery.http_filter.{self.name}",
            "rds": f"http.{self.name}.rds.{self.name}",
            "lds": "listener_manager.lds",
        }[self.kind]


class Rendering(msgspec.Struct, frozen=True, kw_only=True):
    """All that Envoy is given for one release."""

    bootstrap: bytes
    static: bytes
    endpoints: tuple[File, ...]
    clusters: Mapping[str, Json]
    """By name; `cluster_file` makes the file, which holds the old ones too while a release is delivered."""
    settings: tuple[File, ...]
    """Of the discovered filters."""
    routes: tuple[File, ...]
    listeners: File
    worker_clusters: tuple[str, ...]
    upstream_clusters: tuple[str, ...]

    @property
    def files(self) -> tuple[File, ...]:
        """Every file, in the order in which they must be written."""
        return (*self.endpoints, cluster_file(self.clusters), *self.settings, *self.routes, self.listeners)


class _Parts(msgspec.Struct, frozen=True):
    """A release in Envoy's words, by name, before it is known how Envoy comes by each."""

    worker_clusters: Mapping[str, Json]
    endpoints: Mapping[str, Json]
    upstream_clusters: Mapping[str, Json]
    settings: Mapping[str, Json]
    routes: Mapping[str, Json]


def emit(edge: EdgeIR, workers: Workers, layout: Layout, ca_bundle: Path) -> Rendering:
    """Render a release. `ca_bundle` is the PEM file that verifies upstreams which name none."""
    pools, upstreams = worker_clusters(edge, workers), upstream_clusters(edge, ca_bundle, layout.files)
    targets = {each.name: Target.of(each, upstreams[each.name]["name"]) for each in edge.upstreams}
    parts = _Parts(
        worker_clusters=pools,
        endpoints=worker_endpoints(edge, workers),
        upstream_clusters={cluster["name"]: cluster for cluster in upstreams.values()},
        settings=chain.discovered_settings(pools),
        routes={INGRESS: ingress_routes(edge, workers, targets), EGRESS: egress_routes(targets)},
    )
    settings = {name: {"name": name, "typed_config": message} for name, message in parts.settings.items()}
    return Rendering(
        bootstrap=encoded(_bootstrap(edge, layout, _discovery(layout))),
        static=encoded(_bootstrap(edge, layout, _in_place(edge, layout, parts))),
        endpoints=_files("eds", parts.endpoints),
        clusters={**_watched_endpoints(parts, layout), **parts.upstream_clusters},
        settings=_files("ecds", settings),
        routes=_files("rds", parts.routes),
        listeners=_file("lds", _LISTENERS, listeners(edge, layout, _watched_links(parts, layout))),
        worker_clusters=tuple(pools),
        upstream_clusters=tuple(parts.upstream_clusters),
    )


def cluster_file(clusters: Mapping[str, Json]) -> File:
    """The one file that holds all clusters."""
    return _file("cds", _CLUSTERS, list(clusters.values()))


def clusters_in(content: bytes) -> dict[str, Json]:
    """The clusters of a cluster file, by name."""
    resources = msgspec.json.decode(content)["resources"]
    return {cluster["name"]: cluster for cluster in resources}


def _path(kind: Kind, name: str) -> Path:
    return Path(kind, name, "resources.json")


def _files(kind: Kind, resources: Mapping[str, Json]) -> tuple[File, ...]:
    return tuple(_file(kind, name, [resource]) for name, resource in resources.items())


def _file(kind: Kind, name: str, resources: list[Json]) -> File:
    version, content = discovery([typed(_MESSAGES[kind], resource) for resource in resources])
    return File(kind, name, version, content)


def _source(layout: Layout, kind: Kind, name: str) -> Json:
    return watched(layout.edge / _path(kind, name))


def _discovery(layout: Layout) -> Json:
    sources = {"lds_config": _source(layout, "lds", _LISTENERS), "cds_config": _source(layout, "cds", _CLUSTERS)}
    return {"dynamic_resources": sources}


def _watched_endpoints(parts: _Parts, layout: Layout) -> dict[str, Json]:
    return {
        name: {**cluster, "eds_cluster_config": {"eds_config": _source(layout, "eds", name)}}
        for name, cluster in parts.worker_clusters.items()
    }


def _watched_links(parts: _Parts, layout: Layout) -> Links:
    return Links(
        routes={
            name: {"rds": {"route_config_name": name, "config_source": _source(layout, "rds", name)}}
            for name in parts.routes
        },
        settings={
            name: {
                "config_discovery": {
                    "config_source": _source(layout, "ecds", name),
                    "type_urls": [message["@type"]],
                }
            }
            for name, message in parts.settings.items()
        },
    )


def _in_place(edge: EdgeIR, layout: Layout, parts: _Parts) -> Json:
    links = Links(
        routes={name: {"route_config": configuration} for name, configuration in parts.routes.items()},
        settings={name: {"typed_config": message} for name, message in parts.settings.items()},
    )
    workers = [
        {**cluster, "type": "STATIC", "load_assignment": parts.endpoints[name]}
        for name, cluster in parts.worker_clusters.items()
    ]
    clusters = [*workers, *parts.upstream_clusters.values()]
    return {"static_resources": {"listeners": listeners(edge, layout, links), "clusters": clusters}}


def _overload(edge: EdgeIR) -> Json:
    connections = {"max_active_downstream_connections": edge.connections_max}
    heap = {"max_heap_size_bytes": edge.memory_max}
    return {
        "resource_monitors": [
            extension("envoy.resource_monitors.global_downstream_max_connections", _CONNECTION_LIMIT, connections),
            extension(_HEAP, _HEAP_LIMIT, heap),
        ],
        "actions": [
            {"name": action, "triggers": [{"name": _HEAP, "threshold": {"value": share}}]}
            for action, share in _NEAR_THE_HEAP_LIMIT.items()
        ],
    }


def _bootstrap(edge: EdgeIR, layout: Layout, resources: Json) -> Json:
    """What only a restart of Envoy changes."""
    return {
        "node": {"id": "edge", "cluster": "entrepot"},
        "admin": {"address": own_pipe(layout.edge_admin_socket)},
        "overload_manager": _overload(edge),
        "layered_runtime": {"layers": [{"name": "ours", "static_layer": chain.RUNTIME}]},
        **resources,
    }
