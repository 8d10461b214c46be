"""The borders between the house and the protocols, and what all protocols say there alike.

`exchange` is an HTTP request and its response, `protocol` a server and a client: a port is written in
the words of the domain, so that a fake of it is a page long and passes the same suite as the real thing.
Beside them stands what no protocol should say in a way of its own: faults (`told_faults`, as HTTP
`problems`), the `context` of a call as headers, `media_types`, and messages by POST (`posts`).
"""
