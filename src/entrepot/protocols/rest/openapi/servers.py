"""Operations on other servers than the rest of their document (OpenAPI 3.1, §4.8.5)."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit, urlunsplit

from entrepot.ports.servers import server_url
from entrepot.shapes.document import Node


def other_server(root: Node, item: Node, operation: Node) -> str:
    """The URL of an operation's own server; "" where it is on the document's.

    Raises `Unreadable` for one that is no address, since nothing says what it is relative to.
    """
    own = operation["servers"] if operation["servers"].value else item["servers"]
    url = server_url(own).rstrip("/") if own.value else ""
    if not url or url == server_url(root["servers"]).rstrip("/"):
        return ""
    if (parts := _parts(url)) is None:
        raise own.unreadable(f"it is on another server than the rest, and {url} is no address")
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _parts(url: str) -> SplitResult | None:
    """Those of a URL of HTTP's; None where it is none."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # of its port, or of the brackets of an IPv6 address
        return None
    return parts if is_address else None
