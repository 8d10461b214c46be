"""What elements and attributes are called in XML: names, namespaces and prefixes, by the `xml` object of OpenAPI.

A namespace without a prefix holds for all that is written inside as well, as an `xmlns` does; one with a prefix for
that element alone.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from entrepot.model import shape as s
from entrepot.shapes.unsayable import Unsayable

_NAME = re.compile(r"[^\W\d][\w.\-·]*")
"""Names without a colon, nearly as XML has them (Namespaces in XML 1.0, §3); the rest nobody uses."""
PLAIN = s.XmlForm()


class Scope(NamedTuple):
    """The namespaces that the elements around have declared."""

    default: str = ""
    prefixes: tuple[tuple[str, str], ...] = ()

    def of(self, prefix: str) -> str:
        """The namespace of a prefix; "" where none has it."""
        return dict(self.prefixes).get(prefix, "")

    def with_prefix(self, prefix: str, namespace: str) -> Scope:
        """The scope inside an element that declares it."""
        return Scope(self.default, tuple(sorted({**dict(self.prefixes), prefix: namespace}.items())))


class Tag(NamedTuple):
    """An element's name as it is read, and the marks around what it holds as they are written."""

    name: str
    start: str
    """Up to its attributes."""
    end: str


def over(said: s.XmlForm | None, own: s.XmlForm | None) -> s.XmlForm:
    """What is said where something stands, before what it says of itself."""
    said, own = said or PLAIN, own or PLAIN
    apart = said.namespace or said.prefix
    return s.XmlForm(
        kind=said.kind,
        name=said.name or own.name,
        namespace=said.namespace if apart else own.namespace,
        prefix=said.prefix if apart else own.prefix,
        wrapped=said.wrapped,
    )


def element(name: str, form: s.XmlForm, scope: Scope) -> tuple[Tag, Scope]:
    """An element, and the scope inside it. Raises `Unsayable`."""
    local, namespace = _checked(form.name or name), form.namespace
    if form.prefix:
        namespace, declared = _declared(form, scope)
        called = f"{form.prefix}:{local}"
        inner = scope.with_prefix(form.prefix, namespace)
    else:
        namespace = namespace or scope.default
        declared = "" if namespace == scope.default else f" xmlns={quoteattr(namespace)}"
        called, inner = local, scope._replace(default=namespace)
    return Tag(_expanded(namespace, local), f"<{called}{declared}", f"</{called}>"), inner


def attribute(name: str, form: s.XmlForm, scope: Scope) -> Tag:
    """An attribute, which is in a namespace only by a prefix. Raises `Unsayable`."""
    local = _checked(form.name or name)
    if not form.prefix:
        if form.namespace:
            raise Unsayable(f"the attribute {local} is in a namespace and has no prefix")
        return Tag(local, f' {local}="', '"')
    namespace, declared = _declared(form, scope)
    return Tag(_expanded(namespace, local), f'{declared} {form.prefix}:{local}="', '"')


def _declared(form: s.XmlForm, scope: Scope) -> tuple[str, str]:
    """The namespace of a prefix, and what declares it."""
    known = scope.of(_checked(form.prefix))
    namespace = form.namespace or known
    if not namespace or form.prefix.lower().startswith("xml"):
        raise Unsayable(f"nothing says which namespace the prefix {form.prefix} stands for")
    return namespace, "" if known == namespace else f" xmlns:{form.prefix}={quoteattr(namespace)}"


def _checked(name: str) -> str:
    if _NAME.fullmatch(name):
        return name
    raise Unsayable(f"{name!r} can be the name of no element and no attribute")


def _expanded(namespace: str, local: str) -> str:
    return f"{{{namespace}}}{local}" if namespace else local
