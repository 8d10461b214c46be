"""`listen` is an IP address and a port."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.addresses import parse_listen
from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic

CODE = "E323"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """An address of another form."""
    text = draft.declaration.listen
    if text is not None:
        try:
            parse_listen(text)
        except ValueError as error:
            remedy = "Write `127.0.0.1:8080`, or `0.0.0.0:8080` to be reached from other machines."
            yield Diagnostic(CODE, f"cannot listen on `{text}`: {error}", draft.at("listen"), remedy)
