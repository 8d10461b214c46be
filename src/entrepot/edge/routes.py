"""Routes: where a path leads.

Paths are matched by a prefix map, whose cost does not grow with their number; a list of 10,000
routes would cost a quarter of a millisecond per request. The map's values are short route lists,
in which an exact path comes before the prefix that covers it.

`:path` carries the query, so an exact path too is a key of the prefix map, and the match inside its
route list, which Envoy makes on the path alone, settles it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from entrepot.edge import trace
from entrepot.edge.chain import EGRESS, HYGIENE, INGRESS, foreign_headers
from entrepot.edge.clusters import Workers, upstream_host, worker_cluster
from entrepot.edge.problems import UPSTREAM_KEY
from entrepot.edge.trace import METADATA
from entrepot.edge.xds import Json, duration, extension, header, typed
from entrepot.ir.edge import LIVE_PATH, OWN_PREFIX, EdgeIR, PoolTarget, Route, UpstreamTarget
from entrepot.ir.egress import ANSWERED, HOST_SUFFIX, MARK
from entrepot.model.upstream import Upstream

UNCLEAN_PATH = r"(?i).*(//|\\|%2f|%5c|%2e|%00|/\.\.?(;[^/]*)?(/.*)?$).*"
"""Paths that a target might read otherwise than the edge did: empty and dot segments (with or
without parameters), backslashes, and the encodings of slash, backslash, dot and NUL."""

_IDEMPOTENT_METHODS = "GET|HEAD|OPTIONS|QUERY|PUT|DELETE"
_NEVER_ARRIVED = "connect-failure,refused-stream,reset-before-request"
_MAY_REPEAT = "connect-failure,refused-stream,reset"
_WORKER_RETRIES = 2
"""One for the worker that died with the request, one for a connection that was dying with it. A request that
kills workers kills no more than these."""
_WORKER_RETRY_BACKOFF = 0.01
"""Seconds, within which Envoy has seen the end of all of a dead worker's connections."""

_METHODS = (
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "QUERY", "ACL", "BIND", "CHECKOUT", "COPY", "LINK",
    "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "M-SEARCH", "MOVE", "NOTIFY", "PROPFIND", "PROPPATCH",
    "PURGE", "REBIND", "REPORT", "SEARCH", "SOURCE", "SUBSCRIBE", "TRACE", "UNBIND", "UNLINK", "UNLOCK", "UNSUBSCRIBE",
)  # fmt: skip
"""Those that Envoy reads over HTTP/1.1, most used first; over HTTP/2 it takes any text, and would write it
into a request line."""
_TARGET = "[!-~]*"
"""The octets that a request's target may have: over HTTP/2 Envoy takes those above 0x7F too."""

CLIENT = "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"
"""Envoy itself would tell targets this machine's own address of a client on it."""

_MOVED = "PERMANENT_REDIRECT"
"""308: with the method, body and query that came."""

_ROUTE_LIST = "envoy.config.route.v3.RouteList"
_HEADER_INPUT = "envoy.type.matcher.v3.HttpRequestHeaderMatchInput"
_PREVIOUS_HOSTS = "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"


class Target(msgspec.Struct, frozen=True):
    """An upstream, and the cluster that reaches it."""

    upstream: Upstream
    cluster: str


