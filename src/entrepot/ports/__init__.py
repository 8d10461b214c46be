"""The borders: one Protocol to a file, with the values it speaks.

A port is written in the words of the domain, so that a fake of it is a page long and passes
the same suite as the real thing.
"""
