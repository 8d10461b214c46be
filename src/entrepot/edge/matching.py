"""Matching: what of a request decides where it leads.

Paths are matched by a prefix map, whose cost does not grow with their number; a list of 10,000
routes would cost a quarter of a millisecond per request. The map's values are routes, or short lists
of them in which an exact path comes before the prefix that covers it.

`:path` carries the query, so an exact path too is a key of the prefix map, and the match inside its
route list, which Envoy makes on the path alone, settles it.

A pattern is asked once for each request, never by a route: Envoy would keep a compiled copy for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from entrepot.edge.xds import Json, encoded, extension, typed
from entrepot.ir.edge import LIVE_PATH, OWN_PREFIX

Taken = tuple[str, bool]
"""A path and whether it is exact; a prefix ends with "/"."""
AnyRoute = Json | msgspec.Raw
"""A route of Envoy's, as JSON or as the bytes of it."""
Entries = Mapping[Taken, Sequence[AnyRoute]]
"""By what they take."""

UNCLEAN_PATH = r"(?i)[^?]*(//|\\|%2f|%5c|%2e|%00|/\.\.?(;[^/?]*)?(/|\?|$)).*"
"""Paths, whatever their query, that a target might read otherwise than the edge did: empty and dot segments (with or
without parameters), backslashes, and the encodings of slash, backslash, dot and NUL."""

_METHODS = (
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "QUERY", "ACL", "BIND", "CHECKOUT", "COPY", "LINK",
    "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "M-SEARCH", "MOVE", "NOTIFY", "PROPFIND", "PROPPATCH",
    "PURGE", "REBIND", "REPORT", "SEARCH", "SOURCE", "SUBSCRIBE", "TRACE", "UNBIND", "UNLINK", "UNLOCK", "UNSUBSCRIBE",
)  # fmt: skip
"""Those that Envoy reads over HTTP/1.1, most used first; over HTTP/2 it takes any text, and would write it
into a request line."""
_TARGET = "[!-~]*"
"""The octets that a request's target may have: over HTTP/2 Envoy takes those above 0x7F too."""

_ROUTE, _ROUTE_LIST = "envoy.config.route.v3.Route", "envoy.config.route.v3.RouteList"
_TYPED = encoded(typed(_ROUTE))[:-1] + b","
_HEADER_INPUT = "envoy.type.matcher.v3.HttpRequestHeaderMatchInput"


def direct(status: int, detail: str = "") -> Json:
    """A route that is answered here."""
    body = {"body": {"inline_string": detail}} if detail else {}
    return {"match": {"prefix": "/"}, "direct_response": {"status": status, **body}}


UNCLEAN = direct(400, "the path holds a dot segment, an empty segment, a backslash or an encoded one of these")
"""What an unclean path gets where it is not for an operation."""
_NOT_FOUND = direct(404)


def matcher(entries: Entries, unclean: Entries | None) -> Json:
    """Where every request leads. `unclean` are the entries for unclean paths; None: the same as for others.

    What is no request of HTTP's, whatever address it names, is answered before the address is looked at.
    Envoy joins two Host lines to `a,b`, which is no host: what follows might believe either.
    """
    method = _any(_matches(":method", {"exact": each}) for each in _METHODS)
    refused = [
        (_matches(":authority", {"contains": ","}), "the request names more than one host"),
        (_not(method), "the request's method is none of HTTP's"),
        (_not(_pattern(":path", _TARGET)), "the request's target holds octets that no address has"),
    ]
    matchers = [{"predicate": when, "on_match": _action([direct(400, detail)])} for when, detail in refused]
    if unclean is not None:
        tree = _tree(unclean, UNCLEAN)
        matchers.append({"predicate": _pattern(":path", UNCLEAN_PATH), "on_match": {"matcher": tree}})
    return {"matcher_list": {"matchers": matchers}, "on_no_match": {"matcher": _tree(entries, _NOT_FOUND)}}


def above(path: str) -> Iterable[str]:
    """Every prefix that covers a path, the longest first; a prefix covers itself."""
    end = path.rfind("/") + 1
    while end:
        yield path[:end]
        end = path.rfind("/", 0, end - 1) + 1


def _tree(entries: Entries, otherwise: Json) -> Json:
    keys = {path for path, _ in entries if not _is_below_its_own(path, entries)}
    lists = {path: _action(_candidates(path, entries)) for path in keys}
    live = {"match": {"path": LIVE_PATH}, "direct_response": {"status": 200}}
    own = {LIVE_PATH: _action([live]), OWN_PREFIX: _action([_NOT_FOUND])}
    tree = {"input": _input(":path"), "prefix_match_map": {"map": {**lists, **own}}}
    return {"matcher_tree": tree, "on_no_match": _action([otherwise])}


def _is_below_its_own(path: str, entries: Entries) -> bool:
    """Whether it is a prefix `/old/` that has no exact route, and `/old` a key whose list it may as well stand in."""
    return (path, True) not in entries and (path[:-1], True) in entries


def _candidates(path: str, entries: Entries) -> list[AnyRoute]:
    """What a key of the prefix map leads to: the exact route, then the longest prefix that covers it.

    Envoy does not fall back to a shorter prefix when no route of a list matches: that is a 404.
    """
    below = f"{path}/"
    own = entries.get((below, False), ()) if _is_below_its_own(below, entries) else ()
    cover = entries.get((path, False)) or next(filter(None, (entries.get((each, False)) for each in above(path))), ())
    return [*entries.get((path, True), ()), *own, *cover]


def _matches(header_name: str, text: Json) -> Json:
    return {"single_predicate": {"input": _input(header_name), "value_match": text}}


def _pattern(header_name: str, regex: str) -> Json:
    return _matches(header_name, {"safe_regex": {"google_re2": {}, "regex": regex}})


def _not(predicate: Json) -> Json:
    return {"not_matcher": predicate}


def _any(predicates: Iterable[Json]) -> Json:
    return {"or_matcher": {"predicate": list(predicates)}}


def _input(header_name: str) -> Json:
    return extension("header", _HEADER_INPUT, {"header_name": header_name})


def _action(routes: Sequence[AnyRoute]) -> Json:
    settings = _alone(*routes) if len(routes) == 1 else typed(_ROUTE_LIST, {"routes": routes})
    return {"action": {"name": "routes", "typed_config": settings}}


def _alone(route: AnyRoute) -> AnyRoute:
    """A route that needs no list, of which Envoy makes less ado."""
    return typed(_ROUTE, route) if isinstance(route, dict) else msgspec.Raw(_TYPED + bytes(route)[1:])
