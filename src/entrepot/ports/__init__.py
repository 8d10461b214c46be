"""The borders between the house and the protocols: one file for each.

`exchange` is an HTTP request and its response, `protocol` a server and a client, `faults` what is told
of a fault: a port is written in the words of the domain, so that a fake of it is a page long and
passes the same suite as the real thing.
"""
