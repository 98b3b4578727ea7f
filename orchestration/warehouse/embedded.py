"""The embedded Postgres: made, started and stopped here, and independent of the process that started it.

Everything lives in ``<home>/pg``: ``data`` (the server's own), ``server.json`` (port and passwords, mode 0600),
``server.log`` and ``lock``, which every change of state holds, so that any number of processes may ask for a server.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import random
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psycopg

from orchestration.errors import DatabaseError, UsageError
from orchestration.logs import redact, register_secret
from orchestration.warehouse import embedded_processes as processes
from orchestration.warehouse.database_errors import DISK_FULL_HINT, explain
from orchestration.warehouse.embedded_binaries import Account, Binaries, find_binaries, server_account
from orchestration.warehouse.embedded_bootstrap import BUILDER, DATABASE, bootstrap, harden
from orchestration.warehouse.embedded_settings import memory_bytes, server_settings

ADMINISTRATOR = "aiop_admin"
# Below the range that operating systems give to outgoing connections, so a stopped server's port mostly stays free.
PORTS = range(15433, 28000)
LOCK_SECONDS = 120
# Recovery after a crash replays at most max_wal_size, but on a slow disk.
START_SECONDS = 300
STOP_SECONDS = 60
LOG_LIMIT_BYTES = 10_000_000
# With less than a log segment the server can't work, and can't say so: its messages are on the same disk.
LEAST_FREE_BYTES = 16 * 1024 * 1024
# pg_ctl hands its paths to a shell, between double quotes.
_UNQUOTABLE = frozenset('"$`\\\n')


@dataclass(frozen=True)
class ServerStatus:
    """``state`` is ``running``, ``starting`` (or stopping: not to be connected to), ``stopped`` or ``absent``."""

    state: str
    data: Path
    port: int | None = None
    pid: int | None = None
    major: int | None = None


@dataclass(frozen=True)
class _Secrets:
    """The content of ``server.json``. ``ready``: roles and database are made."""

    port: int | None
    administrator_password: str
    builder_password: str
    ready: bool = False


class EmbeddedPostgres:
    """The server of one home directory. ``bin_dir`` overrides ``AIOP_PG_BIN``, ``settings`` the configuration's."""

    def __init__(self, home: Path, bin_dir: Path | None = None, settings: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.directory = home / "pg"
        self.data = self.directory / "data"
        self.log = self.directory / "server.log"
        self._bin_dir = bin_dir
        self._settings = dict(settings or {})
        self._state_file = self.directory / "server.json"

    def status(self) -> ServerStatus:
        """What is there now; changes nothing and takes no lock."""
        try:
            major = int((self.data / "PG_VERSION").read_text())
        except FileNotFoundError:
            return ServerStatus("absent", self.data)
        except (OSError, ValueError) as error:
            raise DatabaseError(
                f"the data directory {self.data} can't be read: {getattr(error, 'strerror', None) or error}",
                hint="run the command as its owner or as root, or set AIOP_HOME to a directory of your own",
            ) from error
        found = processes.read_pid_file(self.data)
        if found is None or not processes.is_server(found.pid, self.data):
            return ServerStatus("stopped", self.data, major=major)
        return ServerStatus("running" if found.ready else "starting", self.data, found.port, found.pid, major)

    def init(self) -> None:
        """Make the data directory unless it is there; the server is not started."""
        with self._exclusively():
            self._init(self._binaries())

    def start(self) -> ServerStatus:
        """Start the server unless it runs, and see to its roles and database. Returns once it accepts connections.

        The server outlives this process. Whatever fails, no process of it stays behind.
        """
        status = self.status()
        if status.state == "running" and self._read_state().ready:
            return status
        with self._exclusively():
            status = self._settled()
            if status.state == "running" and self._read_state().ready:
                return status
            try:
                if status.state != "running":
                    status = self._launch()
                self._bootstrap()
            except BaseException:
                self._halt()
                raise
            return status

    def stop(self) -> bool:
        """Stop the server, ending its sessions; False where none was running."""
        if self.status().state == "absent":
            return False
        with self._exclusively():
            if self._settled().state != "running":
                self._clear_leftovers()
                return False
            account, binaries = self._account(), self._binaries()
            for mode in ("fast", "immediate"):
                result = account.run(
                    [binaries["pg_ctl"], "stop", "-D", str(self.data), "-m", mode, "-w", "-t", str(STOP_SECONDS)],
                    timeout=STOP_SECONDS + 30,
                )
                if result.returncode == 0:
                    return True
            raise DatabaseError(f"the embedded server did not stop: {redact(result.stderr).strip()}")

    def superuser_url(self, database: str = DATABASE) -> str:
        """URL of the administrator, with its password."""
        return self._url(ADMINISTRATOR, self._read_state().administrator_password, database)

    def builder_url(self, database: str = DATABASE) -> str:
        """URL of the role that owns the warehouse and is no superuser, with its password."""
        return self._url(BUILDER, self._read_state().builder_password, database)

    def program(self, name: str) -> Path:
        """The path of a client program that belongs to this server (``psql``, ``pg_dump``); it may not exist."""
        account = self._account()
        return Path(find_binaries(self._bin_dir, account, self.directory)[name])

    # ---- state -------------------------------------------------------------------------------------------------

    def _url(self, user: str, password: str, database: str) -> str:
        port = self.status().port or self._read_state().port
        if port is None:
            raise DatabaseError("the embedded server was never started", hint="run `aiop db start`")
        return f"postgresql://{user}:{password}@127.0.0.1:{port}/{database}"

    def _read_state(self) -> _Secrets:
        try:
            state = _Secrets(**json.loads(self._state_file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            if not self.data.exists():
                raise DatabaseError("there is no embedded server yet", hint="run `aiop db start`") from None
            raise DatabaseError(
                f"{self._state_file}, which holds the server's passwords, is gone",
                hint=f"restore it, or move {self.data} away to begin with an empty warehouse",
            ) from None
        except PermissionError:
            raise DatabaseError(
                f"{self._state_file} belongs to another user",
                hint="run the command as the user who started the server, or set AIOP_HOME to a directory of your own",
            ) from None
        except (ValueError, TypeError) as error:
            raise DatabaseError(f"{self._state_file} is damaged", hint="restore it from a backup") from error
        register_secret(state.administrator_password)
        register_secret(state.builder_password)
        return state

    def _write_state(self, state: _Secrets) -> None:
        partial = self._state_file.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        try:
            with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                json.dump(asdict(state), file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._state_file)
        finally:
            partial.unlink(missing_ok=True)

    def _account(self) -> Account:
        return server_account(self.data)

    def _binaries(self) -> Binaries:
        return find_binaries(self._bin_dir, self._account(), self.directory)

    @contextlib.contextmanager
    def _exclusively(self) -> Iterator[None]:
        """Hold the home's lock; failures of the operating system become sentences."""
        try:
            self._make_directories()
            with open(self.directory / "lock", "a", encoding="utf-8") as lock:
                deadline = time.monotonic() + LOCK_SECONDS
                while True:
                    try:
                        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        break
                    except BlockingIOError:
                        if time.monotonic() > deadline:
                            raise DatabaseError(
                                f"another process has been starting or stopping the server for {LOCK_SECONDS} s",
                                hint=f"see who holds it: fuser {self.directory / 'lock'}",
                            ) from None
                        time.sleep(0.05)
                yield
        except OSError as error:
            raise self._explain_os_error(error) from error
        except subprocess.TimeoutExpired as error:
            raise DatabaseError(f"{Path(error.cmd[0]).name} did not end within {error.timeout:.0f} s") from error

    def _make_directories(self) -> None:
        if _UNQUOTABLE & set(str(self.directory)):
            raise UsageError(
                f"the server can't be started from {str(self.directory)!r}",
                hint='set AIOP_HOME to a path without any of " $ ` \\ and line breaks',
            )
        account = self._account()
        self._require_passage(account)
        # Where the server runs as somebody else, that account has to pass through; nobody may list anything.
        mode = 0o711 if account.switch else 0o700
        for directory in (self.home, self.directory):
            if not directory.exists():
                directory.mkdir(parents=True)
                directory.chmod(mode)
        self._require_passage(account)

    def _require_passage(self, account: Account) -> None:
        """The server's account must be able to reach its directory, as far as that exists."""
        if not account.switch:
            return
        existing = next(place for place in (self.directory, *self.directory.parents) if place.exists())
        closed = account.first_closed(existing)
        if closed:
            raise DatabaseError(
                f"user {account.name}, which the server must run as because this is root, can't enter {closed}",
                hint="set AIOP_HOME to a directory that every user can reach, or let users pass through this one: "
                f"chmod o+x {closed}",
            )

    def _explain_os_error(self, error: OSError) -> DatabaseError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return DatabaseError(f"the disk that holds {self.home} is full", hint=DISK_FULL_HINT)
        where = error.filename or self.directory
        return DatabaseError(
            f"{where}: {error.strerror}",
            hint="AIOP_HOME must be a directory that this user may write to",
        )

    # ---- making ------------------------------------------------------------------------------------------------

    def _init(self, binaries: Binaries) -> None:
        if self.data.exists():
            major = self.status().major
            if major is None:
                raise DatabaseError(
                    f"{self.data} exists but holds no Postgres data", hint="move it away, then run the command again"
                )
            if major != binaries.major:
                raise DatabaseError(
                    f"{self.data} was made by Postgres {major}; the programs in {binaries.directory} are "
                    f"Postgres {binaries.major}",
                    hint=f"set AIOP_PG_BIN to the bin directory of a Postgres {major} to go on with it (pg_dump takes "
                    "the data along to a newer one), or move the directory away to begin with an empty warehouse",
                )
            return
        account = self._account()
        # Made beside its place and moved there when complete: a crash in between leaves nothing that looks usable.
        partial = self.directory / "data.partial"
        password_file = self.directory / "password.partial"
        state = _Secrets(None, secrets.token_urlsafe(32), secrets.token_urlsafe(32))
        try:
            shutil.rmtree(partial, ignore_errors=True)
            password_file.unlink(missing_ok=True)
            partial.mkdir(mode=0o700)
            with open(os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(state.administrator_password)
            account.own(partial)
            account.own(password_file)
            command = [binaries["initdb"], "-D", str(partial), "-U", ADMINISTRATOR, f"--pwfile={password_file}"]
            command += ["--auth=scram-sha-256", "--encoding=UTF8"]
            # From 17 on Postgres brings a collation of its own, which no update of the system's library can change.
            command += (
                ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
                if binaries.major >= 17
                else ["--locale=C.UTF-8"]
            )
            if self._settings.get("fsync") == "off":
                command.append("--no-sync")
            result = account.run(command, timeout=START_SECONDS)
            if result.returncode:
                raise self._explain_start(result.stdout + result.stderr, "the database could not be created")
            with (partial / "postgresql.conf").open("a", encoding="utf-8") as file:
                file.write("\ninclude 'aiop.conf'\n")
            self._write_state(state)
            partial.rename(self.data)
        finally:
            password_file.unlink(missing_ok=True)
            shutil.rmtree(partial, ignore_errors=True)

    def _launch(self) -> ServerStatus:
        """Bring the stopped server up, on its port or on a new one where that was taken meanwhile."""
        binaries = self._binaries()
        self._init(binaries)
        self._clear_leftovers()
        account, state = self._account(), self._read_state()
        chosen = _chosen_port()
        for _ in range(10):
            port = chosen or (state.port if state.port and _is_free(state.port) else _free_port())
            if not _is_free(port):
                raise _port_in_use(port)
            self._write_settings(account, port)
            said_from = self._open_log(account)
            command = [binaries["pg_ctl"], "start", "-D", str(self.data), "-l", str(self.log), "-s"]
            command += ["-w", "-t", str(START_SECONDS)]
            result = account.run(command, timeout=START_SECONDS + 30)
            status = self.status()
            if result.returncode == 0 and status.state == "running":
                self._write_state(replace(state, port=port))
                return status
            self._halt()
            with self.log.open(encoding="utf-8", errors="replace") as file:
                file.seek(said_from)
                said = file.read()
            if "Address already in use" not in said:
                raise self._explain_start(said or result.stderr, "the embedded server did not start")
            if chosen:
                raise _port_in_use(chosen)
        raise DatabaseError("no free port was found for the embedded server", hint="choose one with AIOP_PG_PORT")

    def _write_settings(self, account: Account, port: int) -> None:
        path = self.data / "aiop.conf"
        path.write_text(server_settings(port, memory=memory_bytes(), overrides=self._settings), encoding="utf-8")
        path.chmod(0o600)
        account.own(path)

    def _open_log(self, account: Account) -> int:
        """See to a log that the server may write; returns its length. One earlier log is kept."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        if not self.log.exists():
            os.close(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            account.own(self.log)
        return self.log.stat().st_size

    def _bootstrap(self) -> None:
        state = self._read_state()
        try:
            with psycopg.connect(self.superuser_url("postgres"), autocommit=True, connect_timeout=30) as server:
                bootstrap(server, state.builder_password)
            with psycopg.connect(self.superuser_url(), autocommit=True, connect_timeout=30) as database:
                harden(database)
        except psycopg.Error as error:
            raise explain(error) from error
        self._write_state(replace(state, ready=True))

    # ---- leftovers ---------------------------------------------------------------------------------------------

    def _settled(self) -> ServerStatus:
        """The status once a start or stop by other hands (pg_ctl, an orchestrator) has come to its end."""
        deadline = time.monotonic() + START_SECONDS
        while (status := self.status()).state == "starting" and time.monotonic() < deadline:
            time.sleep(0.05)
        return status

    def _clear_leftovers(self) -> None:
        """With no server running: end processes that a killed one left, and remove the file that names it.

        Postgres itself trusts that file where its process id has been given to any other process meanwhile.
        """
        if self.data.exists():
            processes.end_all(self.data)
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _halt(self) -> None:
        """End the server at once after a failure; the next start recovers from its log."""
        if self.data.exists():
            processes.end_all(self.data)

    def _explain_start(self, said: str, what: str) -> DatabaseError:
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        telling = [line for line in lines if any(mark in line for mark in ("FATAL", "PANIC", "ERROR", "error:"))]
        reason = redact((telling or lines or ["no message"])[-1])
        full = shutil.disk_usage(self.directory).free < LEAST_FREE_BYTES
        if full or "No space left on device" in said or "Disk quota exceeded" in said:
            return DatabaseError(f"{what}: the disk that holds {self.home} is full", hint=DISK_FULL_HINT)
        if "Cannot allocate memory" in said or "could not create shared memory segment" in said:
            return DatabaseError(f"{what}: not enough memory ({reason})", hint="end other programs, then try again")
        return DatabaseError(f"{what}: {reason}", hint=f"the server's own words are in {self.log}")


def _chosen_port() -> int | None:
    text = os.environ.get("AIOP_PG_PORT")
    if not text:
        return None
    if not text.isdigit() or not 1024 <= int(text) <= 65535:
        raise UsageError(f"AIOP_PG_PORT is {text!r}", hint="it must be a port number from 1024 to 65535")
    return int(text)


def _port_in_use(port: int) -> DatabaseError:
    return DatabaseError(
        f"port {port} (AIOP_PG_PORT) is in use by another program",
        hint="end that program, choose another port, or unset AIOP_PG_PORT to have a free one found",
    )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does: ended connections don't count
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def _free_port() -> int:
    # Two homes starting at once should not try the same ports in the same order.
    for port in random.sample(PORTS, 200):
        if _is_free(port):
            return port
    raise DatabaseError("no free port was found for the embedded server", hint="choose one with AIOP_PG_PORT")
