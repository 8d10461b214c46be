"""Credentials are fetched from where they are kept, and told to nobody."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from entrepot.ir.worker import UpstreamSource
from entrepot.kit.diagnostics import Refused
from entrepot.model.security import Credential, Kept, KeptCredential
from entrepot.runtime.credentials import fetch_credentials


def source(**credentials: KeptCredential) -> UpstreamSource:
    return UpstreamSource(protocol="rest", upstream="crm", credentials=credentials)


def in_env(name: str) -> KeptCredential:
    return KeptCredential(secret=Kept(env=name))


def in_file(name: str) -> KeptCredential:
    return KeptCredential(secret=Kept(file=name))


def test_variables_and_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_KEY", "s3cr3t")
    for name, content in {"plain": "one", "ended": "two\n", "windows": "three\r\n"}.items():
        (tmp_path / name).write_text(content, newline="")
    login = KeptCredential(secret=Kept(file="plain"), user=Kept(env="CRM_KEY"))
    wanted = source(key=in_env("CRM_KEY"), ended=in_file("ended"), windows=in_file("windows"), login=login)
    assert fetch_credentials(wanted, tmp_path) == {
        "key": Credential(secret="s3cr3t"),
        "ended": Credential(secret="two"),
        "windows": Credential(secret="three"),
        "login": Credential(secret="one", user="s3cr3t"),
    }
    absolute = source(key=in_file(str(tmp_path / "plain")))
    assert fetch_credentials(absolute, Path("/nowhere")) == {"key": Credential(secret="one")}


@pytest.mark.parametrize("content", ["", "s3cr3t\nmore", "s3cr3t\r\nx: y", " s3cr3t", "s3cr3t\t", "s3crét", "\0"])
def test_what_no_header_may_hold_is_refused_and_not_repeated(tmp_path: Path, content: str) -> None:
    (tmp_path / "kept").write_bytes(content.encode())
    with pytest.raises(Refused) as refused:
        fetch_credentials(source(key=in_file("kept")), tmp_path)
    [diagnostic] = refused.value.diagnostics
    assert diagnostic.code == "E856"
    assert diagnostic.message == "the credential `key` for `crm` cannot be had: the file kept holds no credential"
    assert diagnostic.remedy == "Let it hold the secret alone: one line of ASCII."


def test_all_that_is_missing_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRM_KEY", raising=False)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "octets").write_bytes(b"\xff")
    names = ("none", "pipe", "octets")
    with pytest.raises(Refused) as refused:
        fetch_credentials(source(key=in_env("CRM_KEY"), **{name: in_file(name) for name in names}), tmp_path)
    assert [each.message.partition(": ")[2] for each in refused.value.diagnostics] == [
        "the environment variable CRM_KEY cannot be read",
        *(f"the file {name} cannot be read" for name in names),
    ]
