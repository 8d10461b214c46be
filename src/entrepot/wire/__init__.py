"""The only files near sockets: HTTP exchanges in and out, and a fake wire for tests.

`asgi` takes requests from an application server. `http1` sends them out: a `pool` of
`connection`s, which write what `request_head` makes and read with `response_parser`. `memory` joins
a client to a server without a network. Nothing here knows operations or protocols.
"""
