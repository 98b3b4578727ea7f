"""`aiop sync`: read a source for its organizations and land the records."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from orchestration.commands.chosen import MoreOrgs, OrgOption, chosen_organizations
from orchestration.errors import UsageError
from orchestration.logs import redact
from orchestration.settings import MOST_SYNC_WORKERS, SYNC_WORKERS
from orchestration.sync_report import Event, SyncReport, describe

Show = Callable[[Event], None]


def register(app: typer.Typer) -> None:
    """Add the command to the root command."""
    app.command("sync")(sync_command)


def sync_command(
    source: Annotated[str, typer.Argument(help="the source to read, such as quickbooks")],
    more: MoreOrgs = None,
    org: OrgOption = None,
    stream: Annotated[list[str] | None, typer.Option(help="only these streams, such as invoice")] = None,
    start: Annotated[str | None, typer.Option("--from", help="read again from this date on (YYYY-MM-DD)")] = None,
    end: Annotated[str | None, typer.Option("--to", help="… to this date; default: up to now")] = None,
    only_failed: Annotated[
        bool, typer.Option("--only-failed", help="just what failed at its last attempt; with --from, its last window")
    ] = False,
    allow_deletes: Annotated[
        list[str] | None,
        typer.Option(metavar="STREAM", help="let a full read of this stream delete any share of the rows"),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MOST_SYNC_WORKERS,
            help=f"organizations read at a time; default: AIOP_SYNC_WORKERS, or {SYNC_WORKERS}",
        ),
    ] = None,
) -> None:
    """Read SOURCE for the organizations connected to it and land what is new.

    Exits 1 when a stream of an organization could not be loaded; the others are loaded all the same.
    """
    from orchestration.sync import sync  # the sources' libraries: not for the other commands

    orgs = chosen_organizations(org, more, f"sync {source}")
    with _progress() as show:
        report = sync(
            source,
            orgs=orgs,
            streams=stream or (),
            start=_date(start, "--from"),
            end=_date(end, "--to"),
            only_failed=only_failed,
            allow_deletes=allow_deletes or (),
            workers=workers,
            progress=show,
        )
    if not report.organizations:
        typer.echo(
            f"nothing failed at its last attempt in {source}" if only_failed else f"no organization has {source}"
        )
        return
    typer.echo(_summary(report))
    if report.failures:
        for line in report.failures_in_words():
            typer.echo(redact(line), err=True)
        window = "".join(f" {option} {day}" for option, day in (("--from", start), ("--to", end)) if day)
        typer.echo(f"again, for these only: aiop sync {report.source}{window} --only-failed", err=True)
        raise typer.Exit(1)


def _summary(report: SyncReport) -> str:
    complete, total = len(report.organizations) - len(report.failed), len(report.organizations)
    rows = f"{report.rows_received:,} records received, {report.rows_changed:,} rows changed"
    return f"{report.source}: {complete} of {total} organizations complete, {rows}, {report.seconds:.1f} s"


@contextmanager
def _progress() -> Iterator[Show]:
    """On a terminal one line per organization at work; elsewhere a plain line for what is worth one."""
    if not sys.stdout.isatty():
        yield _print_plainly
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("[dim]{task.fields[doing]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console()) as bars:
        yield _Bars(bars)


def _print_plainly(event: Event) -> None:
    if event.kind == "loaded" and event.result is not None and not event.result.changed and not event.result.notes:
        return
    stream = sys.stderr if event.kind == "failed" else sys.stdout
    print(f"{datetime.now().astimezone():%H:%M:%S}  {redact(event)}", file=stream, flush=True)


class _Bars:
    """Progress as one bar an organization; failures and notes stay above the bars."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, event: Event) -> None:
        if event.kind == "started":
            self._tasks[event.organization] = self._bars.add_task(event.organization, total=event.streams, doing="")
            return
        task = self._tasks[event.organization]
        if event.kind == "finished":
            self._bars.update(task, visible=False)
            return
        if event.kind in ("loaded", "failed"):
            self._bars.advance(task)
        doing = f"{event.stream} {event.records:,}" if event.records else event.stream
        self._bars.update(task, doing="waiting for another sync" if event.kind == "waiting" else doing)
        if event.kind == "failed":
            self._bars.console.print(f"[red]{escape(redact(event))}")
        elif event.result is not None and event.result.notes:
            self._bars.console.print(
                f"[dim]{escape(redact(f'{event.organization} / {event.stream}: {describe(event.result)}'))}"
            )


def _date(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text}: not a date", hint="dates look like 2025-01-31") from None
