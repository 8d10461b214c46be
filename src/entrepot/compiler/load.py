"""load: the target's files become a Declaration with positions."""

from __future__ import annotations

from msgspec.structs import replace

from entrepot.compiler.draft import Draft
from entrepot.ports.protocol import document_words
from entrepot.spec.load import load


def load_declaration(draft: Draft) -> Draft:
    """The draft with what the author wrote, as far as it is well-formed. Raises `Refused` when nothing is."""
    request = draft.request
    loaded = load(request.target, lambda: document_words(request.catalog), request.environment)
    return replace(draft, loaded=loaded, diagnostics=loaded.diagnostics)
