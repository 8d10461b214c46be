"""What our filters and routes write down of a request, for our logs, our answers and each other to read.

A rewriting without captured groups costs Envoy next to nothing; with them, or as a CEL expression, it costs
a tenth of a request.
"""

from __future__ import annotations

from entrepot.edge.xds import Json

METADATA = "entrepot"
"""The namespace of it all."""


def kept(key: str, octets: int | None = None) -> str:
    """The substitution that gives what was written down under a key, at most so many octets of it."""
    return f"%DYNAMIC_METADATA({METADATA}:{key}){'' if octets is None else f':{octets}'}%"


def rewritten(header_name: str, key: str, pattern: str, substitution: str) -> Json:
    """A rule: a header's value, with every match of the pattern replaced, is written down under the key."""
    rewrite = {"pattern": {"regex": pattern}, "substitution": substitution}
    return {"header": header_name, "on_header_present": {**_text(key), "regex_value_rewrite": rewrite}}


def taken_off(header_name: str) -> Json:
    """A rule: a header that is for our logs alone is written down under its last word, and goes no further."""
    return {"header": header_name, "on_header_present": _text(header_name.rpartition("-")[2]), "remove": True}


def _text(key: str) -> Json:
    return {"metadata_namespace": METADATA, "key": key, "type": "STRING"}
