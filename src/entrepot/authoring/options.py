"""What an author may say beside a function: every option, what it takes, and what to write, in one table."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from reprlib import repr as shortened
from typing import Any, NamedTuple, get_args

import msgspec

from entrepot.authoring import mistakes
from entrepot.authoring.diagnostics import Diagnostics
from entrepot.kit.diagnostics import Place
from entrepot.kit.suggest import did_you_mean
from entrepot.model.operation import Example
from entrepot.model.resource import Scope

SCOPES: tuple[str, ...] = get_args(Scope)

_SERVICE_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_DIRECTIVE = r"[a-z][a-z-]*(=([0-9]+|\"[^\"\\\x00-\x1f]*\"))?"
_DIRECTIVES = re.compile(rf"{_DIRECTIVE}(, ?{_DIRECTIVE})*")
_VERSION = re.compile(r"(?!v[0-9])[0-9A-Za-z][0-9A-Za-z._-]*")


class Option(NamedTuple):
    """One option."""

    takes: Callable[[Any], bool]
    remedy: str
    choices: tuple[str, ...] = ()
    """All that it takes, where that is little."""
    in_address: bool = False
    """It becomes a part of addresses."""


def _many(value: Any, takes: Callable[[Any], bool]) -> bool:
    return isinstance(value, list | tuple) and all(map(takes, value))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_day(value: Any) -> bool:
    return isinstance(value, date) and (not isinstance(value, datetime) or value.tzinfo is not None)


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def _is_success(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 200 <= value <= 299


def _is_bindings(value: Any) -> bool:
    try:
        msgspec.convert(msgspec.to_builtins(value), dict[str, dict[str, Any]])
    except (TypeError, msgspec.ValidationError):
        return False
    return True


def _or_none(takes: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or takes(value)


_FLAG = Option(_is_flag, "Write True or False.")
_TEXT = Option(_is_text, "Write text.")

_EVERY = {
    "name": Option(_or_none(_is_text), "Write a name as text, or none to take the function's."),
    "faults": Option(lambda value: _many(value, lambda _: True), "Write a list of classes: `faults=[NotFound]`."),
    "scopes": Option(lambda value: _many(value, _is_text), 'Write a list of texts: `scopes=["books:write"]`.'),
    "timeout": Option(
        _or_none(_is_seconds), "Write a positive number of seconds, `timeout=2.5`, or none to take the service's."
    ),
    "deprecated": Option(
        lambda value: _is_flag(value) or _is_day(value),
        "Write True or False, or since when: `deprecated=date(2026, 1, 31)`. A time of day needs a zone.",
    ),
    "sunset": Option(_is_day, "Write a date: `sunset=date(2026, 12, 31)`. A time of day needs a zone."),
    "deferrable": _FLAG,
    "tags": Option(lambda value: _many(value, _is_text), 'Write a list of texts: `tags=["books"]`.'),
    "examples": Option(
        lambda value: _many(value, lambda each: isinstance(each, Example | Mapping)),
        'Write a list of inputs, each by parameter: `examples=[{"id": 1}]`.',
    ),
    "bindings": Option(_is_bindings, 'Write JSON data by protocol: `bindings={"jsonrpc": {"method": "books.list"}}`.'),
}

OPERATION: Mapping[str, Option] = {**_EVERY, "safe": _FLAG, "idempotent": _FLAG}
"""Of an operation without HTTP words."""
HTTP: Mapping[str, Option] = {
    **_EVERY,
    "status": Option(
        _or_none(_is_success), "Write a status from 200 to 299, and raise a fault for everything that is no success."
    ),
    "location": Option(
        _or_none(_is_text), 'Write a path filled in from the output\'s fields: `location="/things/{id}"`.'
    ),
    "fields": _FLAG,
    "expand": _FLAG,
    "bulk": _FLAG,
    "csv": _FLAG,
    "xml": _FLAG,
    "cache_control": Option(
        lambda value: _is_text(value) and _DIRECTIVES.fullmatch(value) is not None,
        'Write directives (RFC 9111, §5.2): `cache_control="public, max-age=3600"`.',
    ),
}
"""Of the decorators named after a method."""
RESOURCE: Mapping[str, Option] = {"scope": Option(SCOPES.__contains__, "", SCOPES)}
SERVICE: Mapping[str, Option] = {
    "name": Option(
        lambda value: _is_text(value) and _SERVICE_NAME.fullmatch(value) is not None,
        "A service's name is text of lower-case letters, digits, `_` and `-`, the first a letter.",
        in_address=True,
    ),
    "version": Option(
        lambda value: _is_text(value) and _VERSION.fullmatch(value) is not None,
        'A version is text of letters, digits, `.`, `_` and `-`: `version="2"`; addresses have a `v` before it.',
        in_address=True,
    ),
    "title": _TEXT,
    "docs": _TEXT,
}

_HABITS = {"status_code": "status", "operation_id": "name"}
_ELSEWHERE = {
    "response_model": "Annotate the result: `-> Product`.",
    "summary": "Write it as the first line of the docstring.",
    "description": "Write it as the docstring.",
    "dependencies": "Declare a resource (`@service.resource()`), and take a parameter of the type that it yields.",
}
"""What other frameworks take as an option, and where it is said here."""


def sound(
    given: Mapping[str, Any], known: Mapping[str, Option], owner: object, place: Place, found: Diagnostics
) -> dict[str, Any]:
    """The options that are what they take; what is wrong with the others is noted."""
    kept = {}
    for name, value in given.items():
        option = known.get(name)
        if option is None:
            remedy = _ELSEWHERE.get(name) or did_you_mean(name, known, _HABITS)
            found.add(mistakes.NO_SUCH_OPTION, place, owner=owner, option=name, remedy=remedy)
        elif option.takes(value):
            kept[name] = value
        else:
            mistake = mistakes.UNFIT_IN_ADDRESS if option.in_address else mistakes.UNFIT_OPTION
            remedy = option.remedy or did_you_mean(str(value), option.choices)
            written = value.__name__ if isinstance(value, type) else shortened(value)
            found.add(mistake, place, owner=owner, option=name, value=written, remedy=remedy)
    return kept
