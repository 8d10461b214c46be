"""REST: operations as HTTP methods and paths (RFC 9110), described by OpenAPI."""

from entrepot.ports.protocol import Protocol
from entrepot.protocols.rest.can import CAN
from entrepot.protocols.rest.client import RestClient
from entrepot.protocols.rest.server import RestServer

PROTOCOL = Protocol(name="rest", server=RestServer(), client=RestClient(), can=CAN, by_default=True)
