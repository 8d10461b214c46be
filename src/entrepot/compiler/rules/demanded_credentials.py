"""What an operation demands of its callers has credentials at its upstream, or every call of it is refused there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from entrepot.compiler.credentials import API_KEY, BASIC, TOKEN, members_for
from entrepot.compiler.draft import Draft, Unit
from entrepot.ir.worker import UpstreamSource
from entrepot.kit.diagnostics import Diagnostic
from entrepot.model.operation import Operation
from entrepot.spec.declaration import CredentialEntry

CODE = "W334"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Security schemes that operations demand, and that their upstream is shown nothing for."""
    for unit in draft.units:
        if isinstance(unit.source, UpstreamSource):
            yield from _missing(draft, unit, unit.source)


def _missing(draft: Draft, unit: Unit, source: UpstreamSource) -> Iterator[Diagnostic]:
    declared = draft.declaration.upstreams
    counts = Counter(
        (upstream, name)
        for each in unit.service.operations
        if (upstream := source.upstream_of(each.name)) in declared
        for name in _unmet(each, declared[upstream].credentials)
    )
    for (upstream, name), count in counts.items():
        demanding = "1 operation demands" if count == 1 else f"{count} operations demand"
        message = f"{demanding} `{name}` of `{unit.service.name}`, and `{upstream}` has no credentials for it"
        yield Diagnostic(CODE, message, draft.at_key("upstreams", upstream), _remedy(unit, name), "warning")


def _unmet(operation: Operation, given: Mapping[str, CredentialEntry]) -> list[str]:
    """The schemes that the operation lacks, of its alternatives the first; none where one of them is met."""
    lacking = [
        [each.scheme for each in alternative if not each.field and each.scheme not in given]
        for alternative in operation.security
    ]
    return lacking[0] if lacking and all(lacking) else []


def _remedy(unit: Unit, name: str) -> str:
    example = _EXAMPLES.get(members_for(unit.service.schemes[name]))
    if example is None:
        return (
            "Nothing can be shown for it in this version of Entrepôt; calls get what the upstream says to a stranger."
        )
    return f"Add `credentials: {{{name}: {example}}}` to the upstream."


_EXAMPLES = {
    API_KEY: "{env: NAME}",
    TOKEN: "{token: {env: NAME}}",
    BASIC: "{user: {env: NAME}, password: {env: NAME}}",
}
