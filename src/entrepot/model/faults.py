"""The built-in faults, one class for each kind: what a handler raises."""

from __future__ import annotations

from entrepot.model.fault import Fault


class Malformed(Fault, kind="malformed"):
    """The request could not be read at all: broken syntax or encoding."""


class Invalid(Fault, kind="invalid"):
    """The input was read but does not fit its type; `issues` lists every error with its place."""


class Rejected(Fault, kind="rejected"):
    """A rule of the service says no."""


class UnknownOperation(Fault, kind="unknown_operation"):
    """No operation has this name or address."""


class Unauthenticated(Fault, kind="unauthenticated"):
    """The caller must say who it is."""


class Forbidden(Fault, kind="forbidden"):
    """The caller is known and may not do this."""


class NotFound(Fault, kind="not_found"):
    """The thing asked for does not exist."""


class Conflict(Fault, kind="conflict"):
    """The request conflicts with the present state, or the thing exists already."""


class PreconditionFailed(Fault, kind="precondition_failed"):
    """The thing has changed since the caller last saw it."""


class Unsupported(Fault, kind="unsupported"):
    """A media type or form is asked for, or sent, that the operation does not offer."""


class TooLarge(Fault, kind="too_large"):
    """The request passes a limit; `detail` names it."""


class RateLimited(Fault, kind="rate_limited"):
    """The caller sends too many requests; `retry_after` says when to come back."""


class Internal(Fault, kind="internal"):
    """The service failed in a way it does not tell the caller about."""


class UpstreamFailed(Fault, kind="upstream_failed"):
    """An upstream failed or broke its contract; `upstream` names it."""


class Unavailable(Fault, kind="unavailable"):
    """The service cannot answer now."""


class Timeout(Fault, kind="timeout"):
    """The deadline passed."""


class Cancelled(Fault, kind="cancelled"):
    """The caller left."""
