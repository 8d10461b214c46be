"""The rules, in the order in which their findings are told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from entrepot.compiler.draft import Draft
from entrepot.compiler.rules import (
    application_form,
    can_carry,
    credentials,
    demanded_credentials,
    distinct_endpoints,
    empty_services,
    flat_environments,
    hidden_operations,
    identified_callers,
    json_schema_package,
    known_operations,
    known_protocols,
    known_upstreams,
    left_out,
    listen_form,
    one_renamed,
    one_source,
    other_servers,
    positive,
    python_form,
    reachable_operations,
    reserved_paths,
    resumable_streams,
    route_options,
    route_path,
    route_target,
    something_served,
    unique_addresses,
    unique_paths,
    unique_services,
    upstream_address,
    upstream_of_source,
    upstream_tls,
    used_upstreams,
    version_form,
)
from entrepot.kit.diagnostics import Diagnostic


class Rule(Protocol):
    """A file of `rules/`: one thing that must hold, and what to say when it does not."""

    CODE: str
    """Stable for ever: E, W or N by its severity, and a number."""

    def check(self, draft: Draft) -> Iterable[Diagnostic]:
        """What breaks the rule. Looks at a draft that has been inherited, and changes nothing."""


RULES: tuple[Rule, ...] = (
    one_source,
    python_form,
    upstream_of_source,
    known_upstreams,
    known_protocols,
    known_operations,
    one_renamed,
    version_form,
    unique_services,
    can_carry,
    left_out,
    json_schema_package,
    unique_addresses,
    unique_paths,
    hidden_operations,
    reserved_paths,
    route_path,
    route_target,
    application_form,
    route_options,
    upstream_address,
    distinct_endpoints,
    upstream_tls,
    credentials,
    demanded_credentials,
    other_servers,
    positive,
    listen_form,
    used_upstreams,
    something_served,
    empty_services,
    reachable_operations,
    resumable_streams,
    identified_callers,
    flat_environments,
)
