"""The kinds of Postgres server that tests run on: the embedded one, and Debian's own where it is installed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestration.warehouse.embedded_binaries import MINIMUM_MAJOR

_DEBIANS = Path("/usr/lib/postgresql")
# Set where the proofs on Debian's server must not be passed over: in CI, which installs it.
_REQUIRED_VARIABLE = "AIOP_TEST_DEBIAN_POSTGRES"


def oldest_debian(directory: Path = _DEBIANS) -> int | None:
    """The major version of Debian's oldest server that is new enough: farthest from the embedded one. None: no such."""
    majors = [int(one.parts[-3]) for one in directory.glob("*/bin/initdb") if one.parts[-3].isdecimal()]
    return min((major for major in majors if major >= MINIMUM_MAJOR), default=None)


DEBIAN_MAJOR = oldest_debian()
if DEBIAN_MAJOR is None and os.environ.get(_REQUIRED_VARIABLE) == "required":
    raise pytest.UsageError(
        f"{_REQUIRED_VARIABLE} is 'required', and {_DEBIANS} holds no Postgres {MINIMUM_MAJOR} or newer: "
        "install Debian's postgresql, or unset it to leave these tests out"
    )

EMBEDDED = "embedded18"
DEBIAN = f"debian{DEBIAN_MAJOR or MINIMUM_MAJOR}"
# Where each kind's programs are; None for those of the embedded package.
PROGRAMS = {EMBEDDED: None, DEBIAN: _DEBIANS / str(DEBIAN_MAJOR or MINIMUM_MAJOR) / "bin"}

with_debian = pytest.mark.skipif(DEBIAN_MAJOR is None, reason=f"Debian's Postgres {MINIMUM_MAJOR} or newer is missing")
# What holds on one kind of server is proven on the other in the step of the slow proofs.
on_debian_too = [with_debian, pytest.mark.slow]
EVERYWHERE = [EMBEDDED, pytest.param(DEBIAN, marks=on_debian_too)]
