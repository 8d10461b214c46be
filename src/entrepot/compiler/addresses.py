"""Addresses in text: urls and endpoints of upstreams, the address we listen on, paths of routes."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

import msgspec

from entrepot.model.upstream import Endpoint, is_ip

_SPACE = re.compile(r"\s")
_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?")
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:/@\s]+):([0-9]{1,5})")
_BASE_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()+,;=:@%-]+)*/?")
_SEGMENT = re.compile(r"[A-Za-z0-9._~!$&'()+,;=:@-]+")
KEPT_PATHS, KEPT_URLS = 20_000, 4_000
"""Most paths of routes, and urls of upstreams, whose parts are kept from one compile to the next."""
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Url(msgspec.Struct, frozen=True):
    """An upstream's url, taken apart."""

    endpoint: Endpoint
    encrypted: bool
    base_path: str
    """Without a slash at its end."""


@lru_cache(maxsize=KEPT_URLS)
def parse_url(text: str) -> Url:
    """Raises ValueError with what is wrong."""
    if _SPACE.search(text):
        raise ValueError("it must not hold spaces")
    parts = urlsplit(text)
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError("it must begin with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("it must not carry credentials")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise ValueError("it must end with its path, without query or fragment")
    if not _BASE_PATH.fullmatch(parts.path):
        raise ValueError(f"`{parts.path}` is not a path")
    host = _host(parts.hostname or "")
    port = _port(parts.netloc.rpartition(":")[2]) if parts.port is not None else _DEFAULT_PORTS[parts.scheme]
    return Url(Endpoint(host, port), parts.scheme == "https", parts.path.rstrip("/"))


def server_address(text: str) -> str:
    """A server's address as a document gives it, perhaps relative, without the credentials it may carry.

    Raises ValueError with what is wrong.
    """
    parts = urlsplit(text)
    address = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    if parts.scheme in _DEFAULT_PORTS:
        parse_url(address)
    else:
        server_path(address)
    return address


def server_path(address: str) -> str:
    """The path of a server's address, without a slash at its end. Raises ValueError with what is wrong."""
    parts = urlsplit(address)
    if parts.query or parts.fragment:
        raise ValueError("it must end with its path, without query or fragment")
    return parse_base_path(f"/{parts.path}" if parts.path and parts.path[0] != "/" else parts.path)


def parse_endpoint(text: str) -> Endpoint:
    """`host:port`. Raises ValueError with what is wrong."""
    parts = _HOST_PORT.fullmatch(text)
    if parts is None:
        raise ValueError("it must be of the form host:port")
    return Endpoint(_host(parts[1].strip("[]")), _port(parts[2]))


def parse_listen(text: str) -> tuple[str, int]:
    """An IP address, or `localhost`, and a port. Raises ValueError with what is wrong."""
    endpoint = parse_endpoint(text)
    if endpoint.host == "localhost":
        return "127.0.0.1", endpoint.port
    if not is_ip(endpoint.host):
        raise ValueError("it must be an IP address and a port")
    return endpoint.host, endpoint.port


def parse_base_path(text: str) -> str:
    """A path before others, without a slash at its end. Raises ValueError with what is wrong."""
    if not _BASE_PATH.fullmatch(text):
        raise ValueError(f"`{text}` is not a path")
    return text.rstrip("/")


@lru_cache(maxsize=KEPT_PATHS)
def parse_route_path(text: str) -> tuple[str, bool]:
    """The path without its star, and whether it is exact. Raises ValueError with what is wrong."""
    path = text.removesuffix("*")
    exact = path == text
    if "{" in text:
        raise ValueError("it must not hold variables; only operations have them")
    if "*" in path or (not exact and not path.endswith("/")):
        raise ValueError("a star may only stand at the end, after a slash: /static/*")
    if not path.startswith("/"):
        raise ValueError("it must begin with a slash")
    segments = path[1:].split("/")
    if segments[-1] == "":
        segments.pop()
    if not all(_SEGMENT.fullmatch(segment) and segment not in (".", "..") for segment in segments):
        raise ValueError("it must be made of plain segments, without `//`, `..`, `%`, query or spaces")
    return path, exact


def _host(text: str) -> str:
    if not is_ip(text) and (not _HOST.fullmatch(text) or len(text) > 253):
        raise ValueError(f"`{text}` is not a host" if text else "it names no host")
    return text


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536:
        raise ValueError(f"{port} is not a port")
    return port
