"""The only files near sockets: HTTP exchanges in and out, and a fake wire for tests.

`asgi` takes requests from an application server; `egress` sends them out through Envoy by
`http1`, whose two halves are `request_head` (what is written) and `connection` (what is read);
`memory` joins a client to a server without a network. Nothing here knows operations or protocols.
"""
