"""inherit: what holds where nothing nearer says so.

The precedence is written here and nowhere else: operation in the declaration, then operation in
the code, then service, then project, then the default of the model. An environment's overrides
have been merged into the declaration when it was loaded. An upstream's timeout bounds every call
that goes there, whatever it may take otherwise.
"""

from __future__ import annotations

import contextlib
import math
import operator
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from entrepot.compiler.addresses import Url, parse_base_path, parse_endpoint, parse_listen, parse_url
from entrepot.compiler.credentials import kept_credential
from entrepot.compiler.draft import Draft, Settings, Unit
from entrepot.ir.worker import Called, PythonSource, UpstreamSource
from entrepot.kit.limits import Limits
from entrepot.kit.names import words
from entrepot.model.operation import Operation
from entrepot.model.security import KeptCredential
from entrepot.model.upstream import Ejection, HealthCheck, Retry, Tls, Upstream
from entrepot.spec.declaration import (
    EjectionEntry,
    HealthEntry,
    LimitsEntry,
    RetryEntry,
    TlsEntry,
    UpstreamEntry,
)
from entrepot.spec.units import octets, seconds

LIMIT_KEYS = {
    "body_bytes_max": "body",
    "file_bytes_max": "file",
    "reply_bytes_max": "reply",
    "stream_item_bytes_max": "stream_item",
    "depth_max": "depth",
    "number_digits_max": "number_digits",
    "issues_max": "issues",
    "batch_max": "batch",
    "batch_concurrency_max": "batch_concurrency",
}
"""By limit of a call: its key under `limits` in the declaration."""


def inherit(draft: Draft) -> Draft:
    """The draft with its settings, upstreams, timeouts and base paths filled in."""
    draft = replace(draft, settings=_settings(draft), upstreams=_upstreams(draft))
    return replace(draft, units=tuple(_inherited(draft, unit) for unit in draft.units))


def _settings(draft: Draft) -> Settings:
    declaration = draft.declaration
    given: dict[str, Any] = _given(
        workers=declaration.workers, threads=declaration.threads, releases=declaration.releases
    )
    limits = declaration.limits
    given |= _given(connections_max=limits.connections, edge_memory_max=_octets(limits.edge_memory))
    given |= _given(timeout=_seconds(declaration.timeout))
    if declaration.listen is not None:
        with contextlib.suppress(ValueError):  # its rule reports it
            given["address"], given["port"] = parse_listen(declaration.listen)
    return Settings(name=declaration.name or _name(draft), limits=_limits(declaration.limits), **given)


def _name(draft: Draft) -> str:
    loaded = draft.loaded
    return next(iter(loaded.declaration.services)) if loaded.standalone else "-".join(words(loaded.project.name))


def _limits(entry: LimitsEntry) -> Limits:
    given = _given(**{name: getattr(entry, key) for name, key in LIMIT_KEYS.items()})
    return Limits(**{name: octets(each) if isinstance(each, str) else each for name, each in given.items()})


def _upstreams(draft: Draft) -> dict[str, Upstream]:
    found = ((name, _upstream(name, entry)) for name, entry in draft.declaration.upstreams.items())
    return {name: upstream for name, upstream in found if upstream is not None}


def _upstream(name: str, entry: UpstreamEntry) -> Upstream | None:
    """The upstream; None when its addresses cannot be read, which their rule reports."""
    try:
        url = parse_url(entry.url) if entry.url is not None else None
        endpoints = (url.endpoint,) if url else tuple(parse_endpoint(each) for each in entry.endpoints)
        base_path = parse_base_path(entry.base_path) if entry.base_path is not None else ""
    except ValueError:
        return None
    if not endpoints:
        return None
    given = _given(
        host=entry.host,
        balance=entry.balance,
        timeout=_seconds(entry.timeout),
        connect_timeout=_seconds(entry.connect_timeout),
        retry=_retry(entry.retry),
        health=_health(entry.health),
        connections_max=entry.connections_max,
        requests_max=entry.requests_max,
        requests_per_connection=entry.requests_per_connection,
    )
    if entry.ejection is not None:
        given["ejection"] = _ejection(entry.ejection)
    return Upstream(
        name=name,
        endpoints=endpoints,
        base_path=base_path or (url.base_path if url and entry.base_path is None else ""),
        tls=_tls(entry.tls, url, endpoints[0].host),
        **given,
    )


