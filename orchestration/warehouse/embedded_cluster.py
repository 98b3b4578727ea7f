"""Makes the data directory of an embedded server, whole or not at all, and says why Postgres' programs fail."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from orchestration.errors import DatabaseError
from orchestration.logs import redact
from orchestration.warehouse.database_errors import DISK_FULL_HINT
from orchestration.warehouse.embedded_binaries import Account, Binaries

INIT_SECONDS = 300
# With less than a log segment the server can't work, and can't say so: its messages are on the same disk.
LEAST_FREE_BYTES = 16 * 1024 * 1024


@contextlib.contextmanager
def made_aside(data: Path, account: Account) -> Iterator[Path]:
    """An empty directory of the account's that becomes ``data`` where the block succeeds, and nothing where it fails.

    The name comes last, so that a crash in between leaves nothing that looks like a usable data directory.
    """
    partial = data.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(mode=0o700)
        account.own(partial)
        yield partial
        partial.rename(data)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def initialise(
    data: Path, binaries: Binaries, account: Account, administrator: str, password: str, *, durable: bool
) -> None:
    """Run initdb in the empty directory ``data``: UTF-8, passwords for every connection, settings from beside it."""
    password_file = data.with_name("password.partial")
    password_file.unlink(missing_ok=True)
    command = [binaries["initdb"], "-D", str(data), "-U", administrator, f"--pwfile={password_file}"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8"]
    # From 17 on Postgres brings a collation of its own, which no update of the system's library can change.
    command += (
        ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        if binaries.major >= 17
        else ["--locale=C.UTF-8"]
    )
    if not durable:
        command.append("--no-sync")
    try:
        with open(os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(password)
        account.own(password_file)
        result = account.run(command, timeout=INIT_SECONDS)
    finally:
        password_file.unlink(missing_ok=True)
    if result.returncode == 0:
        # By the account itself: in a directory of another user's, root would follow links it put there.
        append = 'printf "\\ninclude \'../aiop.conf\'\\n" >> "$0"'
        result = account.run(["/bin/sh", "-c", append, str(data / "postgresql.conf")], timeout=INIT_SECONDS)
    if result.returncode:
        raise explain_failure("the database could not be created", result.stdout + result.stderr, data.parent)


def explain_failure(what: str, said: str, directory: Path) -> DatabaseError:
    """Why ``what`` happened, from what the programs said and the state of the disk that holds ``directory``."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if any(mark in line for mark in ("FATAL", "PANIC", "ERROR", "error:"))]
    reason = redact((telling or lines or ["no message"])[-1])
    full = shutil.disk_usage(directory).free < LEAST_FREE_BYTES
    if full or "No space left on device" in said or "Disk quota exceeded" in said:
        return DatabaseError(f"{what}: the disk that holds {directory} is full", hint=DISK_FULL_HINT)
    if "Cannot allocate memory" in said or "could not create shared memory segment" in said:
        return DatabaseError(f"{what}: not enough memory ({reason})", hint="end other programs, then try again")
    return DatabaseError(f"{what}: {reason}", hint=f"the server's own words are in {directory / 'server.log'}")
