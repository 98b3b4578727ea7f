"""What every source is held to: each case with its number and sentence, and who proves it.

Cases 1 to 22 are promises, F1 to F45 faults that are injected; a fault that a promise covers stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., Any])


@dataclass(frozen=True)
class Case:
    """``faults``: rows of the list of faults that the case covers as well."""

    number: str
    sentence: str
    faults: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.number} {self.sentence}"


CASES = {
    case.number: case
    for case in (
        Case("1", "a rotated refresh token is stored before what came with it is used, also if killed then", ("F6",)),
        Case("2", "two runs at once refresh once, and a replaced token is never sent again", ("F7",)),
        Case("3", "refused credentials: one question, a way out, exit code 1, other organizations go on", ("F8",)),
        Case("4", "a token that ends while reading is renewed once, no record lost", ("F5", "F10")),
        Case("5", "no secret in a log, an error, a landed row or any other table"),
        Case("F9", "an authorization that is about to end is announced"),
        Case("6a", "Retry-After as seconds, HTTP date and ISO instant is waited for", ("F1",)),
        Case("6b", "a throttle that names no time is waited out within bounds and the same page asked again", ("F2",)),
        Case("6c", "a wait longer than a run may last ends the stream at once and says until when"),
        Case("6d", "a daily quota that is used up stops the run instead of being asked again and again"),
        Case("7a", "a failure that passes costs a retry and no record", ("F3", "F11", "F12", "F13")),
        Case("7b", "a failure that stays is an error after a few attempts, never an empty answer", ("F3", "F4")),
        Case("F14", "an answer that drips in byte by byte is cut off by a deadline and asked again"),
        Case("8", "a failed stream keeps its rows and watermark and is named; the other streams load", ("F4",)),
        Case("9", "0, 1, a page less one, a page, a page and one, three pages and one: so many distinct keys"),
        Case("10", "pages shorter than asked for, or empty in the middle, do not end a list", ("F16",)),
        Case("11", "a server that repeats a page is refused within two pages", ("F15",)),
        Case("12", "a next token behind the last page does not count rows twice"),
        Case("13", "a page token that expires half way starts its window again"),
        Case("14", "more changes than one search gives, with ids that sort as text: every id once", ("F17",)),
        Case("15", "windows side by side over months' ends, a leap day and clock changes: no gap, no overlap"),
        Case("F18", "requests with a limit of their own are slowed apart from all others"),
        Case("F19", "records changed, deleted and added while pages are read end as the source has them"),
        Case("F20", "500 records changed at the very instant of the watermark are all read"),
        Case("F21", "a record dated 2099 does not carry the watermark with it"),
        Case("16a", "a change feed cut short by its own limit is completed"),
        Case("16b", "after a gap longer than changes are kept, a full read finds what is gone", ("F22",)),
        Case("16c", "a record deleted in the source is marked as deleted and keeps its payload", ("F23",)),
        Case("16d", "a record that is hidden instead of deleted stays, marked as the source marks it"),
        Case("17", "archived and merged records leave the live rows, one that comes back returns", ("F23",)),
        Case("18", "what is corrected later, also in a closed month, is overwritten and not added"),
        Case("F24", "a full read without any record deletes nothing until somebody allows it"),
        Case("F24b", "days read again every night that come back empty fail a check and hold their publication back"),
        Case("F25", "a day that is rewritten for three days does not count twice"),
        Case("F26", "ids that begin with a slash are encoded twice"),
        Case("19", "a second run over an unchanged source writes no row, and state never runs backwards"),
        Case("20a", "killed between pages or after a commit and run again: as if it had not been", ("F42",)),
        Case("20b", "a state dated in the future costs a full read and a note, but no record"),
        Case("F40", "the same id in two organizations is two rows"),
        Case("F41", "the same id twice in one answer lands once, the newest of both"),
        Case("F43", "a database session that ends while reading undoes its stream, and the next run completes it"),
        Case("F45", "two runs at once land the same rows as one"),
        Case("21", "amounts, long numbers and empty texts land digit by digit", ("F31", "F32", "F33", "F34")),
        Case("22a", "what strict databases refuse (NUL, half characters, NaN) loses no record", ("F27", "F28", "F29")),
        Case("22b", "quotes, emoji, odd names, doubled keys and impossible dates survive", ("F30", "F35", "F36")),
        Case("22c", "new, missing and retyped members are accepted and recorded as drift", ("F37", "F38")),
        Case("22d", "a record of 30 MB and one nested a thousand levels deep land", ("F39",)),
    )
}

ELSEWHERE = {
    "F44": "a full disk and timeouts of the database, whatever the source: tests/integration/test_loader_faults.py "
    "and test_embedded_full_disk.py",
}
"""Faults that no source has a part in, and where they are proven."""

PROVEN: set[str] = set()
"""Cases that a test proves, filled as the modules are imported."""


def proves(number: str) -> Callable[[Test], Test]:
    """Mark a test as a proof of a case; it runs for every source that the case applies to."""
    case = CASES[number]

    def marked(test: Test) -> Test:
        PROVEN.add(number)
        return pytest.mark.case(case)(test)

    return marked
