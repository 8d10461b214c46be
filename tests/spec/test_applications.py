"""What kind of application a callable is, as far as its arguments tell."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask

from entrepot.spec.applications import Kind, misfit


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    return []


async def asgi(scope: Any, receive: Any, send: Any) -> None: ...


def asgi_by_hand(scope: Any, receive: Any, send: Any) -> Any:
    return asgi(scope, receive, send)


def anything(*given: Any) -> Any:
    return given


def create(config: str = "", debug: bool = False) -> Flask:
    return Flask(config)


class Iterated:
    """The class that PEP 3333 shows."""

    def __init__(self, environ: Any, start_response: Any) -> None: ...


@pytest.mark.parametrize(
    ("app", "kind"),
    [
        (Flask("x"), "wsgi"),
        (Flask("x").wsgi_app, "wsgi"),
        (wsgi, "wsgi"),
        (partial(wsgi), "wsgi"),
        (Iterated, "wsgi"),
        (FastAPI(), "asgi"),
        (asgi, "asgi"),
        (asgi_by_hand, "asgi"),
    ],
)
def test_an_application_is_of_its_kind_alone(app: Any, kind: Kind) -> None:
    assert misfit(app, "app", kind) is None
    other: Kind = "asgi" if kind == "wsgi" else "wsgi"
    article = "a" if kind == "wsgi" else "an"
    told = (f"`app` is {article} {kind.upper()} application", f"Write `{kind}:` instead of `{other}:`.")
    assert misfit(app, "app", other) == told


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_what_does_not_tell_is_taken_at_its_word(kind: Kind) -> None:
    assert misfit(anything, "app", kind) is None
    assert misfit(dict.get, "app", kind) is None


@pytest.mark.parametrize("factory", [create, lambda: wsgi])
@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_what_makes_an_application_is_none(factory: Any, kind: Kind) -> None:
    wrong = misfit(factory, "create", kind)
    assert wrong is not None
    assert "it makes an application and is none" in wrong[0]
    assert "`application = create()`" in wrong[1]


def test_what_cannot_be_called_is_none() -> None:
    wrong = misfit({}, "app", "wsgi")
    assert wrong is not None
    assert wrong[0] == "`app` is a dict, which cannot be called"
