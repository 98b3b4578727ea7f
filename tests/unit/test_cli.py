"""What `aiop` says when the operating system refuses it something: a sentence with the way out."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from orchestration import cli


def said(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error


def test_variables_of_another_account_are_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever runs a command as root or as oneself, and the home is the service's."""
    monkeypatch.setenv("AIOP_HOME", str(tmp_path))

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(tmp_path / "env"))

    (tmp_path / "env").write_text("AIOP_TIMEZONE=UTC\n")
    monkeypatch.setattr(Path, "read_text", refuse)
    text = said(capsys)
    assert f"{tmp_path / 'env'} can't be read: Permission denied" in text
    assert "as the account that the warehouse belongs to" in text


def test_variables_that_are_no_text_are_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIOP_HOME", str(tmp_path))
    (tmp_path / "env").write_bytes(b"QBO_SECRET=caf\xe9-canary\n")
    text = said(capsys)
    assert "is not UTF-8 text (byte 14)" in text
    assert "canary" not in text


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.EACCES, "run the command as the account"),
        (errno.EROFS, "set AIOP_HOME"),
        (errno.ENOSPC, "free some space"),
    ],
)
def test_a_file_that_can_not_be_written_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int, way_out: str
) -> None:
    monkeypatch.setenv("AIOP_HOME", str(tmp_path))

    def fail() -> None:
        raise OSError(number, os.strerror(number), str(tmp_path / "dagster"))

    monkeypatch.setattr(cli, "app", fail)
    text = said(capsys)
    assert f"{tmp_path / 'dagster'}: {os.strerror(number)}" in text
    assert way_out in text
