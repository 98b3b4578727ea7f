"""The embedded Postgres: made, started and stopped here, and independent of the process that started it.

Everything lives in ``<home>/pg``: ``data`` (the server's own), ``aiop.conf`` (its settings), ``server.json`` (port and
passwords, mode 0600), ``server.log`` and ``lock``, which every change of state holds, so that any number of processes
may ask for a server.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from orchestration.errors import DatabaseError, UsageError
from orchestration.warehouse import embedded_ports as ports
from orchestration.warehouse import embedded_processes as processes
from orchestration.warehouse.database_errors import DISK_FULL_HINT, explain
from orchestration.warehouse.embedded_binaries import Account, Binaries, find_binaries, server_account
from orchestration.warehouse.embedded_bootstrap import BUILDER, DATABASE, bootstrap, harden
from orchestration.warehouse.embedded_cluster import explain_failure, initialise, made_aside
from orchestration.warehouse.embedded_settings import memory_bytes, server_settings
from orchestration.warehouse.embedded_state import ServerState

ADMINISTRATOR = "aiop_admin"
LOCK_SECONDS = 120
# Recovery after a crash replays at most max_wal_size, but on a slow disk.
START_SECONDS = 300
STOP_SECONDS = 60
LOG_LIMIT_BYTES = 10_000_000
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
        if status.state == "running" and self._state().ready:
            return status
        with self._exclusively():
            status = self._settled()
            if status.state == "running" and self._state().ready:
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
            status = self._settled()
            if status.state == "running" and status.pid:
                processes.shut_down(status.pid, self.data, STOP_SECONDS)
            self._clear_leftovers()
            return status.state == "running"

    def superuser_url(self, database: str = DATABASE) -> str:
        """URL of the administrator, with its password."""
        return self._url(ADMINISTRATOR, self._state().administrator_password, database)

    def builder_url(self, database: str = DATABASE) -> str:
        """URL of the role that owns the warehouse and is no superuser, with its password."""
        return self._url(BUILDER, self._state().builder_password, database)

    def program(self, name: str) -> Path:
        """The path of a client program that belongs to this server (``psql``, ``pg_dump``); it may not exist."""
        account = self._account()
        return Path(find_binaries(self._bin_dir, account, self.directory)[name])

    # ---- state -------------------------------------------------------------------------------------------------

    def _url(self, user: str, password: str, database: str) -> str:
        port = self.status().port or self._state().port
        if port is None:
            raise DatabaseError("the embedded server was never started", hint="run `aiop db start`")
        return f"postgresql://{user}:{password}@127.0.0.1:{port}/{database}"

    def _state(self) -> ServerState:
        return ServerState.read(self._state_file, self.data)

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
        missing = [place for place in (self.directory, *self.directory.parents) if not place.exists()]
        for directory in reversed(missing):
            directory.mkdir(exist_ok=True)
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
            return DatabaseError(f"the disk that holds {self.directory} is full", hint=DISK_FULL_HINT)
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
        state = ServerState.new()
        account = self._account()
        durable = self._settings.get("fsync") != "off"
        with made_aside(self.data, account) as partial:
            initialise(partial, binaries, account, ADMINISTRATOR, state.administrator_password, durable=durable)
            state.write(self._state_file)

    def _launch(self) -> ServerStatus:
        """Bring the stopped server up, on its port or on a new one where that was taken meanwhile."""
        binaries = self._binaries()
        self._init(binaries)
        self._clear_leftovers()
        account, state = self._account(), self._state()
        chosen = ports.chosen_port()
        for _ in range(10):
            port = chosen or (state.port if state.port and ports.is_free(state.port) else ports.free_port())
            if not ports.is_free(port):
                raise ports.port_in_use(port)
            self._write_settings(account, port, binaries.major)
            said_from = self._open_log(account)
            command = [binaries["pg_ctl"], "start", "-D", str(self.data), "-l", str(self.log), "-s"]
            command += ["-w", "-t", str(START_SECONDS)]
            result = account.run(command, timeout=START_SECONDS + 30)
            status = self.status()
            if result.returncode == 0 and status.state == "running":
                replace(state, port=port).write(self._state_file)
                return status
            self._halt()
            with self.log.open(encoding="utf-8", errors="replace") as file:
                file.seek(said_from)
                said = file.read()
            if "Address already in use" not in said:
                raise explain_failure("the embedded server did not start", said or result.stderr, self.directory)
            if chosen:
                raise ports.port_in_use(chosen)
        raise DatabaseError("no free port was found for the embedded server", hint="choose one with AIOP_PG_PORT")

    def _write_settings(self, account: Account, port: int, major: int) -> None:
        # Beside the data, not in it: that directory is another user's, who could have put a link there.
        path = self.directory / "aiop.conf"
        partial = path.with_suffix(".partial")
        text = server_settings(port, major=major, memory=memory_bytes(), overrides=self._settings)
        partial.write_text(text, encoding="utf-8")
        partial.chmod(0o600)
        account.own(partial)
        partial.replace(path)

    def _open_log(self, account: Account) -> int:
        """See to a log that the server may write; returns its length. One earlier log is kept."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        if not self.log.exists():
            os.close(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            account.own(self.log)
        return self.log.stat().st_size

    def _bootstrap(self) -> None:
        state = self._state()
        try:
            with psycopg.connect(self.superuser_url("postgres"), autocommit=True, connect_timeout=30) as server:
                bootstrap(server, state.builder_password)
            with psycopg.connect(self.superuser_url(), autocommit=True, connect_timeout=30) as database:
                harden(database)
        except psycopg.Error as error:
            raise explain(error) from error
        replace(state, ready=True).write(self._state_file)

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
