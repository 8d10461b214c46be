"""Asking the control process of a running project, over its Unix socket."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any

from entrepot.ir.layout import Layout

TIMEOUT = 120.0
"""Seconds: an apply takes as long as new workers need to start."""


class NotRunning(Exception):
    """No control process answers for the project."""

    def __init__(self, project: Path) -> None:
        super().__init__(f"{project} is not running; start it with `entrepot serve` or `entrepot dev`")


class ControlFailed(Exception):
    """Control answered with an error."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(layout: Layout, method: str, path: str, body: Any = None) -> Any:
    """The JSON answer to one request. Raises `NotRunning`, or `ControlFailed` with control's own words."""
    connection = _UnixConnection(layout.control_socket)
    try:
        content = None if body is None else json.dumps(body).encode()
        connection.request(method, path, body=content, headers={"content-type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
    except (FileNotFoundError, ConnectionRefusedError):
        raise NotRunning(layout.project) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ControlFailed(f"control did not answer: {error}") from error
    finally:
        connection.close()
    if response.status != http.HTTPStatus.OK:
        raise ControlFailed(str(answer.get("detail", f"control answered {response.status}")))
    return answer
