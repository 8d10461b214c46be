"""A release: an immutable, hashed snapshot of everything the planes run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

import msgspec

from entrepot.ir.edge import EdgeIR
from entrepot.ir.worker import WorkerIR

Mode = Literal["dev", "serve"]
"""dev: all protocols unless told otherwise, every output checked. serve: what the declaration names."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """How a release was made."""

    mode: Mode
    environment: str
    target: str

    def __str__(self) -> str:
        """As it is written after `entrepot`."""
        return f"{self.mode} {self.target}" + (f" --env {self.environment}" if self.environment else "")


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What was compiled, under a digest that is the same for the same input."""

    project: str
    mode: Mode
    environment: str
    """The one that it was compiled for; "" for the declaration as it stands."""
    target: str
    """The file of the project's directory that it was compiled from: a Python file, or the declaration."""
    kept: int
    """How many releases are kept, this one included."""
    edge: EdgeIR
    worker: WorkerIR
    files: Mapping[str, str]
    """By path in the project: SHA-256 of each module, imported document and trusted authority, hexadecimal."""
    dependencies: Mapping[str, str]
    """By name: the version of Python, and of each package that is installed."""

    @property
    def made(self) -> Made:
        """What must be the same for it to run where another one runs."""
        return Made(mode=self.mode, environment=self.environment, target=self.target)

    def canonical(self) -> bytes:
        """The bytes that are hashed and stored: JSON, members in one order.

        Every setting is written out, one that has its default too: a later version with other
        defaults must run the release as it was sealed.
        """
        return _ENCODER.encode(self)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes, hexadecimal."""
        return hashlib.sha256(self.canonical()).hexdigest()

    @staticmethod
    def of(content: bytes) -> Release:
        """The release that `canonical` wrote; numbers of documents stay exact. Raises msgspec.DecodeError."""
        return _DECODER.decode(content)


class Sealed(msgspec.Struct, frozen=True):
    """A release, and all that it needs to run when the project's files are others by then."""

    release: Release
    contents: Mapping[str, bytes]
    """The content of its files, by SHA-256."""


_ENCODER = msgspec.json.Encoder(order="deterministic", decimal_format="number")
_DECODER = msgspec.json.Decoder(Release, float_hook=Decimal)