def _tls(entry: TlsEntry | bool | None, url: Url | None, host: str) -> Tls | None:
    encrypted = (url is not None and url.encrypted) if entry is None else entry is not False
    if not encrypted:
        return None
    settings = entry if isinstance(entry, TlsEntry) else TlsEntry()
    return Tls(server_name=settings.server_name or host, ca_file=settings.ca_file or "")


def _retry(entry: RetryEntry | None) -> Retry | None:
    if entry is None:
        return None
    return Retry(**_given(attempts=entry.attempts, per_try_timeout=_seconds(entry.per_try_timeout)))


def _health(entry: HealthEntry | None) -> HealthCheck | None:
    if entry is None:
        return None
    times = _given(interval=_seconds(entry.interval), timeout=_seconds(entry.timeout))
    counts = _given(unhealthy_after=entry.unhealthy_after, healthy_after=entry.healthy_after)
    return HealthCheck(path=entry.path, **times, **counts)


def _ejection(entry: EjectionEntry | bool) -> Ejection | None:
    if isinstance(entry, bool):
        return Ejection() if entry else None
    given = _given(failures=entry.failures, duration=_seconds(entry.duration), share_max=entry.share_max)
    return Ejection(**given)


def _inherited(draft: Draft, unit: Unit) -> Unit:
    entry, longest = draft.entry(unit), _longest(draft, unit)
    operations = tuple(_operation(draft, unit, operation, longest) for operation in unit.service.operations)
    unchanged = all(map(operator.is_, operations, unit.service.operations))  # then it stays the very same
    return replace(
        unit,
        service=unit.service if unchanged else replace(unit.service, operations=operations),
        source=_completed(draft, unit),
        timeout=min(_seconds(entry.timeout) or draft.settings.timeout, longest),
    )


def _longest(draft: Draft, unit: Unit) -> float:
    """How many seconds a call of the service may take at most."""
    upstream = draft.upstreams.get(unit.source.upstream) if isinstance(unit.source, UpstreamSource) else None
    return math.inf if upstream is None else upstream.timeout


def _operation(draft: Draft, unit: Unit, operation: Operation, longest: float) -> Operation:
    declared = _seconds(draft.operation_entry(unit, operation.name).timeout)
    timeout = operation.timeout if declared is None else declared
    return operation if timeout is None else replace(operation, timeout=min(timeout, longest))


def _completed(draft: Draft, unit: Unit) -> PythonSource | UpstreamSource:
    if not isinstance(unit.source, UpstreamSource):
        return unit.source
    upstream = draft.upstreams.get(unit.source.upstream)
    declared_upstreams = draft.declaration.upstreams
    declared = declared_upstreams.get(unit.source.upstream)
    if upstream is None or declared is None:
        return unit.source
    unsaid = not upstream.base_path and declared.base_path is None
    return replace(
        unit.source,
        base_path=unit.server_path if unsaid else upstream.base_path,
        replies=draft.entry(unit).replies or "strict",
        credentials=_credentials(unit, declared),
        elsewhere={
            operation: Called(name, draft.upstreams[name].base_path, _credentials(unit, declared_upstreams[name]))
            for operation, url in unit.elsewhere.items()
            if (name := upstream_at(url, declared_upstreams)) in draft.upstreams
        },
    )


def upstream_at(url: str, declared: Mapping[str, UpstreamEntry]) -> str:
    """The upstream that stands for a server of a document; "" when none does."""
    return next((name for name, entry in declared.items() if (entry.server or entry.url or "").rstrip("/") == url), "")


def _credentials(unit: Unit, declared: UpstreamEntry) -> dict[str, KeptCredential]:
    return {
        name: kept
        for name, entry in declared.credentials.items()
        if name in unit.service.schemes and (kept := kept_credential(entry)) is not None
    }


def _octets(size: str | None) -> int | None:
    return None if size is None else octets(size)


def _seconds(duration: str | None) -> float | None:
    return None if duration is None else seconds(duration)


def _given(**values: Any) -> dict[str, Any]:
    """The values that are not None, for a constructor whose defaults hold for the rest."""
    return {name: value for name, value in values.items() if value is not None}
