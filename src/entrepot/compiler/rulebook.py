"""The rules, in the order in which their findings are told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic


class Rule(Protocol):
    """A file of `rules/`: one thing that must hold, and what to say when it does not."""

    CODE: str
    """Stable for ever: E, W or N by its severity, and a number."""

    def check(self, draft: Draft) -> Iterable[Diagnostic]:
        """What breaks the rule. Looks at a draft that has been inherited, and changes nothing."""


RULES: tuple[Rule, ...] = ()
