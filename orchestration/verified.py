"""What it takes to compare a source's marts with the source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import psycopg

from orchestration.sources.core.records import Session
from orchestration.warehouse.organizations import Organization

Value = Decimal | int | None
# By the first day of a month, or by the day of a snapshot.
Figures = dict[date, dict[str, Value]]


@dataclass(frozen=True)
class Subject:
    """What of a source is compared: ``mart`` gives what is stored, ``source`` asks for the same.

    asked
        What of the mart the source can be asked for; all of it unless said otherwise.
    """

    mart: Callable[[psycopg.Connection, Organization], Figures]
    source: Callable[[Session, Figures, Organization], Figures]
    period: str
    shown: str
    asked: Callable[[Session, Figures], Figures] = lambda _, marted: marted
