"""What an operation is: frozen values, no I/O, no framework, no protocol.

Everything else leans on this room, so it changes rarely and makes room for every protocol
from the first day. Read `shape`, `operation`, `call`, `fault`, in that order.
"""
