"""What workers and the egress agree on: how an upstream is asked for, and how an answer is marked."""

from __future__ import annotations

HOST_SUFFIX = ".egress"
"""After an upstream's name: the host that workers ask for."""
MARK = "x-entrepot-egress"
"""The header on every answer of the egress: `ANSWERED`, else the kind of the fault that Envoy's own answer
means, a space, and what happened."""
ANSWERED = "-"
"""The mark of an upstream's own answer."""
