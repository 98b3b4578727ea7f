"""What is read from a GA4 export, as data."""

from __future__ import annotations

from orchestration.sources.core.records import Stream

DAYS = Stream("days", "Tables of events, one a date: rows, last change, whether provisional")
SESSIONS = Stream(
    "sessions",
    "What one user did in one session on one date; also what happened outside of sessions",
    # Keys are JSON arrays, the date first.
    part_length=len('["YYYYMMDD", '),
)

# Days first: a date whose table is known and whose sessions are not yet shows as such.
STREAMS = (DAYS, SESSIONS)
