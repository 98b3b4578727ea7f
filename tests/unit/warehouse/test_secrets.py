"""References and the vault: values come from the environment, errors name everything but the value."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from orchestration.errors import ConfigurationError, UsageError
from orchestration.logs import redact
from orchestration.settings import load_env_file, variables
from orchestration.warehouse.secrets import KEY_VARIABLE, Vault, fingerprint, resolve


def test_references_become_values_that_no_log_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", " canary-value-1f3a \n")
    settings = {"realm_id": "9130", "token": "env:A_TOKEN", "nested": {"again": "env:A_TOKEN"}, "not": "env: A_TOKEN"}
    resolved = resolve(settings)
    assert resolved["token"] == resolved["nested"]["again"] == "canary-value-1f3a"
    assert (resolved["realm_id"], resolved["not"]) == ("9130", "env: A_TOKEN")
    assert settings["token"] == "env:A_TOKEN"
    assert "canary" not in redact("it was canary-value-1f3a")


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_variable_names_organization_key_and_variable(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is None:
        monkeypatch.delenv("A_TOKEN", raising=False)
    else:
        monkeypatch.setenv("A_TOKEN", value)
    with pytest.raises(ConfigurationError) as error:
        resolve({"auth": {"token": "env:A_TOKEN"}}, organization="bennett", source="quickbooks")
    assert str(error.value).startswith(
        "bennett / quickbooks: auth.token refers to the environment variable A_TOKEN, which is not set."
    )


def test_credentials_of_the_env_file_reach_connections_and_no_program_that_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIOP_HOME", str(tmp_path))
    monkeypatch.setenv("BOTH", "environment")
    monkeypatch.delenv("AIOP_TIMEZONE", raising=False)
    file = tmp_path / "env"
    file.write_text(
        "# tokens\nA_TOKEN= in-the-file \nBOTH=file\nAIOP_TIMEZONE=America/Chicago\nno line\n", encoding="utf-8"
    )
    with monkeypatch.context() as loaded:
        loaded.setattr(os, "environ", dict(os.environ))
        load_env_file()
        assert (os.environ["AIOP_TIMEZONE"], "A_TOKEN" in os.environ) == ("America/Chicago", False)
        assert resolve({"a": "env:A_TOKEN", "b": "env:BOTH"}) == {"a": "in-the-file", "b": "environment"}
        assert variables()["BOTH"] == "environment"
        # A rotated one counts at once.
        file.write_text("A_TOKEN=rotated\n", encoding="utf-8")
        assert resolve({"a": "env:A_TOKEN"}) == {"a": "rotated"}


def test_what_is_encrypted_can_be_read_with_its_key_only(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    stored = Vault([old]).encrypt(b"token")
    assert b"token" not in stored
    assert Vault([new, old]).decrypt(stored) == b"token"
    assert Vault([old]).decrypt(memoryview(stored)) == b"token"
    with pytest.raises(UsageError, match="another AIOP_SECRET_KEY"):
        Vault([new]).decrypt(stored)
    # The newest key encrypts, so the old one can go once everything has been written again.
    assert Vault([new]).decrypt(Vault([new, old]).encrypt(b"x")) == b"x"
    monkeypatch.setenv(KEY_VARIABLE, f"{new}, {old}")
    assert Vault.from_environment().decrypt(stored) == b"token"


@pytest.mark.parametrize("value", ["", " , ", "short", "x" * 44])
def test_without_a_usable_key_the_way_to_one_is_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(KEY_VARIABLE, value)
    with pytest.raises(UsageError) as error:
        Vault.from_environment()
    assert "Fernet.generate_key" in error.value.hint
    assert value.strip(" ,") == "" or value not in str(error.value)


def test_a_fingerprint_tells_values_apart_and_not_what_they_are() -> None:
    assert fingerprint("a") == fingerprint("a") != fingerprint("b")
    assert len(fingerprint("a secret")) == 32
    assert "secret" not in fingerprint("a secret")
