"""What the benchmarks share: a warehouse of their own, and a table of ours beside a naive form."""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from orchestration.logs import configure_logging
from orchestration.warehouse import database
from orchestration.warehouse.prepare import prepare


@dataclass(frozen=True)
class Figure:
    """Seconds of ours beside those of the naive form of the same work; ``promised``: the most their ratio may be."""

    what: str
    ours: float
    naive: float
    naive_form: str
    promised: float | None = None

    @property
    def ratio(self) -> float:
        return self.ours / self.naive if self.naive else float("inf")


@contextmanager
def own_warehouse() -> Iterator[Path]:
    """The home of a fresh embedded server on its normal settings, with a migrated warehouse; removed afterwards."""
    configure_logging("WARNING")
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


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call, the server's earlier writes flushed before it."""
    with database.superuser_connect() as administrator:
        administrator.execute("checkpoint")
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def peak_mebibytes() -> int:
    """The most memory this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _said(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds * 1000:.2f} ms"


def show(title: str, figures: list[Figure], remarks: list[str] | None = None) -> None:
    """Print the table and the remarks below it."""
    table = Table(title=title, title_justify="left")
    for column in ("", "ours", "naive", "ratio", "promised", "naive form"):
        table.add_column(column, justify="left" if column in ("", "naive form") else "right")
    for figure in figures:
        table.add_row(
            figure.what,
            _said(figure.ours),
            _said(figure.naive),
            f"{figure.ratio:.2f}",
            "" if figure.promised is None else f"≤ {figure.promised:g}",
            figure.naive_form,
        )
    console = Console(width=None if os.isatty(1) else 150)
    console.print(table)
    for remark in remarks or ():
        console.print(f"  {remark}", highlight=False)
