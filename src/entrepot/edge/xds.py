"""The few words that every Envoy resource is written in.

Resources are plain JSON values: `schema` checks each against the descriptors inside Envoy's own
binary, which is stricter than classes of ours would be and cannot fall behind it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

Json = dict[str, Any]

PIPE_MODE = 0o600
"""Envoy creates its Unix sockets for the owner alone."""


def typed(message: str, fields: Json | None = None) -> Json:
    """A message of this full name, as it stands where any message may stand."""
    return {"@type": f"type.googleapis.com/{message}", **(fields or {})}


def extension(name: str, message: str, fields: Json | None = None) -> Json:
    """An extension of Envoy with its settings."""
    return {"name": name, "typed_config": typed(message, fields)}


def duration(seconds: float) -> str:
    """Seconds as a protobuf Duration in JSON: `0.005s`."""
    return f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"


def pipe(path: Path) -> Json:
    """The address of a Unix socket that exists."""
    return {"pipe": {"path": str(path)}}


def own_pipe(path: Path) -> Json:
    """The address of a Unix socket that Envoy creates."""
    return {"pipe": {"path": str(path), "mode": PIPE_MODE}}


def watched(file: Path) -> Json:
    """Discovery from a file, read again whenever something is renamed into its directory."""
    source = {"path": str(file), "watched_directory": {"path": str(file.parent)}}
    return {"path_config_source": source, "resource_api_version": "V3"}


def header(name: str, value: str, action: str = "OVERWRITE_IF_EXISTS_OR_ADD") -> Json:
    """A header that Envoy writes; the value may hold substitution commands."""
    return {"header": {"key": name, "value": value}, "append_action": action}


def coalesced(*commands: tuple[str, str]) -> str:
    """The substitution that gives what the first of these commands finds; each is its name and its parameter."""
    operators = [{"command": command, "param": parameter} for command, parameter in commands]
    return f"%COALESCE({msgspec.json.encode({'operators': operators}).decode()})%"


def encoded(value: Any) -> bytes:
    """The JSON bytes of a value, the same for the same value."""
    return msgspec.json.encode(value, order="deterministic")


def digest(value: Any) -> str:
    """What tells two values apart: 16 hexadecimal digits."""
    return _digest(encoded(value))


def _digest(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()[:16]


def discovery(resources: Sequence[Json]) -> tuple[str, bytes]:
    """A DiscoveryResponse and its version: a digest of what it holds, so equal files have equal versions."""
    held = encoded(resources)
    version = _digest(held)
    return version, encoded({"version_info": version, "resources": msgspec.Raw(held)})
