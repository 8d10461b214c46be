"""What a protocol writes of services."""

from __future__ import annotations

from entrepot.model.operation import Service
from entrepot.ports.protocol import Protocol


def contract(protocol: Protocol, *services: Service) -> bytes:
    """The one document of these services."""
    [found] = protocol.server.contracts(services).values()
    return found.write()
