"""Writes docs/reference/ from the code, so that no page can say what the code does not.

    python tools/reference.py            write the pages
    python tools/reference.py --check    exit 1 when one is not current

What a page says stands in docstrings: edit those.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import click
import msgspec

import entrepot as package
from entrepot.app import CATALOG
from entrepot.authoring.service import HttpOptions, OperationOptions
from entrepot.cli.main import entrepot
from entrepot.compiler.inherit import LIMIT_KEYS
from entrepot.kit.limits import Limits
from entrepot.model.fault import KINDS
from entrepot.model.shape import File, Raw, Shape
from entrepot.ports.protocol import Can, document_kinds
from entrepot.spec import declaration
from entrepot.spec.schema import declaration_schema

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "entrepot"
TARGET = ROOT / "docs" / "reference"
CODE = re.compile("[EWN][0-9]{3}")
NOTICE = "<!-- Written by tools/reference.py from the code: edit the docstrings, then `make reference`. -->\n\n"


def declaration_page() -> str:
    """Every map of entrepot.yaml, the outermost first."""
    root = declaration.declaration_type(tuple(document_kinds(CATALOG)))
    sections = [_map_section(map_type) for map_type in _maps_of(root)]
    text = (
        "Everything that `entrepot.yaml` may say. Unknown keys are refused. The same as a "
        "[JSON Schema](entrepot.schema.json), by which an editor completes and checks the file."
    )
    return _page("Declaration", text, *sections)


def commands_page() -> str:
    """Every command with its help."""
    root = click.Context(entrepot, info_name="entrepot", terminal_width=80)
    names = entrepot.list_commands(root)
    commands = {name: command for name in names if (command := entrepot.get_command(root, name)) is not None}
    sections = [
        _command_section(command, click.Context(command, root, info_name=name, terminal_width=80))
        for name, command in commands.items()
    ]
    return _page("Commands", "Exit codes: 0 done, 1 refused with diagnostics or failed, 2 wrong use.", *sections)


def protocols_page() -> str:
    """What each protocol carries."""
    names = list(CATALOG)
    cans = [CATALOG[name].can for name in names]
    flags = [field for field in Can.__struct_fields__ if field != "refuses"]
    rows = [[_words(flag), *("yes" if getattr(can, flag) else "no" for can in cans)] for flag in flags]
    shapes: dict[str, Shape] = {"files": File(), "raw bodies": Raw()}
    rows += [[words, *("no" if can.refuses(shape) else "yes" for can in cans)] for words, shape in shapes.items()]
    imports = ["imports", *(", ".join(f"`{kind}`" for kind in CATALOG[name].client.documents) for name in names)]
    on = ["on by default under `serve`", *("yes" if CATALOG[name].by_default else "no" for name in names)]
    text = (
        "What each protocol can carry. An operation that a protocol cannot carry is left out of it, and `check`, "
        "`explain` and the service's own docs page say so; when `expose` names the protocol, that is an error."
    )
    return _page("Protocols", text, _table(["", *names], [*rows, imports, on]))


def faults_page() -> str:
    """Every kind of fault."""
    rows = [
        [f"`{kind}`", row.title, str(row.status), row.blame, "yes" if row.retryable else "no"]
        for kind, row in KINDS.items()
    ]
    text = "How a call may fail, over any protocol."
    return _page("Faults", text, _table(["kind", "meaning", "HTTP status", "whose", "retry may help"], rows))


def limits_page() -> str:
    """Every bound on a call."""
    docs = _attribute_docs(Limits)
    rows = [[f"`{key}`", str(getattr(Limits(), name)), docs[name]] for name, key in LIMIT_KEYS.items()]
    text = "Every bound on one call. Set them under `limits` in the [declaration](declaration.md#limits)."
    return _page("Limits", text, _table(["limit", "default", "meaning"], rows))


RANGES = (
    (0, 99, "spec", "YAML files"),
    (100, 199, "spec", "The form of the declaration"),
    (200, 299, "spec", "Modules, documents and the lock"),
    (300, 399, "compiler", "Rules, and what an import leaves out"),
    (700, 799, "protocols", "Protocols and their documents"),
    (800, 849, "authoring", "Services written in Python"),
    (850, 899, "runtime", "Workers"),
    (900, 999, "control", "Commands on a project"),
)
"""By numbers, first and last: whose diagnostics they are, and what those are about. A new room
takes numbers that are free, so that a code alone tells where to look."""


def diagnostics_page() -> str:
    """Every code of a diagnostic, in its range. Raises ValueError for one outside its room's."""
    codes = sorted(_codes(), key=lambda code: code.name[1:])
    homeless = [code.name for code in codes if not any(_is_in(code, each) for each in RANGES)]
    if homeless:
        raise ValueError(f"outside the ranges of their rooms: {', '.join(homeless)}; see RANGES")
    text = (
        "What the commands may say of a project. A code never changes its meaning. E: error, W: warning, N: note; "
        "the number tells what it is about."
    )
    sections = [_range_section(each, [code for code in codes if _is_in(code, each)]) for each in RANGES]
    return _page("Diagnostics", text, *sections)


