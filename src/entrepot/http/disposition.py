"""Content-Disposition: the names of files and of the parts of a form (RFC 6266; RFC 7578, §4.2)."""

from __future__ import annotations

import re

from python_multipart.multipart import parse_options_header

from entrepot.model.faults import Malformed

_CONTROLS = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]")


def file_name(disposition: bytes) -> str:
    """The file name in a Content-Disposition header; "" without one."""
    return _plain(parse_options_header(disposition)[1].get(b"filename", b"").decode(errors="replace"))


def attachment(name: str) -> bytes:
    """The Content-Disposition header of a file with a name (RFC 6266)."""
    return f'attachment; filename="{escape(name)}"'.encode()


def escape(name: str) -> str:
    """A name as browsers write it (WHATWG HTML, §4.10.21.8)."""
    name = _CONTROLS.sub("", name)
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def unescape(name: bytes) -> str:
    """The name of a part as it was meant. Raises `Malformed` when it is not UTF-8."""
    try:
        return _plain(name.decode())
    except UnicodeDecodeError:
        raise Malformed("a name in the form is not UTF-8") from None


def _plain(name: str) -> str:
    return name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
