"""TLS to upstreams: verified, always."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import msgspec
import pytest
import trustme

from entrepot.edge import trust
from entrepot.edge.deliver import Deliverer
from entrepot.edge.emit import emit
from entrepot.kit.files import write_together
from entrepot.model.upstream import Endpoint, HealthCheck, Tls, Upstream
from support.edge import Origin, Site
from support.tables import edge_table


async def secure(site: Site, *names: str, ca: trustme.CA) -> tuple[Origin, int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names).configure_cert(context)
    return await site.upstream(tls=context)


def bundle(site: Site, ca: trustme.CA) -> str:
    """The authority's certificate as a release keeps it; gives its digest."""
    content = ca.cert_pem.bytes()
    digest = hashlib.sha256(content).hexdigest()
    write_together(site.layout.files, {digest: content})
    return digest


def upstream_of(port: int, server_name: str, ca: str = "", health: HealthCheck | None = None) -> Upstream:
    tls = Tls(server_name=server_name, ca_file="ca.pem" if ca else "", ca=ca)
    return Upstream(name="bank", endpoints=(Endpoint("127.0.0.1", port),), host="bank.test", tls=tls, health=health)


@pytest.mark.parametrize(
    ("names", "server_name"),
    [(("bank.test",), "bank.test"), (("*.bank.test",), "eu.bank.test"), (("127.0.0.1",), "127.0.0.1")],
)
async def test_a_certificate_of_the_right_name_and_authority_is_trusted(
    site: Site, names: tuple[str, ...], server_name: str
) -> None:
    ca = trustme.CA()
    bank, port = await secure(site, *names, ca=ca)
    health = HealthCheck(path="/-/health", interval=0.05)
    await site.start(edge_table(port=site.port, upstreams=(upstream_of(port, server_name, bundle(site, ca), health),)))
    assert (await site.egress("bank", "/x")).status == 200
    assert bank.seen[0].header("host") == "bank.test"


@pytest.mark.parametrize("names", [("other.test",), ("bank.test.evil.test",), ("bank.tes",)])
async def test_a_certificate_of_another_name_is_not(site: Site, names: tuple[str, ...]) -> None:
    ca = trustme.CA()
    bank, port = await secure(site, *names, ca=ca)
    await site.start(edge_table(port=site.port, upstreams=(upstream_of(port, "bank.test", bundle(site, ca)),)))
    await refused(site, bank)


async def test_a_certificate_of_another_authority_is_not(site: Site) -> None:
    bank, port = await secure(site, "bank.test", ca=trustme.CA())
    bundled = bundle(site, trustme.CA())
    await site.start(edge_table(port=site.port, upstreams=(upstream_of(port, "bank.test", bundled),)))
    await refused(site, bank)


async def test_the_system_bundle_is_the_default_and_does_not_know_ours(site: Site) -> None:
    bank, port = await secure(site, "bank.test", ca=trustme.CA())
    await site.start(edge_table(port=site.port, upstreams=(upstream_of(port, "bank.test"),)))
    await refused(site, bank)


async def test_another_bundle_can_stand_for_the_systems(site: Site) -> None:
    ca = trustme.CA()
    _, port = await secure(site, "bank.test", ca=ca)
    site.deliverer = Deliverer(site.layout, site.binary, ca_bundle=site.layout.files / bundle(site, ca))
    await site.start(edge_table(port=site.port, upstreams=(upstream_of(port, "bank.test"),)))
    assert (await site.egress("bank", "/x")).status == 200


async def test_a_missing_bundle_refuses_the_release(site: Site) -> None:
    bank = upstream_of(1, "bank.test", "/nowhere/ca.pem")
    reason = await site.deliverer.check(edge_table(port=site.port, upstreams=(bank,)), site.workers)
    assert "/nowhere/ca.pem" in reason


async def test_a_plain_upstream_behind_tls_settings_is_refused(site: Site) -> None:
    plain, port = await site.upstream()
    bank = msgspec.structs.replace(upstream_of(port, "bank.test"), connect_timeout=0.05)
    await site.start(edge_table(port=site.port, upstreams=(bank,)))
    assert (await site.egress("bank", "/x")).status == 503
    assert not plain.seen


def test_without_any_bundle_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "_USUAL_PLACES", ())
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: type("Paths", (), {"cafile": None}))
    with pytest.raises(trust.NoTrust, match="ca_file"):
        trust.system_bundle()


async def refused(site: Site, bank: Origin) -> None:
    answer = await site.egress("bank", "/x")
    assert answer.status == 503
    assert answer.headers["x-entrepot-egress"] == "upstream_failed no connection to it could be made"
    assert not bank.seen
    [line] = await site.logged("egress", 1)
    assert "CERTIFICATE_VERIFY_FAILED" in str(line["upstream_failure"])
    assert line["cluster"].startswith("upstream-bank-")
    assert line["host"] == "bank.test"


def test_other_authorities_make_another_cluster_though_their_file_has_the_same_name(site: Site) -> None:
    def named(ca: str) -> set[str]:
        upstream = upstream_of(1, "bank.test", ca)
        return set(emit(edge_table(upstreams=(upstream,)), site.workers, site.layout, Path()).upstream_clusters)

    assert named("a" * 64).isdisjoint(named("b" * 64))
