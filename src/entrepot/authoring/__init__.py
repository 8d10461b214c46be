"""How an author writes a service in Python: decorators and annotations in, a `Service` value out.

Nothing here serves or calls anything. A mistake becomes a located diagnostic, so that a person
sees all of them in one run. Read `service` first, then `signature`.
"""
