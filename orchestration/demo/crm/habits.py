"""How often something happens in a portal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestration.demo.crm.life import Life


@dataclass(frozen=True)
class Habit:
    """Something that happens ``per_day`` times on an average day: in office hours, or around the clock."""

    per_day: float
    act: Callable[[Life], object]
    office: bool = True
