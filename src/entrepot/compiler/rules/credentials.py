"""Credentials for an upstream are for a security scheme of its contract, and of the form that this takes."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.credentials import members_for, members_of
from entrepot.compiler.draft import Draft, Unit
from entrepot.ir.worker import UpstreamSource
from entrepot.kit.diagnostics import Diagnostic
from entrepot.kit.suggest import did_you_mean
from entrepot.model.security import Scheme

CODE = "E333"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Credentials that no scheme takes."""
    called: dict[str, list[Unit]] = {}
    for unit in draft.units:
        if isinstance(unit.source, UpstreamSource):
            for upstream in unit.source.upstreams:
                called.setdefault(upstream, []).append(unit)
    for upstream in draft.declaration.upstreams:
        yield from _wrong(draft, upstream, called.get(upstream, []))


def _wrong(draft: Draft, upstream: str, units: list[Unit]) -> Iterator[Diagnostic]:
    schemes: dict[str, Scheme] = {name: scheme for unit in units for name, scheme in unit.service.schemes.items()}
    for name, entry in draft.declaration.upstreams[upstream].credentials.items():
        place = draft.at_key("upstreams", upstream, "credentials", name)
        if name not in schemes:
            if units:  # without one its document could not be read, or nothing uses it: others say so
                remedy = did_you_mean(name, schemes) or "Remove it."
                yield Diagnostic(CODE, f"no contract of `{upstream}` has a security scheme `{name}`", place, remedy)
        elif not (wanted := members_for(schemes[name])):
            message = f"nothing can be shown for the security scheme `{name}` in this version of Entrepôt"
            yield Diagnostic(CODE, message, place, "Remove it; the changelog tells when it comes.")
        elif members_of(entry) != wanted:
            message = f"the security scheme `{name}` takes {wanted}"
            remedy = f"Give it {wanted} alone, each secret with one place: `{{env: NAME}}` or `{{file: PATH}}`."
            yield Diagnostic(CODE, message, place, remedy)