def ingress_routes(edge: EdgeIR, workers: Workers, targets: Mapping[str, Target]) -> Json:
    """The route configuration of the ingress; `targets` are by the name of the upstream."""
    entries = _slashless(edge.routes)
    entries |= {(route.path, route.exact): _entries(route, workers, targets) for route in edge.routes}
    lists = {path: _candidates(path, entries) for path, _ in entries}
    tree = {"matcher_tree": {"input": _input(":path"), "prefix_match_map": {"map": _map({**lists, **_own()})}}}
    tree["on_no_match"] = _action([_not_found()])
    return {
        "name": INGRESS,
        "virtual_hosts": [{"name": "all", "domains": ["*"], "matcher": _refuse_first(tree)}],
        "request_headers_to_add": [*trace.headers(), header("x-forwarded-for", CLIENT)],
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


def _candidates(path: str, entries: Mapping[tuple[str, bool], list[Json]]) -> list[Json]:
    """What a key of the prefix map leads to: the exact route, then the longest prefix that covers it.

    Envoy does not fall back to a shorter prefix when no route of a list matches.
    """
    ends = [end for end, character in enumerate(path, 1) if character == "/"]
    covers = (entries[path[:end], False] for end in reversed(ends) if (path[:end], False) in entries)
    return [*entries.get((path, True), ()), *next(covers, [_not_found()])]


def _slashless(routes: Iterable[Route]) -> dict[tuple[str, bool], list[Json]]:
    """`/old` leads to `/old/` when all below that is somebody else's: relative links need the slash.

    Not for operations, whose addresses are exact.
    """
    return {
        (bare, True): [{"match": {"path": bare}, "redirect": {"path_redirect": route.path, "response_code": _MOVED}}]
        for route in routes
        if not route.raw_path and not route.exact and (bare := route.path.rstrip("/"))
    }


def _own() -> dict[str, list[Json]]:
    live = {"match": {"path": LIVE_PATH}, "direct_response": {"status": 200}}
    return {LIVE_PATH: [live, _not_found()], OWN_PREFIX: [_not_found()]}


def _refuse_first(tree: Json) -> Json:
    """What is no request of HTTP's, whatever address it names, is answered before the address is looked at.

    Envoy joins two Host lines to `a,b`, which is no host: what follows might believe either.
    """
    method = _any(_matches(":method", {"exact": each}) for each in _METHODS)
    target = _matches(":path", {"safe_regex": {"google_re2": {}, "regex": _TARGET}})
    refused = [
        (_matches(":authority", {"contains": ","}), "the request names more than one host"),
        (_not(method), "the request's method is none of HTTP's"),
        (_not(target), "the request's target holds octets that no address has"),
    ]
    matchers = [{"predicate": when, "on_match": _action([_direct(400, detail)])} for when, detail in refused]
    return {"matcher_list": {"matchers": matchers}, "on_no_match": {"matcher": tree}}


def _matches(header_name: str, text: Json) -> Json:
    return {"single_predicate": {"input": _input(header_name), "value_match": text}}


def _not(predicate: Json) -> Json:
    return {"not_matcher": predicate}


def _any(predicates: Iterable[Json]) -> Json:
    return {"or_matcher": {"predicate": list(predicates)}}


def _input(header_name: str) -> Json:
    return extension("header", _HEADER_INPUT, {"header_name": header_name})


def _map(lists: Mapping[str, list[Json]]) -> Json:
    return {path: _action(routes) for path, routes in lists.items()}


def _action(routes: list[Json]) -> Json:
    return {"action": {"name": "routes", "typed_config": typed(_ROUTE_LIST, {"routes": routes})}}


def _direct(status: int, detail: str = "") -> Json:
    body = {"body": {"inline_string": detail}} if detail else {}
    return {"match": {"prefix": "/"}, "direct_response": {"status": status, **body}}


def _not_found() -> Json:
    return _direct(404)


def _entries(route: Route, workers: Workers, targets: Mapping[str, Target]) -> list[Json]:
    match route.target:
        case PoolTarget(pool):
            action = _pool_action(route, worker_cluster(pool, workers.generation))
            again, once = _worker_retry(_MAY_REPEAT), _worker_retry(_NEVER_ARRIVED)
        case UpstreamTarget(upstream=name, strip_prefix=strip):
            upstream = targets[name].upstream
            action = _upstream_action(route, targets[name], strip=strip)
            again, once = _upstream_retry(upstream, f"{_MAY_REPEAT},gateway-error"), _upstream_retry(upstream)
    method = {"name": ":method", "string_match": {"safe_regex": {"regex": _IDEMPOTENT_METHODS}}}
    path = {"path": route.path} if route.exact else {"prefix": route.path}
    repeatable = {"match": {**path, "headers": [method]}, "route": {**action, **again}}
    unrepeatable = {"match": path, "route": {**action, **once}}
    split = [{"name": route.path, **entry, **_about(route)} for entry in (repeatable, unrepeatable)]
    return split if route.raw_path or route.exact else [_refuse_unclean(), *split]


def _about(route: Route) -> Json:
    """What filters, logs and answers are told about a route."""
    about: Json = {} if route.raw_path else {"typed_per_filter_config": {HYGIENE.name: foreign_headers()}}
    if isinstance(route.target, UpstreamTarget):
        about["metadata"] = {"filter_metadata": {METADATA: {UPSTREAM_KEY: route.target.upstream}}}
    return about


def _refuse_unclean() -> Json:
    refusal = _direct(400, "the path holds a dot segment, an empty segment, a backslash or an encoded one of these")
    return {**refusal, "match": {"safe_regex": {"regex": UNCLEAN_PATH}}}


def _pool_action(route: Route, cluster: str) -> Json:
    # The worker keeps the deadlines of operations: it knows them, and can say which one passed. If it is
    # there: its socket takes connections whether it is or not.
    silence = {} if route.silence is None else {"idle_timeout": duration(route.silence)}
    return {"cluster": cluster, "timeout": duration(route.timeout or 0.0), **silence, **_upgrades(route)}


def _upstream_action(route: Route, target: Target, *, strip: bool) -> Json:
    upstream = target.upstream
    kept = "/" if strip and not route.exact else ("" if strip else route.path)
    action = {
        "cluster": target.cluster,
        "timeout": duration(route.timeout or 0.0),
        "host_rewrite_literal": upstream_host(upstream),
        "append_x_forwarded_host": True,
        **_upgrades(route),
    }
    if strip or upstream.base_path:
        action["prefix_rewrite"] = f"{upstream.base_path}{kept}" or "/"
    return action


def _upgrades(route: Route) -> Json:
    return {} if route.raw_path else {"upgrade_configs": [{"upgrade_type": "websocket"}]}


def _worker_retry(retry_on: str) -> Json:
    backoff = {"base_interval": duration(_WORKER_RETRY_BACKOFF)}
    policy = {"retry_on": retry_on, "num_retries": _WORKER_RETRIES, "retry_back_off": backoff, **_other_host()}
    return {"retry_policy": policy}


def _upstream_retry(upstream: Upstream, retry_on: str = _NEVER_ARRIVED) -> Json:
    """The upstream's timeout is that of a try, which ends when the answer begins: so it cuts no stream,
    and the longer deadline that a worker hints at does not lift it."""
    retry = upstream.retry
    limit = {"num_retries": retry.attempts - 1, "per_try_timeout": duration(retry.per_try_timeout or upstream.timeout)}
    if retry.attempts <= 1:
        return {"retry_policy": limit}
    return {"retry_policy": {"retry_on": retry_on, **limit, **_other_host()}}


def _other_host() -> Json:
    predicate = extension("previous_hosts", _PREVIOUS_HOSTS)
    return {"retry_host_predicate": [predicate], "host_selection_retry_max_attempts": 5}


def _egress_host(target: Target) -> Json:
    """Workers add `x-envoy-retry-on` for what may be repeated; it adds to the conditions here."""
    upstream = target.upstream
    action = {
        "cluster": target.cluster,
        "timeout": "0s",
        "host_rewrite_literal": upstream_host(upstream),
        **_upstream_retry(upstream),
    }
    host = {
        "name": upstream.name,
        "domains": [upstream.name + HOST_SUFFIX],
        "routes": [{"match": {"prefix": "/"}, "route": action}],
    }
    if upstream.retry.attempts <= 1:
        host["request_headers_to_remove"] = ["x-envoy-retry-on", "x-envoy-max-retries"]
    return host
