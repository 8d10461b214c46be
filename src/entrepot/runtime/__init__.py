"""A worker table becomes a running worker: handlers and clients bound, wrapped and served.

The room knows neither how a declaration is written nor how it is compiled, and no protocol:
those arrive as a catalog. Read `worker` first, then `bind`, then `handlers`.
"""
