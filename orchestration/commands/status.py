"""`aiop status` and `aiop drift`: how the data is, and what changed in the sources' shapes."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from orchestration.commands.chosen import MoreOrgs, OrgOption, chosen_organizations
from orchestration.errors import UsageError
from orchestration.logs import redact
from orchestration.schedule import schedules_on
from orchestration.settings import schedule_timezone
from orchestration.warehouse import database
from orchestration.warehouse.database_errors import database_errors

if TYPE_CHECKING:
    from orchestration.status import Drift, SourceStatus, StreamStatus

SourceOption = Annotated[list[str] | None, typer.Option(help="only these sources")]
JsonOption = Annotated[bool, typer.Option("--json", help="as JSON, with everything there is")]

# More names than fit a line say less than their number.
_NAMED = 4


def register(app: typer.Typer) -> None:
    """Add the commands to the root command."""
    app.command("status")(status_command)
    app.command("drift")(drift_command)


def status_command(
    more: MoreOrgs = None,
    org: OrgOption = None,
    source: SourceOption = None,
    streams: Annotated[bool, typer.Option("--streams", help="a line for every stream")] = False,
    as_json: JsonOption = False,
    prometheus: Annotated[
        bool, typer.Option("--prometheus", help="as metrics, for node_exporter's textfile collector")
    ] = False,
) -> None:
    """Show how old each organization's data is, what fails or is held back and the way out, and what runs next.

    Exits 1 when a stream fails, somebody is held back, or nights have been missed where schedules run; as metrics,
    which say so themselves, 0.
    """
    from orchestration.status import status
    from orchestration.status_metrics import exposition
    from orchestration.warehouse.migrate import require_current

    if as_json and prometheus:
        raise UsageError("--json and --prometheus are two formats", hint="give one of them")
    orgs = chosen_organizations(org, more, "status")
    with database_errors(), database.connect(application_name="aiop status", autocommit=True) as connection:
        require_current(connection)
        found = status(connection, organizations=orgs, sources=source or ())
    if prometheus:
        sys.stdout.write(redact(exposition(found, datetime.now(UTC))))
        return
    wrong = [one for one in found if one.is_wrong]
    if as_json:
        _print_json([asdict(one) for one in found])
    elif not found:
        typer.echo("nothing is connected yet: `aiop orgs connect` or `aiop orgs apply` does it")
    else:
        now = datetime.now(UTC)
        _print_table(found, now, streams)
        for line in _failures(found, now):
            typer.echo(redact(line))
        typer.echo(_summary(found, now))
    if wrong:
        raise typer.Exit(1)


def drift_command(
    more: MoreOrgs = None,
    org: OrgOption = None,
    source: SourceOption = None,
    since: Annotated[str | None, typer.Option(help="a date (YYYY-MM-DD) or an age (7d, 12h); default: 30d")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what changed in the shape of what the sources deliver: fields that came, went or changed their type."""
    from orchestration.status import drift
    from orchestration.warehouse.migrate import require_current

    orgs = chosen_organizations(org, more, "drift")
    begin = _since(since or "30d", datetime.now(UTC))
    with database_errors(), database.connect(application_name="aiop drift", autocommit=True) as connection:
        require_current(connection)
        found = drift(connection, organizations=orgs, sources=source or (), since=begin)
    if as_json:
        _print_json([asdict(one) | {"words": one.words} for one in found])
        return
    for line in _drift_lines(found):
        typer.echo(line)
    if not found:
        typer.echo(f"no source changed its shape since {begin:%Y-%m-%d %H:%M} UTC")


