"""Types of which each leads to every other, as in large contracts."""

from __future__ import annotations

from entrepot.model import shape


def ring(names: int, **more: shape.Shape) -> dict[str, shape.Shape]:
    """Types each of which leads to all the others."""
    following = (shape.Field(name="next", shape=shape.Ref(name=f"T{(n + 1) % names}")) for n in range(names))
    return {f"T{n}": shape.Record(fields=(field,)) for n, field in enumerate(following)} | more
