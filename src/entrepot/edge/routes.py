"""Routes: what becomes of a request whose path is matched.

What all routes have alike is said once, for the virtual host, since Envoy's work for a release is a sum over routes:
the headers that foreign targets may not send, the usual further tries. Routes to workers, which are few, take it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

import msgspec

from entrepot.edge import matching, retries, trace
from entrepot.edge.chain import EGRESS, HYGIENE, INGRESS, foreign_headers
from entrepot.edge.clusters import Workers, upstream_host, worker_cluster
from entrepot.edge.matching import UNCLEAN, Taken, above
from entrepot.edge.retries import RETRY_ON, Tries
from entrepot.edge.xds import Json, duration, encoded, header, typed
from entrepot.ir.edge import EdgeIR, PoolTarget, Route, UpstreamTarget
from entrepot.ir.egress import ANSWERED, HOST_SUFFIX, MARK
from entrepot.model.upstream import Upstream

KEPT_ROUTES = 20_000
"""Most routes whose rendering is kept from one release to the next."""

CLIENT = "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"
"""Envoy itself would tell targets this machine's own address of a client on it."""

_MOVED = "PERMANENT_REDIRECT"
"""308: with the method, body and query that came."""

_FILTER_CONFIG = "envoy.config.route.v3.FilterConfig"

_Entries = Mapping[Taken, tuple[msgspec.Raw, ...]]


class Target(msgspec.Struct, frozen=True):
    """An upstream as a route sees it, and the cluster that reaches it."""

    upstream: str
    cluster: str
    host: str
    base_path: str
    tries: Tries

    @classmethod
    def of(cls, upstream: Upstream, cluster: str) -> Target:
        return cls(upstream.name, cluster, upstream_host(upstream), upstream.base_path, Tries.of(upstream))


def ingress_routes(edge: EdgeIR, workers: Workers, targets: Mapping[str, Target]) -> Json:
    """The route configuration of the ingress; `targets` are by the name of the upstream."""
    led = [route.target.upstream for route in edge.routes if isinstance(route.target, UpstreamTarget)]
    usual = retries.usual(targets[name].tries for name in led)
    entries = {(route.path, route.exact): _entries(route, workers, targets, usual) for route in edge.routes}
    host: Json = {
        "name": "all",
        "domains": ["*"],
        "matcher": matching.matcher({**_slashless(edge.routes), **entries}, _unclean(edge.routes, entries)),
        "typed_per_filter_config": {HYGIENE.name: foreign_headers()},
        "request_headers_to_add": [trace.begun()],
    }
    if usual is not None:
        host["request_headers_to_add"] += [retries.repeatable()]
        host |= usual.policy
    return {
        "name": INGRESS,
        "virtual_hosts": [host],
        "request_headers_to_add": [trace.followed(), header("x-forwarded-for", CLIENT)],
        "most_specific_header_mutations_wins": True,
        "validate_clusters": True,
    }


def egress_routes(targets: Mapping[str, Target]) -> Json:
    """The route configuration of the egress: one virtual host for each upstream."""
    return {
        "name": EGRESS,
        "virtual_hosts": [_egress_host(target) for target in targets.values()],
        "request_headers_to_remove": ["x-envoy-internal", "x-forwarded-proto", "x-envoy-original-host"],
        "response_headers_to_add": [header(MARK, ANSWERED)],
        "validate_clusters": True,
    }


def _slashless(routes: Iterable[Route]) -> _Entries:
    """`/old` leads to `/old/` when all below that is somebody else's: relative links need the slash.

    Not for operations, whose addresses are exact.
    """
    return {
        (bare, True): _to_slash(bare)
        for route in routes
        if not route.raw_path and not route.exact and (bare := route.path.rstrip("/"))
    }


