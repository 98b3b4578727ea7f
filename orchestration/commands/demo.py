"""`aiop demo`: the stand-in sources and the passing of time in their world."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.settings import load_settings

app = typer.Typer(help="The demo's stand-in sources.", no_args_is_help=True)


@app.command("run")
def run() -> None:
    """Build the demo's warehouse, or bring it up to date: database, stand-in sources, nightly job, summary."""
    from orchestration.demo.run import run_demo, summary

    typer.echo(summary(run_demo(typer.echo)))


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="another port than the demo's own")] = None,
) -> None:
    """Serve the stand-in sources until Ctrl-C."""
    from orchestration.demo import standins
    from orchestration.demo.belonging import require_demos_home

    require_demos_home(load_settings().home)
    standins.serve(load_settings().home, port)


@app.command()
def advance(days: Annotated[int, typer.Option(help="how many days pass")] = 1) -> None:
    """Let the demo's world live on; a running stand-in follows at its next request, databases at once."""
    from orchestration.demo import standins
    from orchestration.demo.belonging import require_demos_home

    require_demos_home(load_settings().home)
    world = standins.advance(load_settings().home, days)
    typer.echo(f"It is now {world.now:%Y-%m-%d %H:%M} UTC in the demo's world, day {world.days}.")
