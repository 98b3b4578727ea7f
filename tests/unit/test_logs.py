"""No secret leaves through a log, whoever writes it and in whatever form it appears."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration import logs
from orchestration.logs import configure_logging, redact, redact_value, register_secret

CANARY = 'can/ary+"quoted"&=äé-7731'


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Logging and known secrets as before, after each test."""
    factory, hook, thread_hook = logging.getLogRecordFactory(), sys.excepthook, logs.threading.excepthook
    handlers = list(logging.getLogger().handlers)
    monkeypatch.setattr(logs, "_known", {})
    yield
    logging.setLogRecordFactory(factory)
    sys.excepthook, logs.threading.excepthook = hook, thread_hook
    logging.getLogger().handlers[:] = handlers
    structlog.reset_defaults()


@pytest.mark.parametrize(
    "shown",
    [
        CANARY,
        json.dumps({"note": CANARY}),
        json.dumps({"note": CANARY}, ensure_ascii=False),
        "https://api.example/x?t=can%2Fary%2B%22quoted%22%26%3D%C3%A4%C3%A9-7731",
        f"line one\n{CANARY}\nline three",
    ],
)
def test_a_registered_secret_is_replaced_in_every_form_it_travels_in(shown: str) -> None:
    register_secret(f"  {CANARY}\n")
    assert "7731" not in redact(shown)
    assert logs.MASK in redact(shown)


def test_a_secret_inside_a_longer_secret_leaves_no_rest() -> None:
    register_secret("abcdef")
    register_secret("abcdef-ghijkl")
    assert redact("x abcdef-ghijkl y abcdef z") == "x *** y *** z"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text("abc", min_size=6, max_size=9), min_size=1, max_size=6), st.text("abc ", max_size=60))
def test_whatever_secrets_have_in_common_none_is_left(secrets: list[str], text: str) -> None:
    for secret in secrets:
        register_secret(secret)
    shown = redact(" ".join((text, *secrets, text)))
    assert not [secret for secret in secrets if secret in shown]


def test_each_line_of_a_key_is_a_secret() -> None:
    register_secret("-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nEFAASCBKcwggSjAgEAAoIBAQ\n")
    assert redact("parsed EFAASCBKcwggSjAgEAAoIBAQ") == "parsed ***"


def test_short_words_are_no_secrets_or_every_log_would_be_unreadable() -> None:
    register_secret("true")
    register_secret("")
    assert redact("it is true") == "it is true"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("Authorization: Bearer eyJhbGciOi.J9-x_y", "Authorization: Bearer ***"),
        ("Basic Y2xpZW50OnNlY3JldA==", "Basic ***"),
        ("grant_type=refresh_token&refresh_token=AB11xyz&a=1", "grant_type=refresh_token&refresh_token=***&a=1"),
        ('{"access_token": "aa\\"bb", "expires_in": 3600}', '{"access_token": "***", "expires_in": 3600}'),
        ("{'client_secret': 'x', 'id': 5}", "{'client_secret': '***', 'id': 5}"),
        ("OAuthTokens(refresh_token='x y', n=1)", "OAuthTokens(refresh_token=***, n=1)"),
        ("postgresql://aiop:s3cret@h:5432/aiop", "postgresql://aiop:***@h:5432/aiop"),
        ("mssql+pyodbc://sa:p@ss@h/db", "mssql+pyodbc://sa:***@h/db"),
        ("host=h password='a b' dbname=d", "host=h password=*** dbname=d"),
        ("AIOP_SECRET_KEY=abc", "AIOP_SECRET_KEY=***"),
    ],
)
def test_what_looks_like_a_credential_is_masked_unregistered(shown: str, expected: str) -> None:
    assert redact(shown) == expected
    assert redact(expected) == expected


@pytest.mark.parametrize(
    "harmless",
    [
        "Basic authentication failed",
        "line 7: refresh_token: variable QB_TOKEN is not set",
        "refresh_token=env:QB_TOKEN",
        '{"refresh_token": "env:QB_TOKEN"}',
        '{"SyncToken": "3", "token_type": "bearer"}',
        "token_url=http://127.0.0.1:9101/oauth2",
        "http://127.0.0.1:9101/x, mail a@b.c",
        "postgresql://reader@h:5432/aiop",
    ],
)
def test_what_a_person_needs_to_read_stays(harmless: str) -> None:
    assert redact(harmless) == harmless


def test_values_are_redacted_whatever_the_nesting_and_by_the_name_they_stand_under() -> None:
    register_secret(CANARY)
    given = {"a": [{"b": (CANARY, 5, None, True)}], "client_secret": "short", "bytes": CANARY.encode(), "n": 1.5}
    assert redact_value(given) == {
        "a": [{"b": ["***", 5, None, True]}],
        "client_secret": "***",
        "bytes": "***",
        "n": 1.5,
    }