FAULTS = (
    "Conflict",
    "Forbidden",
    "Invalid",
    "NotFound",
    "PreconditionFailed",
    "RateLimited",
    "Rejected",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "Unsupported",
    "UpstreamFailed",
)
"""Each one kind of fault, and nothing more."""
OPTIONS = {"Service": {"option of every operation": OperationOptions, "of an HTTP method besides": HttpOptions}}
"""By class: what the calls of its `**options` take."""
NAMES = {
    "A service": ("Service",),
    "Where a parameter stands": ("Path", "Query", "Header", "Cookie", "Form", "Body"),
    "What a value is for": ("Page", "Cursor", "Version", "File", "Media"),
    "What surrounds a call": ("Principal", "Context", "Conditions", "Reply", "Located"),
    "How a call fails": ("Fault", *FAULTS),
}
"""What a module imports of `entrepot`, by what it is for."""


def python_page() -> str:
    """Every name that a module imports. Raises ValueError for one that no section has."""
    homeless = set(package.__all__) ^ {name for names in NAMES.values() for name in names}
    if homeless:
        raise ValueError(f"in no section, or not public: {', '.join(sorted(homeless))}; see NAMES")
    text = "All that a service is written with: `from entrepot import Service, NotFound`."
    sections = [
        "\n\n".join([f"## {title}", *(part for name in names for part in _name_section(name))])
        for title, names in NAMES.items()
    ]
    return _page("Python", text, *sections)


def declaration_schema_page() -> str:
    """The JSON Schema by which an editor completes `entrepot.yaml`."""
    schema = declaration_schema(tuple(document_kinds(CATALOG)))
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "python.md": python_page,
    "declaration.md": declaration_page,
    "entrepot.schema.json": declaration_schema_page,
    "commands.md": commands_page,
    "protocols.md": protocols_page,
    "faults.md": faults_page,
    "limits.md": limits_page,
    "diagnostics.md": diagnostics_page,
}


def _page(title: str, text: str, *sections: str) -> str:
    return NOTICE + "\n\n".join([f"# {title}", text, *sections]) + "\n"


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _words(name: str) -> str:
    return name.replace("_", " ")


# The declaration


def _maps_of(root: type[msgspec.Struct]) -> list[type[msgspec.Struct]]:
    """The Struct and those that its fields lead to, each once."""
    found: list[type[msgspec.Struct]] = []
    pending = [root]
    while pending:
        current = pending.pop(0)
        if current not in found:
            found.append(current)
            pending += [inner for hint in get_type_hints(current).values() for inner in _structs_in(hint)]
    return found


