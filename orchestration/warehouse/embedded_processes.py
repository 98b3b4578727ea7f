"""Which processes belong to a Postgres data directory. A process id alone proves nothing: they are given anew."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
QUIT_SECONDS = 5.0
KILL_SECONDS = 10.0


@dataclass(frozen=True)
class PidFile:
    """What ``postmaster.pid`` says. ``port`` is None until the server has chosen it."""

    pid: int
    port: int | None
    ready: bool


def read_pid_file(data: Path) -> PidFile | None:
    """The server's own statement of where it runs, or None where there is none or it is cut off."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    port = int(lines[3]) if len(lines) > 3 and lines[3].strip().isdigit() else None
    return PidFile(pid, port, ready=len(lines) > 7 and lines[7].strip() == "ready")


def is_server(pid: int, data: Path) -> bool:
    """Whether ``pid`` is a living Postgres process of this data directory."""
    if _PROC.joinpath("self").exists():
        try:
            return _works_in(_PROC / str(pid), data)
        except PermissionError:  # somebody else's: its command line is public
            with contextlib.suppress(OSError):
                return os.fsencode(data) in (_PROC / str(pid) / "cmdline").read_bytes()
        except OSError:
            pass
        return False
    shown = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return str(data) in shown.stdout


def server_processes(data: Path) -> list[int]:
    """All Postgres processes that work in ``data``, also those whose parent was killed."""
    if not _PROC.joinpath("self").exists():
        found = read_pid_file(data)
        return [found.pid] if found and is_server(found.pid, data) else []
    pids = []
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # ended meanwhile, or another user's
                if _works_in(entry, data):
                    pids.append(int(entry.name))
    return pids


def shut_down(pid: int, data: Path, seconds: float) -> None:
    """Have the server ``pid`` end its sessions and itself; whatever is left after ``seconds`` is killed.

    The signal is that of ``pg_ctl stop -m fast``, so no program of the server's version is needed.
    """
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + seconds
    while server_processes(data):
        if time.monotonic() > deadline:
            end_all(data)
            return
        time.sleep(0.02)


def end_all(data: Path) -> None:
    """End every process of the data directory, with the signal that skips a clean shutdown, then for good."""
    for sign, seconds in ((signal.SIGQUIT, QUIT_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
        deadline = time.monotonic() + seconds
        for pid in server_processes(data):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        while server_processes(data):
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        else:
            return


def _works_in(process: Path, data: Path) -> bool:
    """Postgres changes into its data directory before it does anything else, and its children stay there."""
    if os.readlink(process / "cwd") != os.path.realpath(data):
        return False
    return (process / "comm").read_text().strip() in ("postgres", "postmaster")