def test_both_kinds_of_loggers_write_one_redacted_line_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    register_secret(CANARY)
    configure_logging("INFO")
    structlog.get_logger("orchestration.sync").info("landed", stream="invoice", rows=5, url=CANARY)
    logging.getLogger("orchestration.sync").info("token %s of %d", CANARY, 3)
    logging.getLogger("somelibrary").warning("refresh_token=%s", "unregistered")
    shown = capsys.readouterr().err
    lines = shown.splitlines()
    assert len(lines) == 3
    assert "stream=invoice" in lines[0]
    assert "token *** of 3" in lines[1]
    assert "7731" not in shown
    assert "unregistered" not in shown


def test_lines_are_json_for_machines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOP_LOG_FORMAT", "json")
    register_secret(CANARY)
    configure_logging()
    structlog.get_logger("orchestration").warning("landed", rows=5, note=CANARY)
    logging.getLogger("library").error("also %s", CANARY)
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["event"], first["rows"], first["note"], first["level"]) == ("landed", 5, "***", "warning")
    assert second["event"] == "also ***"
    assert first["timestamp"].endswith("Z")


def test_tracebacks_are_kept_but_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    register_secret(CANARY)
    configure_logging()
    try:
        raise ValueError(f"bad {CANARY}")
    except ValueError:
        structlog.get_logger("orchestration").exception("failed")
        logging.getLogger("library").exception("failed too")
    shown = capsys.readouterr().err
    assert shown.count("ValueError: bad ***") == 2
    assert "7731" not in shown


def test_handlers_of_others_see_no_secret_either(capsys: pytest.CaptureFixture[str]) -> None:
    records: list[logging.LogRecord] = []

    class Other(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    register_secret(CANARY)
    configure_logging()
    logger = logging.getLogger("orchestration.other")
    other = Other()
    logger.addHandler(other)
    try:
        logger.warning("GET %s took %d ms", f"/x?{CANARY}", 5)
        logger.warning("plain %s", "words")
        structlog.get_logger("orchestration.other").warning("event", note=CANARY)
        try:
            raise ValueError(CANARY)
        except ValueError:
            logger.exception("failed")
    finally:
        logger.removeHandler(other)
    assert records[0].args == ("/x?***", 5)  # still in parts, for formatters that take them apart
    assert records[1].getMessage() == "plain words"
    assert "7731" not in "".join(logging.Formatter().format(record) for record in records)


def test_configuring_twice_writes_each_line_once_and_leaves_other_handlers(capsys: pytest.CaptureFixture[str]) -> None:
    def others() -> list[logging.Handler]:
        return [one for one in logging.getLogger().handlers if one.get_name() != "aiop"]

    before = others()
    configure_logging()
    configure_logging()
    logging.getLogger("library").warning("once")
    assert capsys.readouterr().err.count("once") == 1
    assert others() == before


def test_the_level_is_the_packages_and_libraries_stay_quiet(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIOP_LOG_LEVEL", "debug")
    configure_logging()
    structlog.get_logger("orchestration.x").debug("own detail")
    logging.getLogger("library").info("their chatter")
    shown = capsys.readouterr().err
    assert "own detail" in shown
    assert "their chatter" not in shown
    configure_logging("INFO")
    structlog.get_logger("orchestration.x").debug("more detail")
    assert "more detail" not in capsys.readouterr().err


@pytest.mark.parametrize("where", ["main", "thread"])
def test_an_exception_nobody_caught_is_printed_without_the_secret(where: str) -> None:
    program = f"""
import threading
from orchestration.logs import configure_logging, register_secret
configure_logging()
register_secret("canary-7731")
def fail():
    raise ValueError("bad canary-7731")
if {where!r} == "main":
    fail()
thread = threading.Thread(target=fail)
thread.start()
thread.join()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == (1 if where == "main" else 0)
    assert "ValueError: bad ***" in ended.stderr
    assert "7731" not in ended.stderr


def test_an_unexpected_error_of_a_run_is_logged_without_the_variables_of_its_frames() -> None:
    # What a code server and a run worker of Dagster do: they import the definitions, and nothing else of ours.
    program = """
import orchestration.definitions
from orchestration.sync_errors import explain
def refresh(credential):
    raise ZeroDivisionError("no expiry")
try:
    refresh("canary-7731")
except ZeroDivisionError as error:
    print(explain(error, "bennett", "quickbooks", "invoice").kind)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "defect\n"
    assert "ZeroDivisionError: no expiry" in ended.stderr
    assert "in refresh" in ended.stderr
    assert "canary-7731" not in ended.stderr.replace('refresh("canary-7731")', "")


def test_a_handler_made_while_stderr_was_redirected_writes_to_the_real_one_later(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with contextlib.redirect_stderr(io.StringIO()) as redirected:
        configure_logging()
    logging.getLogger("library").warning("later")
    assert redirected.getvalue() == ""
    assert "later" in capsys.readouterr().err


def test_lines_of_dagsters_processes_are_written_once(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    own = logging.StreamHandler(sys.stderr)
    logging.getLogger("dagster").addHandler(own)
    try:
        logging.getLogger("dagster.code_server").warning("started")
    finally:
        logging.getLogger("dagster").removeHandler(own)
    assert capsys.readouterr().err == "started\n"
