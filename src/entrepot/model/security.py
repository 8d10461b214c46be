"""What a caller must show to be let in: the schemes of a service, and which of them an operation demands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="api_key"):
    """A secret under a name of its own."""

    where: Literal["header", "query", "cookie"]
    name: str
    docs: str = ""


class Http(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="http"):
    """The header Authorization (RFC 9110, §11.6.2)."""

    scheme: str
    """In small letters, such as `basic` or `bearer`."""
    format: str = ""
    """What a bearer's token is, such as `JWT`; a hint for people."""
    docs: str = ""


class Flow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A way to get a token (RFC 6749)."""

    kind: Literal["implicit", "password", "client_credentials", "authorization_code"]
    authorization_url: str = ""
    token_url: str = ""
    refresh_url: str = ""
    scopes: Mapping[str, str] = {}
    """What may be asked for, each with what it means."""


class OAuth2(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="oauth2"):
    """A bearer's token that one of these flows gives."""

    flows: tuple[Flow, ...] = ()
    docs: str = ""


class OpenIdConnect(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="openid_connect"):
    """A bearer's token of a provider that describes itself at `url`."""

    url: str
    docs: str = ""


class MutualTls(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="mutual_tls"):
    """A certificate of the caller's own."""

    docs: str = ""


Scheme = ApiKey | Http | OAuth2 | OpenIdConnect | MutualTls


class Requirement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One scheme that must be met."""

    scheme: str
    """Its name in `Service.schemes`."""
    scopes: tuple[str, ...] = ()
    field: str = ""
    """The field of the input in which the caller gives what is demanded; "" where none is for it."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Where a secret is kept: in one of the two."""

    env: str = ""
    """An environment variable."""
    file: str = ""
    """A file, relative to the project."""


class KeptCredential(msgspec.Struct, frozen=True, kw_only=True):
    """Where a credential is kept: what a release knows of it."""

    secret: Kept
    """The key, the token or the password."""
    user: Kept | None = None
    """Whose password it is."""


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown for one scheme. It is held in memory alone, and no text of it tells the secret."""

    secret: str
    user: str | None = None

    def __repr__(self) -> str:
        return "Credential(…)"
