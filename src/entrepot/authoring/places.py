"""Where an author has written something in Python: file, line and column."""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
from collections.abc import Callable
from itertools import islice
from types import CodeType, FrameType
from typing import Any

from entrepot.kit.diagnostics import NOWHERE, Place

RESULT = "return"
"""Stands for a function's result where a parameter could be named."""


def place_of(function: Callable[..., Any], parameter: str = "") -> Place:
    """Where a function is written, its decorators included; or one of its parameters, or its result."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return NOWHERE
    found = _within(function, code, parameter) if parameter else None
    if found is not None:
        return found
    line = linecache.getline(code.co_filename, code.co_firstlineno)
    return Place(code.co_filename, code.co_firstlineno, len(line) - len(line.lstrip()) + 1 if line else 0)


def place_of_class(owner: Any) -> Place:
    """Where a class is written."""
    try:
        lines, first = inspect.getsourcelines(owner)
        return Place(inspect.getsourcefile(owner) or "", first, _indent(lines[0]) + 1)
    except (OSError, TypeError, IndexError):  # made at run time
        return NOWHERE


def place_in(frame: FrameType) -> Place:
    """What a frame is at: the beginning of the call that it makes."""
    code = frame.f_code
    line, _, column, _ = next(islice(code.co_positions(), frame.f_lasti // 2, None), (None, None, None, None))
    return character_place(code.co_filename, line or frame.f_lineno, column)


def character_place(file: str, line: int, column: int | None) -> Place:
    """The place of an octet in a line, as Python counts them; the line alone where it does not tell."""
    if column is None:
        return Place(file, line)
    before = linecache.getline(file, line).encode()[:column]
    return Place(file, line, len(before.decode(errors="replace")) + 1)


def _within(function: Callable[..., Any], code: CodeType, parameter: str) -> Place | None:
    """By the source, which is read only when something is wrong."""
    try:
        lines, first = inspect.getsourcelines(inspect.unwrap(function))
        text = "".join(lines)
        tree = ast.parse(textwrap.dedent(text)).body[0]
    except (OSError, SyntaxError, TypeError, IndexError):
        return None
    if not isinstance(tree, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    arguments = tree.args
    nodes: dict[str, ast.expr | ast.arg | None] = {
        each.arg: each
        for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
        if each is not None
    }
    node = {**nodes, RESULT: tree.returns}.get(parameter)
    if node is None:
        return Place(code.co_filename, first + tree.lineno - 1, _indent(text) + tree.col_offset + 1)
    return Place(code.co_filename, first + node.lineno - 1, _indent(text) + node.col_offset + 1)


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(" \t"))
