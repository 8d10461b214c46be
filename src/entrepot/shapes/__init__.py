"""What can be done with shapes: Python classes for them, codecs, checks, JSON Schema.

Pure and wire-neutral. `values` is the way in; `reflect` reads Python types, `schema_in` and
`schema_out` translate JSON Schema, `explain` lists every error of a value that did not decode.
"""
