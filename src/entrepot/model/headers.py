"""Headers as values: what travels beside a call and its reply."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

Headers = list[tuple[bytes, bytes]]
"""Names in lower case, in the order they came; repeated names are repeated pairs."""

OF_THE_EDGE = (b"x-entrepot-", b"x-envoy-")
"""How headers begin that processes of ours and Envoy tell each other. Whoever else says one is not believed: by one
an answer has its sender taken out."""


def header(headers: Headers, name: bytes) -> bytes | None:
    """The first header of this lower-case name."""
    for key, value in headers:
        if key == name:
            return value
    return None


def cookies_of(headers: Headers) -> dict[str, str]:
    """Cookies by name, of equal names the first.

    A browser sends a cookie of the same name for each path and domain that it holds one for, the
    longest path first (RFC 6265, §5.4), and whoever sits before it cannot stop it: the first is
    the one that is meant here, and refusing the others would shut people out.
    """
    return {name: values[0] for name, values in every_cookie(headers).items()}


def every_cookie(headers: Headers) -> dict[str, list[str]]:
    """All values of each cookie, in order.

    A value may stand in quotes (§4.1.1), which are not part of it, and is percent-encoded, as
    OpenAPI's form style has it.
    """
    found: dict[str, list[str]] = {}
    for key, value in headers:
        if key == b"cookie":
            for pair in value.split(b";"):
                name, _, content = pair.strip().partition(b"=")
                if len(content) > 1 and content[0] == content[-1] == _QUOTE:
                    content = content[1:-1]
                found.setdefault(text_of(name), []).append(text_of(unquote_to_bytes(content)))
    return found


_QUOTE = ord('"')


def text_of(value: bytes) -> str:
    """UTF-8 where it is, ISO 8859-1 where it is not (RFC 9110, §5.5)."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
