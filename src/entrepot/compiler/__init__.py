"""From a declaration to a release: load, import, resolve, inherit, check, place, lower, seal.

`passes` is the table of contents. Each pass is a pure function from a draft to a fuller one; only
`load` and `import` read files. Rules look and never change anything. Protocols arrive as a catalog:
the room names none, and knows neither Envoy nor how a worker is run.
"""
