"""What a database's errors mean: ask again, a person must act, or something here or there is broken.

SQL Server's numbers: Microsoft's lists of transient connection errors
(``SqlConfigurableRetryFactory.BaselineTransientErrors``, "Troubleshoot transient connection errors").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from orchestration.errors import ConfigurationError, PermanentError, StreamUnavailable
from orchestration.logs import redact
from orchestration.sources.core.retry import TryAgain
from orchestration.sources.core.sql_pymssql import Message

_URL_HINT = "correct the database's URL in the variable that organizations.yml names"

# Number -> the shortest wait in seconds that makes sense. Azure asks for 10 s after throttling (40501, 49918 to 49920).
_TRANSIENT_NUMBERS = {
    40613: 5.0,  # the database is not available: moving, or a serverless one waking up
    40197: 5.0,
    40143: 5.0,
    40540: 5.0,
    40501: 10.0,
    49918: 10.0,
    49919: 10.0,
    49920: 10.0,
    10928: 10.0,
    10929: 10.0,
    4060: 5.0,
    4221: 5.0,
    615: 5.0,
    233: 5.0,
    64: 5.0,
    121: 5.0,
    997: 5.0,
    10053: 5.0,
    10054: 5.0,
    10060: 5.0,
    1205: 1.0,  # deadlock victim
    1222: 1.0,  # lock timeout
    3960: 1.0,  # snapshot isolation: aborted by an update
    3961: 1.0,  # ... by a change of the table's definition
    6005: 5.0,  # the server shuts down
    # FreeTDS' own: connecting, reading, writing, a connection that is dead.
    20002: 5.0,
    20003: 5.0,
    20004: 1.0,
    20006: 1.0,
    20009: 5.0,
    20017: 1.0,
    20047: 1.0,
}
_CONFIGURATION_NUMBERS = {
    18456: "check user, password and database name; an Azure login may have to be written user@server. The password's "
    "special characters must be percent-encoded in the URL.",
    18452: "use a login of the database itself, not one of Windows.",
    18470: "the login is disabled: have the database's administrator enable it.",
    18486: "the login is locked: have the database's administrator unlock it.",
    18487: "the password has expired: set a new one.",
    18488: "the password must be changed: set a new one.",
    40615: "have the database's administrator let this machine's address through the Azure SQL firewall.",
    40914: "have the database's administrator add this machine's network to the server's virtual network rules.",
    47073: "public network access is denied on the server: connect through its private endpoint.",
    40532: "write the user as user@server in the URL.",
    229: "have the database's administrator grant SELECT on the table to the login.",
    230: "have the database's administrator grant SELECT on the columns to the login.",
    916: "have the database's administrator let the login into the database.",
    4064: "name a database that the login may open in the URL.",
}
# SELECT is not granted on one table or column; Postgres says the same with a state.
_UNGRANTED_NUMBERS, _UNGRANTED_STATE = {229, 230}, "42501"
# Postgres and ODBC: classes of SQLSTATE.
_TRANSIENT_STATES = ("08", "53", "57P", "40", "55", "HYT", "25P03", "57014")
_CONFIGURATION_STATES = ("28", "3D", _UNGRANTED_STATE)

# Where a driver gives words alone.
_WORDS: tuple[tuple[str, int], ...] = (
    ("is not currently available", 40613),
    ("is not allowed to access the server", 40615),
    ("login failed", 18456),
    ("password authentication failed", 18456),
    ("no pg_hba.conf entry", 18456),
    ("permission denied for database", 916),
    ("is not permitted to log in", 18470),
)
_UNKNOWN_NAMES = re.compile(r"(role|database) .{1,80} does not exist|unable to open database file", re.IGNORECASE)
_LOST = re.compile(
    r"connection (refused|reset|timed? ?out|closed|is lost|failed|dead)|connection timeout|terminating connection"
    r"|closed the connection|server closed|closed database|broken pipe|not connected"
    r"|connection is closed|database is locked"
    r"|consuming input failed|unexpected eof|starting up|shutting down|recovery|could not translate host name"
    r"|name or service not known|network is unreachable|no route to host|ssl syscall"
    r"|lost synchronization|received \d+ results",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\((\d{2,6})\)|message (\d{5})\b|Error (\d{3,5})\b")


def explained(error: BaseException, what: str, *, connecting: bool, told: Sequence[Message] = ()) -> Exception:
    """The error to raise for a driver's: TryAgain, ConfigurationError or PermanentError. ``what``: the database.

    Where it is a table that may not be read, and not the database, the ConfigurationError is a StreamUnavailable.

    ``told``: the server's own messages; where they are known, the driver's number says no more.
    """
    said = redact(" ".join(" ".join(message.text for message in told).split()))[:400] or _text(error)
    numbers = [message.number for message in told] + _numbers(None if told else error, said)
    states = [str(state) for state in (getattr(error, "sqlstate", None), getattr(error, "pgcode", None)) if state]
    if error.args and isinstance(error.args[0], str) and re.fullmatch(r"[0-9A-Z]{5}", error.args[0]):
        states.append(error.args[0])
    waits = [_TRANSIENT_NUMBERS[number] for number in numbers if number in _TRANSIENT_NUMBERS]
    hints = [_CONFIGURATION_NUMBERS[number] for number in numbers if number in _CONFIGURATION_NUMBERS]
    # A refusal is told before the connection that it ends; a database that wakes up is told beside a failed login.
    if hints and not {40613, 40197, 40501, 4060} & set(numbers):
        ungranted = not connecting and _UNGRANTED_NUMBERS.issuperset(set(numbers) & _CONFIGURATION_NUMBERS.keys())
        refusal = StreamUnavailable if ungranted else ConfigurationError
        return refusal(f"{what} refuses: {said}", hint=hints[0])
    if not connecting and _UNGRANTED_STATE in states:
        return StreamUnavailable(f"{what} refuses: {said}", hint=_CONFIGURATION_NUMBERS[229])
    if _begins(states, _CONFIGURATION_STATES) or _UNKNOWN_NAMES.search(said):
        return ConfigurationError(f"{what} refuses: {said}", hint=f"{_URL_HINT}, or have the login let in.")
    if waits or _begins(states, _TRANSIENT_STATES) or _LOST.search(said):
        hint = "check the database's name." if 4060 in numbers else ""
        return TryAgain(f"{what} failed: {said}", at_least=max(waits, default=1.0), hint=hint)
    reached = numbers or states or hasattr(error, "sqlite_errorcode")
    if connecting or (not reached and type(error).__name__ in ("OperationalError", "InterfaceError")):
        # Without a word of the database itself, it is the way there that failed.
        return TryAgain(f"{what} could not be reached: {said}", at_least=1.0, hint=f"if it stays so, {_URL_HINT}.")
    return PermanentError(f"{what} refuses the question: {said}", hint="this is a defect here, or the table changed.")


def _numbers(error: BaseException | None, said: str) -> list[int]:
    numbers = [int(number) for found in _NUMBER.findall(said) for number in found if number]
    if error is not None and error.args:
        first = error.args[0][0] if isinstance(error.args[0], tuple) and error.args[0] else error.args[0]
        numbers = [first, *numbers] if isinstance(first, int) else numbers
    lowered = said.lower()
    return numbers + [number for words, number in _WORDS if words in lowered]


def _text(error: BaseException) -> str:
    parts: Iterable[object] = error.args[0] if error.args and isinstance(error.args[0], tuple) else error.args
    texts = [one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in parts]
    return redact(" ".join(" ".join(texts).split()))[:400] or type(error).__name__


def _begins(states: Iterable[str], classes: tuple[str, ...]) -> bool:
    return any(state.startswith(classes) for state in states)
