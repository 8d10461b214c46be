"""An upstream has a url, or endpoints, that can be connected to."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from entrepot.compiler.addresses import parse_base_path, parse_endpoint, parse_url
from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic
from entrepot.spec.declaration import UpstreamEntry

CODE = "E320"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Upstreams without an address, with both forms of one, or with one that cannot be read."""
    for name, entry in draft.declaration.upstreams.items():
        if entry.url is None and not entry.endpoints:
            remedy = 'Give it `url: "https://…"` or `endpoints: ["host:port"]`.'
            here = draft.at_key("upstreams", name)
            yield Diagnostic(CODE, f"the upstream `{name}` has no address", here, remedy)
        if entry.url is not None and entry.endpoints:
            here = draft.at_key("upstreams", name)
            yield Diagnostic(CODE, f"the upstream `{name}` has both a url and endpoints", here, "Keep one of them.")
        for parse, text, path, remedy in _texts(entry):
            try:
                parse(text)
            except ValueError as error:  # the text itself is not repeated: it may hold a password
                place = draft.at("upstreams", name, *path)
                yield Diagnostic(CODE, f"this address of `{name}` cannot be used: {error}", place, remedy)


def _texts(entry: UpstreamEntry) -> Iterator[tuple[Callable[[str], object], str, tuple[str | int, ...], str]]:
    """How each text of an upstream's address is read, where in its entry, and what to do when it cannot be."""
    if entry.url is not None:
        remedy = "Write `https://bank.example/ws`; credentials do not belong in a declaration."
        yield parse_url, entry.url, ("url",), remedy
    for index, endpoint in enumerate(entry.endpoints):
        yield parse_endpoint, endpoint, ("endpoints", index), "Write `10.0.0.1:9001`."
    if entry.base_path is not None:
        yield parse_base_path, entry.base_path, ("base_path",), "Write `/v2`; `/` for none."
