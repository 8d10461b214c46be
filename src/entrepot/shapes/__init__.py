"""What can be done with shapes: Python classes for them, codecs, checks, JSON Schema.

Pure and wire-neutral. `values` is the way in: it makes classes (`classes`), rules that msgspec
lacks (`checks`, `guard`) and the form on the wire (`wire_form`). `explain` lists every error of a
value that did not decode, `integers` lets in those that are spelt `1.0`, `text` reads and writes
bare scalars, `field_access` takes out what has no place in a request or a reply, `reflect` reads Python
types, `patterns` judges regular expressions, `schema_in` and `schema_out` translate JSON Schema.
"""