def _print_table(found: Sequence[SourceStatus], now: datetime, streams: bool) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("organization", "source", *(["stream"] if streams else []), "state", "last success", "rows"):
        table.add_column(heading, justify="right" if heading == "rows" else "left", no_wrap=True)
    for one in found:
        cells = [one.state, _ago(one.last_success_at, now), f"{one.rows:,}"]
        table.add_row(one.organization, one.source, *([f"{len(one.streams)} streams"] if streams else []), *cells)
        for stream in one.streams if streams else ():
            rows = "" if stream.rows is None else f"{stream.rows:,}"
            table.add_row("", "", stream.stream, stream.state, _ago(stream.last_success_at, now), rows)
    # A pipe has no width: names must come out whole. And a name may hold brackets, which are no markup.
    Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 1000).print(table)


def _failures(found: Iterable[SourceStatus], now: datetime) -> Iterator[str]:
    """Each failure of an organization; one that holds for several streams is said once."""
    for one in found:
        by_error: dict[tuple[str | None, str | None], list[StreamStatus]] = {}
        for stream in one.failing if one.is_wrong else ():
            by_error.setdefault((stream.error, stream.way_out), []).append(stream)
        for (error, way_out), failing in by_error.items():
            begun = min((stream.failing_since for stream in failing if stream.failing_since), default=None)
            yield (
                f"failing: {one.organization} {one.source} ({_named([stream.stream for stream in failing])})"
                f"{f' for {_age(now - begun)}' if begun else ''}: {error}"
            )
            yield f"  → {way_out}"
        if one.held_back_since:
            yield (
                f"held back: {one.organization} {one.source} for {_age(now - one.held_back_since)}, the last good rows "
                f"stay published: {one.held_back_reason}"
            )
            yield (
                f"  → a later load that is good ends it; to publish as it is: aiop quality release {one.organization} "
                f"{one.source}"
            )
        if one.state == "late":
            yield f"late: {one.organization} {one.source}: nights were missed\n  → see that the schedules' daemon runs"


def _summary(found: Sequence[SourceStatus], now: datetime) -> str:
    counts = {state: sum(one.state == state for one in found) for state in _STATES}
    states = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    organizations = len({one.organization for one in found})
    many = "organization" if organizations == 1 else "organizations"
    return f"{organizations} {many}: {states}; {_coming(found, now)}"


_STATES = ("ok", "failing", "held back", "late", "never read", "disconnected")


def _coming(found: Iterable[SourceStatus], now: datetime) -> str:
    if not schedules_on():
        return "schedules are off here (AIOP_SCHEDULES=on starts them)"
    zone = schedule_timezone()
    runs = sorted({(one.source, one.next_run_at, one.next_job) for one in found if one.next_run_at and one.next_job})
    said = [f"{source} {at.astimezone(ZoneInfo(zone)):%a %H:%M} ({job})" for source, at, job in runs if at]
    return f"next ({zone}): {', '.join(said)}" if said else "no schedule reads these sources"


def _drift_lines(found: Iterable[Drift]) -> Iterator[str]:
    for one in found:
        yield (
            f"{one.first_at.astimezone(UTC):%Y-%m-%d %H:%M}  {one.source} {one.stream}: {one.path} {one.words}"
            f"  [{_named(one.organizations)}]"
        )


def _named(names: Sequence[str]) -> str:
    return (
        ", ".join(names)
        if len(names) <= _NAMED
        else f"{', '.join(names[: _NAMED - 1])} and {len(names) - _NAMED + 1} more"
    )


def _ago(instant: datetime | None, now: datetime) -> str:
    return f"{_age(now - instant)} ago" if instant else "never"


def _age(age: timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        # 47 h says more than 1 d.
        if seconds >= (2 * size if unit == "d" else size):
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _since(text: str, now: datetime) -> datetime:
    age = re.fullmatch(r"([0-9]{1,5})([hd])", text)
    if age:
        return now - timedelta(**{"h": {"hours": int(age[1])}, "d": {"days": int(age[1])}}[age[2]])
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--since {text}: neither a date nor an age", hint="such as 2025-01-31, 7d or 12h") from None
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def _print_json(value: Any) -> None:
    print(redact(json.dumps(value, default=lambda item: item.isoformat(), indent=2)))