def _structs_in(hint: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    for argument in get_args(hint):
        yield from _structs_in(argument)


def _map_section(map_type: type[msgspec.Struct]) -> str:
    docs = _attribute_docs(*map_type.__mro__)
    hints = get_type_hints(map_type, include_extras=True)
    rows = [
        [
            f"`{field.encode_name}`",
            _type_words(hints[field.name]),
            docs.get(field.name) or _description(hints[field.name]),
        ]
        for field in msgspec.structs.fields(map_type)
    ]
    title = _words_of_class(map_type)
    return f"## {title}\n\n{inspect.getdoc(map_type)}\n\n" + _table(["key", "value", "meaning"], rows)


def _words_of_class(map_type: type) -> str:
    name = map_type.__name__.removesuffix("Entry").lower()
    return {"declaration": "the file"}.get(name, name)


def _type_words(hint: Any) -> str:
    """A type in the words of somebody who writes YAML."""
    if hint in (declaration.Duration, declaration.Size):
        return "duration" if hint == declaration.Duration else "size"
    arguments = get_args(hint)
    origin = get_origin(hint)
    if hasattr(hint, "__metadata__"):
        return _type_words(arguments[0])
    if _is_union(hint):
        return " or ".join(_type_words(argument) for argument in arguments if argument is not type(None))
    if origin is list:
        return f"list of {_type_words(arguments[0])}"
    if origin is dict:
        return f"map of {_type_words(arguments[1])}"
    if arguments:
        return " or ".join(f"`{value}`" for value in arguments)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return f"[{_words_of_class(hint)}](#{_words_of_class(hint).replace(' ', '-')})"
    return {str: "text", int: "number", bool: "`true` or `false`", Any: "anything"}[hint]


def _is_union(hint: Any) -> bool:
    return get_origin(hint) is Union or type(hint).__name__ == "UnionType"


def _description(hint: Any) -> str:
    for part in (hint, *get_args(hint)):
        for meta in getattr(part, "__metadata__", ()):
            if meta.description:
                return str(meta.description)
    return ""


# The names that a module imports


def _name_section(name: str) -> Iterator[str]:
    owner = getattr(package, name)
    yield f"### {name}"
    if name in FAULTS:
        yield f"{inspect.getdoc(owner)} Kind: `{owner.kind}`, status {KINDS[owner.kind].status}."
        return
    yield f"```text\n{_written(name, owner)}\n```"
    yield str(inspect.getdoc(owner)).replace("::\n", ":\n")
    rows = [*_member_rows(name, owner)]
    if rows:
        yield _table(["", "meaning"], rows)
    for title, options in OPTIONS.get(name, {}).items():
        docs, takes = _attribute_docs(options), inspect.get_annotations(options)
        yield _table([title, "takes", "meaning"], [[f"`{key}`", f"`{_plain(takes[key])}`", docs[key]] for key in docs])


def _member_rows(name: str, owner: type) -> Iterator[list[str]]:
    """What is documented of a class: its attributes, then the classes in it and its methods."""
    yield from ([f"`{attribute}`", docs] for attribute, docs in _attribute_docs(owner).items())
    for key, value in vars(owner).items():
        docs = " ".join((inspect.getdoc(value) or "").split())
        if key.startswith("_") or not docs or any(key in vars(base) for base in owner.__mro__[1:]):
            continue
        if isinstance(value, property):
            yield [f"`{name.lower()}.{key}`", docs]
        elif isinstance(value, type | classmethod):
            yield [f"`{_written(f'{name}.{key}', getattr(owner, key))}`", docs]
        elif inspect.isfunction(value):
            yield [f"`{_written(f'{name.lower()}.{key}', value)}`", docs]


class _Words(NamedTuple):
    """What stands in a signature as it is."""

    text: str

    def __repr__(self) -> str:
        return self.text


def _written(name: str, called: Callable[..., Any]) -> str:
    """A call, with what it takes."""
    parameters = [
        each.replace(
            annotation=each.empty if each.annotation is each.empty else _Words(_plain(each.annotation)),
            default=each.empty if each.default is each.empty else _Words(_default(each.default)),
        )
        for key, each in inspect.signature(called).parameters.items()
        if key != "self"
    ]
    return re.sub(r": Unpack\[\w+\]", "", f"{name}{inspect.Signature(parameters)}")


def _default(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    return "…" if text.startswith("<") or "=" in text else text


def _plain(annotation: Any) -> str:
    """A type without the modules that it and its parts are from."""
    annotation = getattr(annotation, "__forward_arg__", annotation)
    is_class = isinstance(annotation, type) and not get_args(annotation)
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", annotation.__name__ if is_class else str(annotation)).replace("~", "")


# The code's own words


def _attribute_docs(*classes: type) -> dict[str, str]:
    """The text under each attribute of these classes."""
    docs: dict[str, str] = {}
    for owner in reversed(classes):
        if owner.__module__.startswith("entrepot."):
            try:
                source = inspect.getsource(owner)
            except (OSError, TypeError):  # made at run time: its bases have the words
                continue
            docs |= dict(_documented(ast.parse(source).body[0].body))
    return docs


def _documented(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for statement, following in pairwise(body):
        target = statement.target if isinstance(statement, ast.AnnAssign) else None
        if isinstance(statement, ast.Assign):
            target = statement.targets[0]
        if (
            isinstance(target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
        ):
            yield target.id, " ".join(str(following.value.value).split())


class Code(NamedTuple):
    """The code of a diagnostic."""

    name: str
    meaning: str
    room: str


Range = tuple[int, int, str, str]


def _is_in(code: Code, span: Range) -> bool:
    first, last, room, _ = span
    return first <= int(code.name[1:]) <= last and f"{code.room}/".startswith(f"{room}/")


def _range_section(span: Range, codes: list[Code]) -> str:
    first, last, _, title = span
    rows = [[f"`{code.name}`", code.meaning] for code in codes]
    return f"## {title}: {first:03} to {last:03}\n\n" + _table(["code", "meaning"], rows)


def _codes() -> Iterator[Code]:
    """Every code and its meaning: the text under the constant, or a rule's own first paragraph."""
    for file in sorted(SOURCE.rglob("*.py")):
        module = ast.parse(file.read_text())
        docs = dict(_documented(module.body))
        for statement in module.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(code))) if CODE.fullmatch(
                    code
                ):
                    first_paragraph = (ast.get_docstring(module) or "").partition("\n\n")[0]
                    meaning = docs.get(name) or " ".join(first_paragraph.split())
                    yield Code(code, meaning, file.parent.relative_to(SOURCE).as_posix())


def _command_section(command: click.Command, context: click.Context) -> str:
    return f"## {context.info_name}\n\n```text\n{command.get_help(context)}\n```"


def main() -> int:
    """Write the pages, or compare them."""
    check = "--check" in sys.argv
    stale = []
    for name, make in PAGES.items():
        path, text = TARGET / name, make()
        if check and (not path.is_file() or path.read_text() != text):
            stale.append(name)
        elif not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    if stale:
        print(f"not current: {', '.join(stale)}; run `make reference`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
