"""The compiler as a table of contents: what happens to a project, in order."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from entrepot.compiler.check import check
from entrepot.compiler.draft import Draft
from entrepot.compiler.expose import expose
from entrepot.compiler.imports import import_sources
from entrepot.compiler.inherit import inherit
from entrepot.compiler.load import load_declaration
from entrepot.compiler.lower import lower
from entrepot.compiler.place import place
from entrepot.compiler.resolve import resolve
from entrepot.compiler.seal import seal


class Pass(msgspec.Struct, frozen=True):
    """A step. One that is a gate lets nothing by that has errors."""

    name: str
    run: Callable[[Draft], Draft]
    gate: bool = False


PASSES = (
    Pass("load", load_declaration),
    Pass("import", import_sources),
    Pass("resolve", resolve),
    Pass("inherit", inherit),
    Pass("expose", expose),
    Pass("check", check, gate=True),
    Pass("place", place),
    Pass("lower", lower),
    Pass("seal", seal, gate=True),
)
