"""Where state lives and what the environment says. Read at call time, so tests and workers may differ."""

from __future__ import annotations

import os
import re
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from orchestration.errors import UsageError

# A year and the month after it, so that last year's can be told from this year's.
HISTORY_DAYS = 400
# Streams that were not read for 31 days are no longer part of their source: from then on nobody asks.
SHORTEST_HISTORY = 35
# Dagster's runs, events and ticks: many times what the warehouse itself remembers of a night.
DAGSTER_DAYS = 90
SHORTEST_DAGSTER = 7

SYNC_WORKERS = 8
# A worker is a thread: beyond this, one process is the bottleneck.
MOST_SYNC_WORKERS = 64

# Variables that programs act upon: this one, and those it starts.
_SETTING = re.compile(
    r"(AIOP_|DAGSTER_|DBT_|GX_|PG|SSL_|OPENSSL_|ODBC|PYTHON|LC_)\w*\Z|DEMO_\w+_PORT\Z"
    r"|(DATABASE_URL|TZ|LANG|TMPDIR|HTTPS?_PROXY|ALL_PROXY|NO_PROXY)\Z",
    re.IGNORECASE,
)

PROJECT_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Settings:
    """``home`` holds all state of this installation; ``database_url`` is None where Postgres is embedded."""

    home: Path
    database_url: str | None

    @property
    def env_file(self) -> Path:
        """Settings and credentials kept beside the state (mode 0600); the real environment wins over them."""
        return self.home / "env"


def load_settings() -> Settings:
    """Settings from ``AIOP_HOME`` (default: ``.aiop`` in the project) and ``DATABASE_URL``."""
    home = Path(os.environ.get("AIOP_HOME") or PROJECT_ROOT / ".aiop").expanduser().absolute()
    return Settings(home=home, database_url=os.environ.get("DATABASE_URL") or None)


def schedule_timezone() -> str:
    """IANA time zone of the schedules, ``AIOP_TIMEZONE``."""
    return os.environ.get("AIOP_TIMEZONE") or "UTC"


def history_days() -> int:
    """Days that the warehouse remembers attempts and builds for, ``AIOP_HISTORY_DAYS`` (default 400)."""
    return _number(
        "AIOP_HISTORY_DAYS",
        HISTORY_DAYS,
        "days",
        SHORTEST_HISTORY,
        hint="the warehouse looks back that far itself, to tell which streams a source still has.",
    )


def dagster_days() -> int:
    """Days that Dagster's runs and ticks are kept for, ``AIOP_DAGSTER_DAYS`` (default 90)."""
    return _number(
        "AIOP_DAGSTER_DAYS",
        DAGSTER_DAYS,
        "days",
        SHORTEST_DAGSTER,
        hint="whoever looks at a failure should find last week's runs.",
    )


def sync_workers() -> int:
    """Organizations that are read at a time, ``AIOP_SYNC_WORKERS`` (1 to 64, default 8)."""
    return _number(
        "AIOP_SYNC_WORKERS",
        SYNC_WORKERS,
        "organizations read at a time",
        1,
        MOST_SYNC_WORKERS,
        hint="each of them takes two sessions of the warehouse's database.",
    )


def _number(name: str, default: int, what: str, low: int, high: int | None = None, *, hint: str) -> int:
    text = os.environ.get(name) or str(default)
    number = int(text) if text.isascii() and text.isdecimal() else None
    if number is None or number < low or (high is not None and number > high):
        bounds = f"from {low}" if high is None else f"from {low} to {high}"
        raise UsageError(f"{name} is {text!r}, not a number of {what} {bounds}.", hint=hint)
    return number


def load_env_file() -> None:
    """Put settings that stand in ``$AIOP_HOME/env`` (NAME=value lines) into the environment unless already set.

    Credentials that connections refer to stay out of it: ``variables`` has them, and no program started from here does.
    """
    for name, value in _file_variables().items():
        if _SETTING.match(name):
            os.environ.setdefault(name, value)


def variables() -> Mapping[str, str]:
    """What a reference ``env:NAME`` may stand for: the environment, and what ``$AIOP_HOME/env`` has beside it."""
    return ChainMap(os.environ, _file_variables())


def variable(name: str) -> str:
    """What ``env:NAME`` stands for, without the space around it; empty where it is not set."""
    return variables().get(name, "").strip()


def _file_variables() -> dict[str, str]:
    path = load_settings().env_file
    try:
        stat = path.stat()
        return _read_variables(path, stat.st_mtime_ns, stat.st_size)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(
            f"{path} can't be read: {error.strerror}",
            hint="run the command as the account that the warehouse belongs to (docs/production.md has a command that "
            "does), or set AIOP_HOME to a home of your own",
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not UTF-8 text (byte {error.start})", hint="save it as UTF-8: NAME=value lines"
        ) from None


# With ten thousand organizations the file has tens of thousands of lines, and is asked for each credential.
@lru_cache(maxsize=1)
def _read_variables(path: Path, _changed_at: int, _size: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, separator, value = line.strip().partition("=")
        if separator and name and not name.startswith("#"):
            found.setdefault(name, value)
    return found
