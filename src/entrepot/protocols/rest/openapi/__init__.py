"""OpenAPI both ways: a service written as a 3.1 document, and foreign 2.0, 3.0, 3.1 and 3.2 documents read.

`document` finds what stands where in any version, `reader` makes a service of it by way of `inputs`,
`replies` and `shapes`; `writer` goes the other way.
"""
