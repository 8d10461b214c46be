"""Where a parameter comes from in HTTP: `token: Annotated[str, Header("X-Token")]`.

Without a marker the usual rule holds: names in the path template come from the path, scalars
and lists of them from the query, everything else from the body.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from entrepot.shapes.markers import Xml

Location = Literal["path", "query", "header", "cookie", "form", "body"]


class Marker(msgspec.Struct, frozen=True):
    """What all markers share. `name` is the name on the wire; "" takes the parameter's own."""

    location: ClassVar[Location]
    name: str = ""

    def binding(self, parameter: str) -> dict[str, str]:
        """What REST's binding data say about the parameter."""
        name = self.wire_name(parameter)
        return {"in": self.location} if name == parameter else {"in": self.location, "name": name}

    def wire_name(self, parameter: str) -> str:
        """The name on the wire."""
        return self.name or parameter

    @property
    def written(self) -> str:
        """As an author writes it."""
        return f"{type(self).__name__}({repr(self.name) if self.name else ''})"


class Path(Marker, frozen=True):
    """A variable of the path template."""

    location: ClassVar[Location] = "path"


class Query(Marker, frozen=True):
    """A query parameter. With `deep` a record is written member by member: `?year[min]=1850`."""

    location: ClassVar[Location] = "query"
    deep: bool = False

    def binding(self, parameter: str) -> dict[str, str]:
        """What REST's binding data say about the parameter."""
        said = super().binding(parameter)
        return said | {"style": "deep"} if self.deep else said


class Header(Marker, frozen=True):
    """A header. Without a name, `x_token` is read from `x-token`."""

    location: ClassVar[Location] = "header"

    def wire_name(self, parameter: str) -> str:
        """The header's name."""
        return self.name or parameter.replace("_", "-")


class Cookie(Marker, frozen=True):
    """A cookie."""

    location: ClassVar[Location] = "cookie"


class Form(Marker, frozen=True):
    """A field of a form: URL-encoded, or multipart when there is a file among them."""

    location: ClassVar[Location] = "form"


class Body(Marker, frozen=True):
    """The body, or a member of it when several parameters are.

    How a field is written in a body of XML is marked at the field: `id: Annotated[int, Body.Xml(attribute=True)]`.
    """

    location: ClassVar[Location] = "body"
    Xml: ClassVar = Xml
