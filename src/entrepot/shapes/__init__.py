"""What can be done with shapes: Python classes for them, codecs, checks, JSON Schema.

Pure and wire-neutral. `values` is the way in: it makes classes (`classes`), rules that msgspec
lacks (`checks`, `guard`) and the form on the wire (`wire_form`). `explain` lists every error of a
value that did not decode, `text` reads and writes bare scalars, `reflect` reads Python types,
`schema_in` and `schema_out` translate JSON Schema.
"""
