"""JSON-RPC 2.0 over HTTP, with OpenRPC documents."""

from entrepot.ports.protocol import Protocol
from entrepot.protocols.jsonrpc.binding import CAN
from entrepot.protocols.jsonrpc.client import JsonRpcClient
from entrepot.protocols.jsonrpc.server import JsonRpcServer

PROTOCOL = Protocol("jsonrpc", JsonRpcServer(), JsonRpcClient(), CAN)
