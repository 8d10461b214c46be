"""Where the system keeps the certificates of the authorities it trusts."""

from __future__ import annotations

import ssl
from pathlib import Path

_USUAL_PLACES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class NoTrust(Exception):
    """The system has no bundle of certificates."""


def system_bundle() -> Path:
    """The PEM file with the system's authorities. Raises `NoTrust` when there is none.

    `SSL_CERT_FILE` names another, as it does for OpenSSL.
    """
    for place in (ssl.get_default_verify_paths().cafile, *_USUAL_PLACES):
        if place and Path(place).is_file():
            return Path(place)
    raise NoTrust(
        "this system has no bundle of certificate authorities; install ca-certificates, set SSL_CERT_FILE, "
        "or give each upstream with TLS a ca_file"
    )
