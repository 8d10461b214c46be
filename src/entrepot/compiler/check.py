"""check: every rule looks at the draft; none stops another."""

from __future__ import annotations

from msgspec.structs import replace

from entrepot.compiler.draft import Draft
from entrepot.compiler.rulebook import RULES
from entrepot.kit.diagnostics import Diagnostic, has_errors


def check(draft: Draft) -> Draft:
    """The draft with what the rules find wrong with it, in the order of the files."""
    found = [diagnostic for rule in RULES for diagnostic in rule.check(draft)]
    if has_errors(draft.loaded.diagnostics):
        found = [each for each in found if _is_certain(each, draft)]
    found.sort(key=lambda each: (each.place.file, each.place.line, each.place.column))
    return replace(draft, diagnostics=(*draft.diagnostics, *found))


def _is_certain(diagnostic: Diagnostic, draft: Draft) -> bool:
    """Whether it does not follow from a part of the declaration that could not be read.

    Warnings and notes tell what is missing somewhere, which that part may hold.
    """
    return diagnostic.severity == "error" and draft.is_read(diagnostic.place)
