"""Logs for people and machines, with every known secret taken out before a line leaves the process.

Redaction stands at three places, so that no handler (ours, Dagster's, a test's) ever sees a credential: where a log
record is made, where structlog renders an event, and where an unexpected exception is printed.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any, TextIO
from urllib.parse import quote, quote_plus

import structlog
from structlog.typing import EventDict, WrappedLogger

MASK = "***"
# Anything shorter would blank out ordinary words and numbers; the patterns below still cover it.
MINIMUM_SECRET_LENGTH = 6

_CREDENTIAL = (
    r"[\w-]*(?:(?:refresh|access|id|auth|api)[_-]?token|secret|passwor[dt]|passwd|pgpassword"
    r"|api[_-]?key|secret[_-]?key|private[_-]?key|authorization)|\btoken"
)
_CREDENTIAL_KEY = re.compile(rf"(?:{_CREDENTIAL})\Z", re.IGNORECASE)
_PATTERNS = (
    # Authorization headers. A credential has a digit, a capital or a sign in it; "Basic authentication" has not.
    (re.compile(r"\b((?i:bearer|basic))\s+(?=\S*[0-9A-Z=_.~+/-])[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {MASK}"),
    # refresh_token=…, password='…' (URL queries, form bodies, connection strings, reprs); env:NAME is only a reference.
    (re.compile(rf"((?i:{_CREDENTIAL})=)(?!env:|\*\*\*)('[^']*'|\"[^\"]*\"|[^\s&,;)}}\]\"']+)"), rf"\1{MASK}"),
    # "refresh_token": "…" (JSON, reprs of dictionaries)
    (re.compile(rf"((['\"])(?i:{_CREDENTIAL})\2\s*:\s*)(['\"])(?!env:)(?:\\.|(?!\3).)*\3"), rf"\1\3{MASK}\3"),
    # scheme://user:password@host
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/?#@]*):[^\s/]+@", re.IGNORECASE), rf"\1:{MASK}@"),
)

_lock = threading.Lock()
# Registered secrets by their first characters and their length: with ten thousand organizations they are tens of
# thousands, and a line is not to be compared with each of them.
_known: dict[str, dict[int, set[str]]] = {}


def register_secret(value: str) -> None:
    """Have ``value`` replaced in everything logged from now on, also in its URL- and JSON-escaped forms."""
    value = value.strip()
    # A key of several lines is logged line by line.
    parts = {value, *(line.strip() for line in value.splitlines() if len(line.strip()) >= 16)}
    forms = {form for part in parts for form in _spellings(part) if len(form) >= MINIMUM_SECRET_LENGTH}
    with _lock:
        for form in forms:
            alike = _known.get(form[:MINIMUM_SECRET_LENGTH], {})
            if len(form) in alike:
                alike[len(form)].add(form)
            else:
                # The longest first: a secret that contains another one is replaced whole. Another one of these, because
                # threads may be going through it.
                longest_first = sorted({**alike, len(form): {form}}.items(), reverse=True)
                _known[form[:MINIMUM_SECRET_LENGTH]] = dict(longest_first)


def _spellings(value: str) -> tuple[str, ...]:
    """How a value appears in a text, a URL, a form body and JSON."""
    as_json = (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
    return (value, quote(value, safe=""), quote_plus(value), *as_json)


def redact(text: object) -> str:
    """``text`` without registered secrets and without anything that looks like a credential."""
    result = _without_known(str(text))
    for pattern, replacement in _PATTERNS:
        result = pattern.sub(replacement, result)
    return result


def _without_known(text: str) -> str:
    kept: list[str] = []
    place = start = 0
    while _known and place <= len(text) - MINIMUM_SECRET_LENGTH:
        alike = _known.get(text[place : place + MINIMUM_SECRET_LENGTH])
        length = _length_of_secret(text, place, alike) if alike else 0
        if length:
            kept += text[start:place], MASK
            start = place + length
        place += length or 1
    return "".join((*kept, text[start:]))


def _length_of_secret(text: str, place: int, alike: Mapping[int, set[str]]) -> int:
    return next((length for length, secrets in alike.items() if text[place : place + length] in secrets), 0)


def redact_value(value: Any) -> Any:
    """``value`` with every text in it redacted, whatever the nesting; what stands under a secret's name is masked."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, bytes):
        return redact(value.decode("utf-8", "replace"))
    if isinstance(value, Mapping):
        return {
            key: MASK if item and isinstance(key, str) and _CREDENTIAL_KEY.match(key) else redact_value(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redact_value(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    shown = str(value)
    cleaned = redact(shown)
    return value if cleaned == shown else cleaned


def _redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """structlog processor: the last before rendering. ``_record`` and the like are structlog's own."""
    return {key: value if key.startswith("_") else redact_value({key: value})[key] for key, value in event.items()}


def _redact_message(record: logging.LogRecord) -> None:
    try:
        message = record.getMessage()
    except (TypeError, ValueError):
        return  # arguments that don't fit the message: logging reports that itself
    if redact(message) == message:
        return
    # Some formatters take the arguments apart (access logs): keep their shape where that is enough.
    if isinstance(record.args, tuple):
        record.args = tuple(redact_value(item) for item in record.args)
    message = record.getMessage()
    if redact(message) != message:
        record.msg, record.args = redact(message), ()


def _redacting_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
    """Log record factory: the one place that records for all handlers of all loggers pass."""
    record = _make_record(*args, **kwargs)
    if not isinstance(record.msg, dict):  # one is an event of structlog, redacted by its own processor
        _redact_message(record)
    if record.exc_info and record.exc_info[0] is not None:
        shown = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        if redact(shown) != shown:
            # Handlers format the exception themselves, so it has to be another one.
            record.exc_info = (RedactedError, RedactedError(redact(shown)), None)
    return record


_make_record = logging.getLogRecordFactory()


class RedactedError(Exception):
    """Stands in a log record for an exception whose traceback showed a secret; its text is the redacted traceback."""


class _RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """Renders structlog's and other loggers' records alike; what it returns is redacted as a whole."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def print_exception(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None, _thread: object = None
) -> None:
    """Print an unexpected exception to stderr with its traceback, redacted."""
    print(redact("".join(traceback.format_exception(kind, error, trace))), file=sys.stderr, end="")


def _except_hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    print_exception(kind, error, trace)


def _thread_except_hook(unhandled: threading.ExceptHookArgs) -> None:
    if unhandled.exc_value is not None and not issubclass(unhandled.exc_type, SystemExit):
        print_exception(unhandled.exc_type, unhandled.exc_value, unhandled.exc_traceback)


class _StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to what ``sys.stderr`` is at that moment: whoever imports the definitions may have it redirected."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def _not_written_by_dagster(record: logging.LogRecord) -> bool:
    """False for lines of its processes that handlers of its own write already."""
    name = record.name.partition(".")[0]
    return not (name.startswith("dagster") and logging.getLogger(name).handlers)


def configure_logging(level: str | None = None) -> None:
    """Log to stderr, one line an event: for people on a terminal, JSON where ``AIOP_LOG_FORMAT=json``.

    Every process calls it before it reads a source: unconfigured, structlog prints an exception with the variables of
    its frames, credentials among them. ``level`` (default: ``AIOP_LOG_LEVEL``, else WARNING: commands say themselves
    what they do) is that of this package; libraries log from WARNING on. Calling it again replaces this handler only;
    handlers of others (Dagster, pytest) stay.
    """
    asked = level or os.environ.get("AIOP_LOG_LEVEL")
    level = (asked or "WARNING").upper()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact_event,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    as_json = os.environ.get("AIOP_LOG_FORMAT", "").lower() == "json"
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(default=str)
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
    )
    handler = _StderrHandler()
    handler.set_name("aiop")
    handler.setFormatter(
        _RedactingFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(_not_written_by_dagster)
    root = logging.getLogger()
    for other in [one for one in root.handlers if one.get_name() == "aiop"]:
        root.removeHandler(other)
    root.addHandler(handler)
    logging.getLogger("orchestration").setLevel(level)
    # A retry that helped is nothing to worry a person with; one that did not is an error in the end.
    logging.getLogger("stamina").setLevel(logging.NOTSET if asked else logging.ERROR)
    logging.setLogRecordFactory(_redacting_record)
    sys.excepthook = _except_hook
    threading.excepthook = _thread_except_hook
