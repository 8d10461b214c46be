"""Small things every room may use. At most ten files, each with a name that says what it is.

Nothing here knows operations, HTTP or Envoy. There is no "utils".
"""
