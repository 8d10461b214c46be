"""Multipart forms written by hand, so that they can be wrong."""

from __future__ import annotations

FORM = "multipart/form-data; boundary=b"


def part(name: str, content: bytes, more: str = "", kind: str = "") -> bytes:
    """One part; `more` is added to its Content-Disposition, `kind` is its media type."""
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n'
    return (head + (f"Content-Type: {kind}\r\n" if kind else "") + "\r\n").encode() + content + b"\r\n"
