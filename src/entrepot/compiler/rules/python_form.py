"""A Python source is `module` or `module:attribute`."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic
from entrepot.spec.references import parse_reference

CODE = "E303"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Sources of another form, such as file names."""
    for key, entry in draft.declaration.services.items():
        if entry.python is not None and parse_reference(entry.python) is None:
            message = f"`{entry.python}` is not the import name of a module"
            remedy = (
                "Write it as in an import statement, `shop` or `company.shop`, or `shop:attribute` for one of several. "
                "A file whose name has other signs than letters, digits and `_` needs another."
            )
            yield Diagnostic(CODE, message, draft.at("services", key, "python"), remedy)
