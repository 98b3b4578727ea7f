"""What the demo keeps in `$AIOP_HOME/env`: credentials of the stand-ins, and a key to encrypt tokens with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from orchestration.settings import load_env_file


def write_environment(path: Path, values: Mapping[str, str], *, replace: bool = False) -> None:
    """Add what is missing to the file, settings to the environment, too. ``replace``: what stands by the same names."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    if replace:
        os.environ.update({name: value for name, value in values.items() if name in os.environ})
        kept = [line for line in lines if line.partition("=")[0] not in values]
        added = dict(values)
    else:
        kept = lines
        names = {line.partition("=")[0] for line in lines}
        added = {name: value for name, value in values.items() if name not in names and name not in os.environ}
    wanted = [*kept, *(f"{name}={value}" for name, value in added.items())]
    if sorted(wanted) != sorted(lines):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in wanted))
    load_env_file()
