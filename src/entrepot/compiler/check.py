"""check: every rule looks at the draft; none stops another."""

from __future__ import annotations

from msgspec.structs import replace

from entrepot.compiler.draft import Draft
from entrepot.compiler.rulebook import RULES


def check(draft: Draft) -> Draft:
    """The draft with what the rules find wrong with it, in the order of the files."""
    found = [diagnostic for rule in RULES for diagnostic in rule.check(draft)]
    found.sort(key=lambda each: (each.place.file, each.place.line, each.place.column))
    return replace(draft, diagnostics=(*draft.diagnostics, *found))
