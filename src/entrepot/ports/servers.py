"""Where a contract says its service is, as OpenAPI (3.1, §4.8.5) and OpenRPC have it: a URL with variables."""

from __future__ import annotations

import re

from entrepot.shapes.document import Node

_VARIABLE = re.compile(r"\$?\{([^{}]+)\}")


def server_url(servers: Node) -> str:
    """The URL of the first server, its variables at their defaults; "" when there is none. Raises `Unreadable`."""
    server = next(servers.items(), None)
    if server is None:
        return ""
    variables = server["variables"]

    def default(match: re.Match[str]) -> str:
        value = variables[match[1]]["default"].value
        return match[0] if value is None else str(value)

    return _VARIABLE.sub(default, server["url"].text)
