"""What is expected of a landed stream, as data: SQL conditions over one record that say when it breaks a rule.

Conditions see ``landed`` (a row of the landed table) and ``field`` (its payload's fields, by the types that the suite
names). They must not fail on any payload, and must be false or NULL where the rule holds. They are compiled into one
statement a stream, which serves all organizations at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# Counted from the table, not from a record: every suite has it.
ROW_COUNT = "row_count"
ROW_COUNT_SAYS = "rows that were there last time are there"
# Counted from what a read brought, where a source is asked for the same days every night.
READ_COUNT = "read_count"
READ_COUNT_SAYS = "days that are read again bring what they brought before"
COUNTS = {ROW_COUNT: ROW_COUNT_SAYS, READ_COUNT: READ_COUNT_SAYS}

_NUMBER = r"^-?\d{1,30}(\.\d+)?([eE][+-]?\d{1,2})?$"
_DATE = r"^(?!0000)\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"
_TIMESTAMP = r"T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-](0\d|1[0-5]):?[0-5]\d)$"


@dataclass(frozen=True)
class Expectation:
    """One rule. ``broken`` is the SQL condition of a record that breaks it, ``says`` the rule in words.

    ``critical``: what is published from such a record would be wrong, so the organization is held back.
    """

    name: str
    says: str
    broken: str
    critical: bool = False


@dataclass(frozen=True)
class Suite:
    """What is expected of one stream of a source.

    fields
        Top-level fields of the payload that conditions read, with the Postgres type they are read as (text, jsonb).
    joins
        Further lateral joins that conditions read from.
    publishes
        Whether marts are computed from the stream: any collapse of its row count is then critical.
    """

    source: str
    stream: str
    expectations: tuple[Expectation, ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    joins: str = ""
    publishes: bool = False

    @property
    def fingerprint(self) -> str:
        """Changes with whatever decides which records break what."""
        text = repr((dict(self.fields), self.joins, self.expectations))
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def says(self, expectation: str) -> str:
        """The rule in words, also of one that the suite no longer has."""
        if expectation in COUNTS:
            return COUNTS[expectation]
        return next((e.says for e in self.expectations if e.name == expectation), expectation.replace("_", " "))


def counted(expectation: str, observed: int, missing: int) -> str:
    """What one of ``COUNTS`` found, in words."""
    if expectation == READ_COUNT:
        return f"{observed:,} rows came of the days read again, {observed + missing:,} the nights before"
    return f"{observed:,} rows, {observed + missing:,} before"


EVERY_RECORD = (
    Expectation("has_key", "every record has a key", "btrim(landed.record_id) = ''", critical=True),
    Expectation(
        "is_object", "every record is a JSON object", "jsonb_typeof(landed.payload) <> 'object'", critical=True
    ),
)


def is_number(text: str) -> str:
    """Condition: the text is a number that staging reads."""
    return f"(length({text}) <= 300 and {text} ~ '{_NUMBER}')"


def is_date(text: str) -> str:
    """Condition: the text is a day of the calendar, YYYY-MM-DD."""
    return (
        f"(case when {text} ~ '{_DATE}' then right({text}, 2)::int <= extract(day from "
        f"make_date(left({text}, 4)::int, substr({text}, 6, 2)::int, 1) + interval '1 month - 1 day') else false end)"
    )


def is_timestamp(text: str) -> str:
    """Condition: the text is an instant with its offset, as ISO 8601 writes it."""
    return f"(substr({text}, 11) ~ '{_TIMESTAMP}' and {is_date(f'left({text}, 10)')})"


def number(text: str) -> str:
    """The text as numeric; NULL where it is none."""
    return f"(case when {is_number(text)} then ({text})::numeric end)"


_READERS = {"number": is_number, "date": is_date, "timestamp": is_timestamp}


def required(name: str, text: str, *, critical: bool = False) -> Expectation:
    """The field is there and not blank."""
    return Expectation(f"{name}_present", f"{_words(name)} is present", f"nullif(btrim({text}), '') is null", critical)


def readable(name: str, text: str, kind: str, *, critical: bool = False) -> Expectation:
    """The field, where it says something, is a ``kind``: number, date or timestamp."""
    broken = f"{text} <> '' and not {_READERS[kind](text)}"
    return Expectation(f"{name}_readable", f"{_words(name)} is a {kind}", broken, critical)


def one_of(name: str, text: str, values: Iterable[str], *, critical: bool = False) -> Expectation:
    """The field, where it says something, is one of the values that the source documents."""
    listed = ", ".join(f"'{value}'" for value in values)
    return Expectation(f"{name}_known", f"{_words(name)} is a documented value", f"{text} not in ({listed})", critical)


def _words(name: str) -> str:
    return name.replace("_", " ")
