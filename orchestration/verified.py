"""What it takes to compare a source's marts with the source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal

import psycopg

from orchestration.sources.core.records import Session
from orchestration.warehouse.organizations import Organization

Value = Decimal | int | None
# By the first day of a month, or by the day of a snapshot.
Figures = dict[date, dict[str, Value]]

Untold = Literal["untold"]
# What a source states of a figure that it has nothing to compare with.
UNTOLD: Final = "untold"
Stated = Mapping[date, Mapping[str, Value | Untold]]


@dataclass(frozen=True)
class Subject:
    """What of a source is compared: ``mart`` gives what is stored, ``source`` asks for the same, or says UNTOLD."""

    mart: Callable[[psycopg.Connection, Organization], Figures]
    source: Callable[[Session, Figures, Organization], Stated]
    period: str
    shown: str
