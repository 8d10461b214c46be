"""What an author says of credentials, and which scheme takes what."""

from __future__ import annotations

from entrepot.model.security import ApiKey, Http, Kept, KeptCredential, MutualTls, Scheme
from entrepot.spec.declaration import CredentialEntry, SecretEntry

API_KEY, TOKEN, BASIC = "`env` or `file`", "`token`", "`user` and `password`"
"""The members that a credential is written with."""


def members_for(scheme: Scheme) -> str:
    """Those for a scheme; "" for one that nothing can be shown for yet."""
    match scheme:
        case ApiKey():
            return API_KEY
        case Http(scheme="basic"):
            return BASIC
        case MutualTls():
            return ""
        case Http(scheme=name) if name != "bearer":
            return ""
        case _:
            return TOKEN


def members_of(entry: CredentialEntry) -> str:
    """Those that an entry has; "" where they are not of one kind, or not one place is named for each."""
    kinds = {
        API_KEY: (entry.env or entry.file,),
        TOKEN: (entry.token,),
        BASIC: (entry.user, entry.password),
    }
    given = [kind for kind, members in kinds.items() if any(members)]
    places = [entry] if given == [API_KEY] else [entry.token] if given == [TOKEN] else [entry.user, entry.password]
    return given[0] if len(given) == 1 and all(map(_is_one_place, places)) else ""


def kept_credential(entry: CredentialEntry) -> KeptCredential | None:
    """Where the credential is kept; None where the entry does not say, which its rule reports."""
    kind = members_of(entry)
    if not kind:
        return None
    secret = entry.token or entry.password or entry
    return KeptCredential(secret=_kept(secret), user=None if entry.user is None else _kept(entry.user))


def _is_one_place(entry: SecretEntry | None) -> bool:
    return entry is not None and bool(entry.env) != bool(entry.file)


def _kept(entry: SecretEntry) -> Kept:
    return Kept(env=entry.env or "", file=entry.file or "")
