"""One folder for each protocol, blind to one another; only `app.py` names them.

A folder holds what its protocol needs in both directions: how operations are bound to it, its
codec, its faults, its contract document, its server and its client, and a README with the
specification and what the protocol cannot carry.
"""
