"""What a notation has no word for."""

from __future__ import annotations


class Unsayable(ValueError):
    """A shape, or a value of it, that one way to write values has no word for. Says why, and where."""

    def __init__(self, reason: str, pointer: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.pointer = pointer
