"""A release: an immutable, hashed snapshot of everything the planes run."""

from __future__ import annotations

import hashlib
from decimal import Decimal

import msgspec

from entrepot.ir.edge import EdgeIR
from entrepot.ir.worker import WorkerIR


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What was compiled, under a digest that is the same for the same input."""

    project: str
    edge: EdgeIR
    worker: WorkerIR
    code: str
    """SHA-256 over the project's Python files and locked documents, hexadecimal."""

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


_ENCODER = msgspec.json.Encoder(order="deterministic", decimal_format="number")
_DECODER = msgspec.json.Decoder(Release, float_hook=Decimal)
