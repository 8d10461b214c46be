"""Credentials in a request: what an operation demands, shown where its scheme says (OpenAPI 3.1, §4.8.27)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from entrepot.http.forms import format_pairs
from entrepot.model.headers import Headers
from entrepot.model.operation import Operation
from entrepot.model.security import ApiKey, Credential, Http, Requirement, Scheme
from entrepot.protocols.rest.parameters.head import COOKIE_SAFE


class Shown(NamedTuple):
    """What is shown with every call of an operation. A name that the input gives itself is left to it."""

    headers: Headers
    query: tuple[bytes, ...]
    """Pairs as they stand there, `name=value`."""
    cookies: tuple[bytes, ...]

    def in_query(self, query: bytes) -> bytes:
        """The query with what is shown in it."""
        return _with(query, self.query, b"&") if self.query else query

    def in_headers(self, headers: Headers) -> Headers:
        """The headers with what is shown in them, cookies too."""
        if self.headers:
            said = {name for name, _ in headers}
            headers = [*headers, *(pair for pair in self.headers if pair[0] not in said)]
        if not self.cookies:
            return headers
        cookies = b"; ".join(value for name, value in headers if name == b"cookie")
        others = [pair for pair in headers if pair[0] != b"cookie"]
        return [*others, (b"cookie", _with(cookies, self.cookies, b"; "))]


def shown(operation: Operation, schemes: Mapping[str, Scheme], credentials: Mapping[str, Credential]) -> Shown:
    """What to show: for the first of the operation's alternatives that can be met, with a credential of ours."""
    for alternative in operation.security:
        ours = [each for each in alternative if each.scheme in credentials]
        if ours and all(each.field or each in ours for each in alternative):
            return _shown(ours, schemes, credentials)
    return Shown([], (), ())


def _shown(
    requirements: list[Requirement], schemes: Mapping[str, Scheme], credentials: Mapping[str, Credential]
) -> Shown:
    headers: Headers = []
    query: list[bytes] = []
    cookies: list[bytes] = []
    for requirement in requirements:
        scheme, credential = schemes[requirement.scheme], credentials[requirement.scheme]
        if not isinstance(scheme, ApiKey):
            headers.append((b"authorization", _authorization(scheme, credential)))
        elif scheme.where == "header":
            headers.append((scheme.name.lower().encode(), credential.secret.encode()))
        elif scheme.where == "query":
            query.append(format_pairs([(scheme.name, credential.secret)]))
        else:
            cookies.append(f"{scheme.name}={quote(credential.secret, safe=COOKIE_SAFE)}".encode())
    return Shown(headers, tuple(query), tuple(cookies))


def _authorization(scheme: Scheme, credential: Credential) -> bytes:
    """Basic (RFC 7617), else a bearer's token (RFC 6750)."""
    if isinstance(scheme, Http) and scheme.scheme == "basic":
        return b"Basic " + b64encode(f"{credential.user}:{credential.secret}".encode())
    return f"Bearer {credential.secret}".encode()


def _with(text: bytes, pairs: tuple[bytes, ...], separator: bytes) -> bytes:
    said = {_name(part) for part in text.split(separator)}
    added = [pair for pair in pairs if _name(pair) not in said]
    return separator.join([text, *added] if text else added)


def _name(pair: bytes) -> bytes:
    return pair.partition(b"=")[0]
