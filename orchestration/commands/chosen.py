"""``--org`` as every command that takes several organizations has it: repeated, or once with several slugs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from orchestration.errors import UsageError

OrgOption = Annotated[list[str] | None, typer.Option("--org", help="only these organizations (slugs)")]
# An option takes one value a time; what stands behind the first one arrives as arguments.
MoreOrgs = Annotated[
    list[str] | None, typer.Argument(metavar="[SLUG]...", help="further organizations after --org", hidden=True)
]


def chosen_organizations(org: Sequence[str] | None, more: Sequence[str] | None, command: str) -> list[str]:
    """The slugs asked for, none where all are meant. ``command`` is what was called, up to its options.

    Raises UsageError for arguments that no ``--org`` precedes.
    """
    if more and not org:
        raise UsageError(f"unexpected: {' '.join(more)}", hint=f"aiop {command} --org {' '.join(more)}")
    return [*(org or ()), *(more or ())]
