"""What Envoy is given for a release, with the paths of a site that does not exist."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from entrepot.edge.clusters import Workers
from entrepot.edge.emit import Rendering, emit
from entrepot.ir.edge import EdgeIR
from entrepot.ir.layout import Layout
from support.tables import edge_table

LAYOUT = Layout(Path("/site"), Path("/site/state"), Path("/site/run"))


def rendering_of(edge: EdgeIR, layout: Layout = LAYOUT, ca_bundle: Path = Path("/site/ca.pem")) -> Rendering:
    """On two workers for each pool."""
    sockets = {pool: (layout.worker_socket("g1", pool, 0), layout.worker_socket("g1", pool, 1)) for pool in edge.pools}
    return emit(edge, Workers("g1", sockets), layout, ca_bundle)


def what_matters(edge: EdgeIR) -> dict[str, Any]:
    """Routes and clusters, without what every release has: the project's paths, what they share, what lies behind."""
    rendering = rendering_of(edge)
    (shared, paths), (alike, own) = _ingress(rendering), _ingress(rendering_of(edge_table()))
    return {
        "shared": {name: value for name, value in shared.items() if alike.get(name) != value},
        "paths": {path: entry["action"]["typed_config"] for path, entry in paths.items() if path not in own},
        "egress": _hosts(rendering, 1),
        "clusters": [*rendering.clusters.values()],
    }


def _ingress(rendering: Rendering) -> tuple[dict[str, Any], dict[str, Any]]:
    """What all routes share, and what each path leads to."""
    [host] = _hosts(rendering, 0)
    matcher = host.pop("matcher")["on_no_match"]["matcher"]["matcher_tree"]
    return host, matcher["prefix_match_map"]["map"]


def _hosts(rendering: Rendering, index: int) -> list[dict[str, Any]]:
    [routes] = json.loads(rendering.routes[index].content)["resources"]
    return list(routes["virtual_hosts"])