def _unclean(routes: Iterable[Route], entries: _Entries) -> _Entries | None:
    """What an unclean path leads to: operations, to which it is data, and nothing else. None: all are operations."""
    raw = {route.path for route in routes if route.raw_path and not route.exact}
    foreign = [route.path for route in routes if not route.raw_path and not route.exact]
    if not foreign:
        return None
    kept = {(route.path, route.exact): entries[route.path, route.exact] for route in routes if route.raw_path}
    hiding = [path for path in foreign if any(each in raw for each in above(path))] if raw else []
    refused = {(path, False): (_UNCLEAN,) for path in hiding}
    return {**refused, **kept}


def _entries(
    route: Route, workers: Workers, targets: Mapping[str, Target], usual: Tries | None
) -> tuple[msgspec.Raw, ...]:
    match route.target:
        case PoolTarget(pool):
            return _to_workers(route, worker_cluster(pool, workers.generation))
        case UpstreamTarget(upstream=name):
            return _to_upstream(route, targets[name], usual)


@lru_cache(maxsize=KEPT_ROUTES)
def _to_slash(bare: str) -> tuple[msgspec.Raw, ...]:
    redirect = {"path_redirect": f"{bare}/", "response_code": _MOVED}
    return (_raw({"match": {"path": bare}, "redirect": redirect}),)


@lru_cache(maxsize=KEPT_ROUTES)
def _to_workers(route: Route, cluster: str) -> tuple[msgspec.Raw, ...]:
    # The worker keeps the deadlines of operations: it knows them, and can say which one passed. If it is
    # there: its socket takes connections whether it is or not.
    silence = {} if route.silence is None else {"idle_timeout": duration(route.silence)}
    action = {
        "cluster": cluster,
        "timeout": duration(route.timeout or 0.0),
        "upgrade_configs": [{"upgrade_type": "websocket", "enabled": False}],
        **silence,
    }
    common: Json = {"name": route.path, "request_headers_to_remove": [RETRY_ON]}
    if route.raw_path:
        common["typed_per_filter_config"] = {HYGIENE.name: typed(_FILTER_CONFIG, {"disabled": True})}
    return tuple(
        _raw({**common, "match": {**_path(route), **also}, "route": {**action, **policy}})
        for also, policy in retries.of_workers()
    )


@lru_cache(maxsize=KEPT_ROUTES)
def _to_upstream(route: Route, target: Target, usual: Tries | None) -> tuple[msgspec.Raw, ...]:
    entry = {
        "name": route.path,
        "match": _path(route),
        "route": {**_upstream_action(route, target), **({} if target.tries == usual else target.tries.policy)},
    }
    if target.tries.attempts <= 1:
        entry["request_headers_to_remove"] = [RETRY_ON]
    return (_raw(entry),)


def _upstream_action(route: Route, target: Target) -> Json:
    assert isinstance(route.target, UpstreamTarget)
    strip = route.target.strip_prefix
    kept = "/" if strip and not route.exact else ("" if strip else route.path)
    action = {
        "cluster": target.cluster,
        "timeout": duration(route.timeout or 0.0),
        "host_rewrite_literal": target.host,
        "append_x_forwarded_host": True,
    }
    if strip or target.base_path:
        action["prefix_rewrite"] = f"{target.base_path}{kept}" or "/"
    return action


def _path(route: Route) -> Json:
    return {"path": route.path} if route.exact else {"prefix": route.path}


def _raw(route: Json) -> msgspec.Raw:
    return msgspec.Raw(encoded(route))


_UNCLEAN = _raw(UNCLEAN)


@lru_cache(maxsize=KEPT_ROUTES)
def _egress_host(target: Target) -> msgspec.Raw:
    """Workers add `x-envoy-retry-on` for what may be repeated; it adds to the conditions here."""
    action = {
        "cluster": target.cluster,
        "timeout": "0s",
        "host_rewrite_literal": target.host,
        **target.tries.policy,
    }
    host = {
        "name": target.upstream,
        "domains": [target.upstream + HOST_SUFFIX],
        "routes": [{"match": {"prefix": "/"}, "route": action}],
    }
    if target.tries.attempts <= 1:
        host["request_headers_to_remove"] = [RETRY_ON, "x-envoy-max-retries"]
    return _raw(host)
