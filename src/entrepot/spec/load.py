"""The first step: a target on the command line becomes a Declaration with positions.

A target is a project directory, its `entrepot.yaml`, or one Python file, which is enough by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from entrepot.kit.diagnostics import Diagnostic, Place, Refused
from entrepot.kit.files import read_regular
from entrepot.kit.pointers import pointer
from entrepot.kit.suggest import did_you_mean
from entrepot.spec import codes, pieces
from entrepot.spec.declaration import Declaration, ServiceEntry
from entrepot.spec.environment import overlay, part, without, without_nulls
from entrepot.spec.positions import FIRST, Node, Positions
from entrepot.spec.typed import Kinds, Typed, typed
from entrepot.spec.yaml import Parsed, YamlLimits

DECLARATION_FILE = "entrepot.yaml"


class Loaded(msgspec.Struct, frozen=True):
    """A project as its author declares it."""

    project: Path
    """The directory that everything is relative to; absolute."""
    declaration: Declaration
    positions: Positions
    standalone: bool = False
    """One Python file without a declaration."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """What is wrong with its form. The parts at fault are not in the declaration; the rest of it is."""


def load(target: Path, kinds: Kinds = dict, environment: str = "") -> Loaded:
    """What is declared at the target, as the environment has it ("": as it stands).

    `kinds` gives the kinds of document that a service may be imported from. Raises `Refused`.
    """
    file = file_of(target.absolute())
    return _load_module(file, environment) if file.suffix == ".py" else _load_declaration(file, kinds, environment)


def file_of(target: Path) -> Path:
    """The file that is compiled: the target, or the declaration in it."""
    return target if target.suffix in (".py", ".yaml", ".yml") else target / DECLARATION_FILE


def _load_declaration(file: Path, kinds: Kinds, environment: str) -> Loaded:
    """Every environment is checked, the one asked for is given."""
    parsed = pieces.parse(_content(file), file.name)
    base = without_nulls(_rooted(parsed))
    variants = {name: typed(values, kinds) for name, values in {"": base, **_environments(base)}.items()}
    diagnostics = [*parsed.diagnostics, *_version_unsaid(base), *_distinct(variants.values())]
    if environment not in variants:
        message = f"there is no environment `{environment}`"
        remedy = did_you_mean(environment, list(variants)[1:]) or "Declare it under `environments`."
        place = base.positions.key("/environments")
        raise Refused([*diagnostics, Diagnostic(codes.UNKNOWN_ENVIRONMENT, message, place, remedy)])
    chosen = variants[environment]
    if chosen.declaration is None:
        raise Refused(diagnostics)
    return Loaded(file.parent, chosen.declaration, chosen.positions, diagnostics=tuple(diagnostics))


def _version_unsaid(base: Parsed) -> list[Diagnostic]:
    if isinstance(base.value, dict) and "entrepot" not in base.value:
        message = "the file does not say which version of its format it is written in"
        place = Place(base.positions.file, 1, 1)
        return [Diagnostic(codes.VERSION_UNSAID, message, place, "Begin it with `entrepot: 1`.", "warning")]
    return []


def _load_module(file: Path, environment: str) -> Loaded:
    if environment:
        remedy = f"Declare the environment in an {DECLARATION_FILE} beside it, and name the directory."
        message = "a Python file alone has no environments"
        raise Refused([Diagnostic(codes.UNKNOWN_ENVIRONMENT, message, Place(file.name, 1, 1), remedy)])
    if not file.is_file():
        raise Refused([_missing(file)])
    entry = ServiceEntry(python=file.stem)
    return Loaded(
        file.parent, Declaration(services={file.stem: entry}), Positions(file.name, Node(FIRST)), standalone=True
    )


def _content(file: Path) -> bytes:
    try:
        return read_regular(file, YamlLimits().bytes_max)
    except (FileNotFoundError, NotADirectoryError):
        raise Refused([_missing(file)]) from None
    except OSError as error:
        message = f"{file.name} cannot be read: {error.strerror or error}"
        remedy = "Let whoever runs this read it, or name another project."
        raise Refused([Diagnostic(codes.FILE_UNREADABLE, message, Place(file.name, 1, 1), remedy)]) from None


def _missing(file: Path) -> Diagnostic:
    remedy = "Name a project directory or a Python file, or make a project with `entrepot init DIR`."
    return Diagnostic(codes.FILE_UNREADABLE, f"there is no {file.name} in {file.parent}", remedy=remedy)


def _rooted(parsed: Parsed) -> Parsed:
    return Parsed({}, parsed.positions) if parsed.value is None else parsed


def _environments(base: Parsed) -> dict[str, Parsed]:
    """By environment: all that holds there. What has the wrong form is left to the check of the base."""
    declared = base.value.get("environments") if isinstance(base.value, dict) else None
    if not isinstance(declared, dict):
        return {}
    names = [name for name, overrides in declared.items() if isinstance(overrides, dict)]
    return {name: _chosen(base, name) for name in names}


def _chosen(base: Parsed, name: str) -> Parsed:
    overrides = part(base, "environments", name)
    return overlay(without(base, "environments"), overrides, pointer(["environments", name]))


def _distinct(variants: Iterable[Typed]) -> Iterable[Diagnostic]:
    """What is wrong with any of them, each thing once."""
    found = [each for variant in variants for each in variant.diagnostics]
    return {(each.code, each.place, each.message): each for each in found}.values()
