"""Whether an application is of the kind that a route says, by what can be called how."""

from __future__ import annotations

import inspect
from typing import Literal

Kind = Literal["wsgi", "asgi"]


def misfit(app: object, name: str, kind: Kind) -> tuple[str, str] | None:
    """What is wrong with an application that was named as one of this kind, and the remedy; None when nothing is.

    Nothing is called, so what hides its arguments is taken at its word.
    """
    if not callable(app):
        return f"`{name}` is {_article(type(app).__name__)}, which cannot be called", "Name the application itself."
    found = _kind(app)
    if found == "factory":
        remedy = f"Call it in the module, `application = {name}()`, and name what it gives."
        return f"`{name}` can be called without arguments: it makes an application and is none", remedy
    if found is not None and found != kind:
        return f"`{name}` is {_article(found.upper())} application", f"Write `{found}:` instead of `{kind}:`."
    return None


def _kind(app: object) -> Kind | Literal["factory"] | None:
    """What its arguments tell: `environ, start_response` (PEP 3333), `scope, receive, send` (ASGI 3.0), or none."""
    try:
        signature = inspect.signature(app)  # type: ignore[arg-type]
    except (TypeError, ValueError):  # built in
        return None
    asynchronous = inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__)
    wsgi, asgi = _takes(signature, 2) and not asynchronous, _takes(signature, 3)
    if _takes(signature, 0):
        return None if wsgi and asgi else "factory"
    if wsgi != asgi:
        return "wsgi" if wsgi else "asgi"
    return None


def _takes(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'AEIOUaeiou' else 'a'} {noun}"
