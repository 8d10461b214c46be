"""What an upstream says about TLS fits its addresses, so that its certificate can be verified."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic
from entrepot.model.upstream import Upstream, is_ip
from entrepot.spec.declaration import TlsEntry, UpstreamEntry

CODE = "E321"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Settings that contradict the url, authorities that are missing, and names no certificate carries."""
    for name, upstream in draft.upstreams.items():
        entry = draft.declaration.upstreams[name]
        for message, remedy in (*_contradictions(entry), *_unverifiable(draft, entry, upstream)):
            place = draft.at_key("upstreams", name, "url" if entry.tls is None else "tls")
            yield Diagnostic(CODE, message, place, remedy)


def _contradictions(entry: UpstreamEntry) -> Iterator[tuple[str, str]]:
    url = entry.url or ""
    if url.startswith("https:") and entry.tls is False:
        yield "the url is encrypted and `tls` says it is not", "Remove `tls`, or begin the url with http://."
    if url.startswith("http:") and entry.tls not in (None, False):
        yield "the url is not encrypted and `tls` says it is", "Begin the url with https://, or remove `tls`."


def _unverifiable(draft: Draft, entry: UpstreamEntry, upstream: Upstream) -> Iterator[tuple[str, str]]:
    if upstream.tls is None:
        return
    named = isinstance(entry.tls, TlsEntry) and entry.tls.server_name is not None
    if is_ip(upstream.tls.server_name) and not named:
        message = f"certificates are rarely for addresses, and {upstream.tls.server_name} is one"
        yield message, "Say which name the certificate carries: `tls: {server_name: …}`."
    if upstream.tls.ca_file and not (draft.loaded.project / upstream.tls.ca_file).is_file():
        yield f"there is no file {upstream.tls.ca_file}", "Name a PEM file, relative to the project."
