"""Operations on other servers than the rest of their document (OpenAPI 3.1, §4.8.5)."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

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
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise own.unreadable(f"it is on another server than the rest, and {url} is no address")
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
