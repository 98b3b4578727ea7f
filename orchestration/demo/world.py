"""The demo's world: a seed, the instant it starts at, and how many days it has lived since.

Everything the stand-in servers answer follows from these three and nothing else, so two machines show the same
figures. The clock stands still until ``advance``: what a server says is the same whenever it is asked.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from orchestration.errors import UsageError

DEFAULT_SEED = 20
DEFAULT_BASE = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """``base`` is aware UTC; ``days`` counts whole days lived since."""

    seed: int = DEFAULT_SEED
    base: datetime = DEFAULT_BASE
    days: int = 0

    @property
    def now(self) -> datetime:
        """The instant every server of this world says it is, aware UTC."""
        return self.base + timedelta(days=self.days)

    def last_day(self, zone: ZoneInfo) -> date:
        """The last day whose business is done in a time zone: the day before that zone's today."""
        return self.now.astimezone(zone).date() - timedelta(days=1)

    def last_look(self, day: date, zone: ZoneInfo) -> datetime:
        """The last instant this world stands still at before the business of ``day`` shows.

        Business of that day must be stamped later: who asked at that instant for all there is will next ask for
        what changed since.
        """
        tick = self.base + timedelta(days=(day - self.base.astimezone(zone).date()).days)
        while tick.astimezone(zone).date() > day:
            tick -= timedelta(days=1)
        while (tick + timedelta(days=1)).astimezone(zone).date() <= day:
            tick += timedelta(days=1)
        return tick


def world_path(directory: Path) -> Path:
    return directory / "world.json"


def read_world(directory: Path) -> World:
    """The world kept under ``directory``, or the default one where none was made yet.

    Raises UsageError where the file can't be read as a world.
    """
    path = world_path(directory)
    if not path.is_file():
        return World()
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        base = datetime.fromisoformat(kept["base"])
        return World(seed=int(kept["seed"]), base=base.astimezone(UTC), days=int(kept["days"]))
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} is not a demo world: {error}", hint="Delete it to start again from the first day."
        ) from error


def write_world(directory: Path, world: World) -> None:
    """Keep a world; a running server sees the new file whole or not at all."""
    directory.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"seed": world.seed, "base": world.base.isoformat(), "days": world.days}, indent=1)
    scratch = world_path(directory).with_suffix(f".{os.getpid()}.tmp")
    scratch.write_text(text + "\n", encoding="utf-8")
    scratch.replace(world_path(directory))


def advance(directory: Path, days: int) -> World:
    """Let the world under ``directory`` live ``days`` longer; servers that run on it follow by themselves."""
    if days < 1:
        raise UsageError(f"The demo can't live {days} days longer.", hint="Give --days a number of 1 or more.")
    world = read_world(directory)
    later = World(world.seed, world.base, world.days + days)
    write_world(directory, later)
    return later
