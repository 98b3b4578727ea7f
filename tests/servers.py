"""The kinds of Postgres server that tests run on: the embedded one, and Debian's own where it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

EMBEDDED = "embedded18"
DEBIAN = "debian15"
# Where each kind's programs are; None for those of the embedded package.
PROGRAMS = {EMBEDDED: None, DEBIAN: Path("/usr/lib/postgresql/15/bin")}

with_debian = pytest.mark.skipif(not (PROGRAMS[DEBIAN] / "initdb").exists(), reason="Debian's Postgres 15 is missing")
# What holds on one kind of server is proven on the other in the step of the slow proofs.
on_debian_too = [with_debian, pytest.mark.slow]
EVERYWHERE = [EMBEDDED, pytest.param(DEBIAN, marks=on_debian_too)]
