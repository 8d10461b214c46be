"""Fetching a document that a person named: bounded in size and time, and never led elsewhere."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPMessage
from typing import IO
from urllib.parse import SplitResult, urlsplit

from entrepot.spec.gather import NotObtained

BYTES_MAX = 16 * 1024 * 1024
SECONDS_MAX = 30.0
"""For the whole document."""

_PORTS = {"http": 80, "https": 443}
SCHEMES = tuple(_PORTS)


class FetchFailed(NotObtained):
    """The document could not be had."""


def is_url(source: str) -> bool:
    """Whether a source is an address rather than a file."""
    return "://" in source


def fetch(url: str, bytes_max: int = BYTES_MAX, seconds_max: float = SECONDS_MAX) -> bytes:
    """The document at `url`. Raises `FetchFailed` with the reason.

    http and https alone; a redirect is followed within the same origin (RFC 6454), so that a
    document cannot make us ask an address of its choosing.
    """
    _require_allowed(urlsplit(url))
    outcome: list[bytes | Exception] = []
    worker = threading.Thread(target=_fetch_into, args=(outcome, url, bytes_max, seconds_max), daemon=True)
    worker.start()
    worker.join(seconds_max)
    if not outcome:
        raise FetchFailed(f"{url} took longer than {seconds_max:g} s")
    result = outcome[0]
    if isinstance(result, Exception):
        raise result
    return result


def _fetch_into(outcome: list[bytes | Exception], url: str, bytes_max: int, seconds_max: float) -> None:
    try:
        outcome.append(_fetch(url, bytes_max, seconds_max))
    except FetchFailed as failure:
        outcome.append(failure)
    except urllib.error.HTTPError as error:
        outcome.append(FetchFailed(f"{url} answered {error.code} {error.reason}"))
    except (OSError, HTTPException, ValueError) as error:
        outcome.append(FetchFailed(f"{url} cannot be fetched: {getattr(error, 'reason', None) or error}"))


def _fetch(url: str, bytes_max: int, seconds_max: float) -> bytes:
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _SameOrigin(),
    ):
        opener.add_handler(handler)
    request = urllib.request.Request(url, headers={"accept": "*/*", "user-agent": "entrepot"})
    with opener.open(request, timeout=seconds_max) as response:
        content: bytes = response.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise FetchFailed(f"{url} is longer than {bytes_max} bytes")
    return content


class _SameOrigin(urllib.request.HTTPRedirectHandler):
    """Follows a redirect to the same scheme, host and port, and no other."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        if origin_of(req.full_url) != origin_of(newurl):
            raise FetchFailed(
                f"{req.full_url} redirects to another origin, {newurl}; import from there if you trust it"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def origin_of(url: str) -> str:
    """The origin of an address (RFC 6454), its port written out. Raises ValueError for a port that is none."""
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def _require_allowed(parts: SplitResult) -> None:
    if parts.scheme not in SCHEMES:
        raise FetchFailed(f"{parts.scheme}:// is not fetched; use http or https, or a file")
    if parts.username is not None or parts.password is not None:
        raise FetchFailed("a URL with credentials is not fetched; save the document to a file and import that")
