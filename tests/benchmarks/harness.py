"""What the benchmarks share: a warehouse of their own, and a table of ours beside a naive form."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal, TypeVar

import psycopg
from rich.console import Console
from rich.table import Table

from orchestration.logs import configure_logging
from orchestration.warehouse import database
from orchestration.warehouse.prepare import prepare

T = TypeVar("T")

MOST_MEBIBYTES = 300


@dataclass(frozen=True)
class Figure:
    """What ours took beside the naive form of the same work; ``promised``: the most their ratio may be.

    unit
        Of both: seconds, or mebibytes.
    """

    what: str
    ours: float
    naive: float
    naive_form: str
    promised: float | None = None
    unit: Literal["s", "MiB"] = "s"

    @property
    def ratio(self) -> float:
        return self.ours / self.naive if self.naive else float("inf")

    @property
    def is_missed(self) -> bool:
        return self.promised is not None and self.ratio > self.promised


@contextmanager
def own_warehouse() -> Iterator[Path]:
    """The home of a fresh embedded server on its normal settings, with a migrated warehouse; removed afterwards.

    Also where the benchmark is told to end.
    """
    configure_logging("WARNING")
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    root = Path(tempfile.mkdtemp(prefix="aiop-bench-"))
    # A server started by root runs as another user, who has to get through.
    root.chmod(0o711)
    kept = {name: os.environ.pop(name, None) for name in ("AIOP_HOME", "DATABASE_URL", "AIOP_PG_PORT")}
    os.environ["AIOP_HOME"] = str(root / "home")
    server = database.embedded_server()
    try:
        server.start()
        with database.connect() as connection:
            prepare(connection)
        yield root / "home"
    finally:
        server.stop()
        shutil.rmtree(root, ignore_errors=True)
        for name, value in kept.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextmanager
def administrator() -> Iterator[psycopg.Connection]:
    """A session of the warehouse's administrator, in autocommit mode."""
    with psycopg.connect(database.embedded_server().superuser_url("aiop"), autocommit=True) as connection:
        connection.execute("set timezone = 'UTC'")
        yield connection


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call, the server's earlier writes flushed before it."""
    with administrator() as session:
        session.execute("checkpoint")
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


@dataclass(frozen=True)
class Effort:
    """Seconds that a piece of work took: on the clock, and of CPU (user and system) by whose they were."""

    wall: float
    own: float
    server: float
    source: float

    def __str__(self) -> str:
        return f"{self.own:.2f} s ours, {self.server:.2f} s Postgres', {self.source:.2f} s the stand-in's"


def best(efforts: Iterable[Effort]) -> Effort:
    """The least of each: what another program on the machine added is not there."""
    return Effort(*map(min, zip(*(astuple(one) for one in efforts), strict=True)))


@dataclass(frozen=True)
class Meter:
    """Measures what work costs this process, the warehouse of ``home``, and the stand-in's process."""

    home: Path
    source_pid: int

    def measure(self, work: Callable[[], T]) -> tuple[T, Effort]:
        """Do ``work``; what it gave, and what it took. CPU is 0 where there is no /proc."""
        before = self._now()
        result = work()
        return result, Effort(*(after - then for after, then in zip(self._now(), before, strict=True)))

    def _now(self) -> tuple[float, float, float, float]:
        own = os.times()
        server_pid = int((self.home / "pg" / "data" / "postmaster.pid").read_text().split()[0])
        return time.perf_counter(), own.user + own.system, _cpu_seconds(server_pid), _cpu_seconds(self.source_pid)


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process, of the children it waited for and of those that run."""
    processes = Path("/proc")
    total = _times(processes / str(pid))
    for task in processes.glob(f"{pid}/task/*/children"):
        with suppress(OSError):  # a thread that just ended
            total += sum(_times(processes / child) for child in task.read_text().split())
    return total


def _times(process: Path) -> float:
    try:
        stat = (process / "stat").read_text()
    except OSError:
        return 0.0
    return sum(map(int, stat.rpartition(")")[2].split()[11:15])) / os.sysconf("SC_CLK_TCK")


def peak_mebibytes(whose: int = resource.RUSAGE_SELF) -> int:
    """The most memory this process has held so far; with RUSAGE_CHILDREN, the largest of those it has waited for."""
    return resource.getrusage(whose).ru_maxrss // 1024


def memory_figure(mebibytes: int) -> Figure:
    """What a process that reads a source may hold, however much it reads."""
    return Figure("memory of this process", mebibytes, MOST_MEBIBYTES, "the limit", 1, "MiB")


def _said(amount: float, unit: str) -> str:
    if unit == "MiB":
        return f"{amount:.0f} MiB"
    return f"{amount:.2f} s" if amount >= 0.1 else f"{amount * 1000:.2f} ms"


def show(title: str, figures: list[Figure], remarks: list[str] | None = None) -> None:
    """Print the table and the remarks below it. Raises SystemExit where a promise is missed."""
    table = Table(title=title, title_justify="left")
    for column in ("", "ours", "naive", "ratio", "promised", "naive form"):
        table.add_column(column, justify="left" if column in ("", "naive form") else "right")
    for figure in figures:
        table.add_row(
            figure.what,
            _said(figure.ours, figure.unit),
            _said(figure.naive, figure.unit),
            f"{figure.ratio:.2f}" if figure.ratio >= 0.1 else f"{figure.ratio:.3f}",
            "" if figure.promised is None else f"≤ {figure.promised:g}",
            figure.naive_form,
        )
    console = Console(width=None if os.isatty(1) else 150)
    console.print(table)
    for remark in remarks or ():
        console.print(f"  {remark}", highlight=False)
    missed = [figure.what for figure in figures if figure.is_missed]
    if missed:
        raise SystemExit(f"  MISSED: {'; '.join(missed)}")
