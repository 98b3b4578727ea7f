"""The demo's stand-in sources as a process of their own, on their fixed port."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestration.demo import ga4_server, hubspot_server, quickbooks_server, zoom_server
from orchestration.demo.crm.portals import hubspot_port
from orchestration.demo.ga4.properties import ga4_port
from orchestration.demo.organizations import DEMO_COMPANIES, quickbooks_port
from orchestration.demo.quickbooks.control import SERVICE
from orchestration.demo.world import World, read_world, world_path, write_world
from orchestration.demo.world import advance as advance_world
from orchestration.demo.zoom.accounts import zoom_port
from orchestration.errors import AiopError

START_SECONDS = 20.0
ANSWER_SECONDS = 3.0
# A proxy of the environment knows nothing of this machine's loopback.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class StandIns:
    """Where the stand-ins answer. ``process``: the one this process started (and will stop); None: they ran before."""

    quickbooks_url: str
    process: int | None

    @property
    def started(self) -> bool:
        """Whether they were started here."""
        return self.process is not None


def demo_directory(home: Path) -> Path:
    """Where the demo keeps its world and the stand-ins their tokens."""
    return home / "demo"


def open_world(home: Path) -> Path:
    """The demo's directory, with a world in it: the first day's where none was made yet."""
    directory = demo_directory(home)
    directory.mkdir(parents=True, exist_ok=True)
    if not world_path(directory).exists():
        write_world(directory, read_world(directory))
    return directory


def advance(home: Path, days: int) -> World:
    """Let the demo's world live on; HTTP stand-ins follow at their next request, databases are brought along here."""
    from orchestration.demo import databases

    world = advance_world(open_world(home), days)
    databases.follow(world)
    return world


@contextmanager
def start_standins(home: Path) -> Iterator[StandIns]:
    """The stand-ins for as long as the block runs, in a process that ends with this one whatever happens to it.

    Those that already serve the same home are used and left running. Raises AiopError where the port is taken by
    anything else.
    """
    directory = open_world(home)
    port = quickbooks_port()
    url = f"http://127.0.0.1:{port}"
    if _is_ours(url, directory):
        yield StandIns(url, None)
        return
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestration.demo.standins", str(home)],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _wait(process, url, directory)
        yield StandIns(url, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def serve(home: Path, port: int | None = None, *, with_parent: bool = False) -> None:
    """Serve until SIGTERM or SIGINT; ``with_parent``: or until standard input, held by the parent, is closed."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    if with_parent:
        threading.Thread(target=lambda: (os.read(0, 1), ended.set()), daemon=True).start()
    directory = open_world(home)
    with (
        hubspot_server.running(directory, port=hubspot_port()) as hubspot,
        zoom_server.running(directory, port=zoom_port()) as zoom,
        ga4_server.running(directory, port=ga4_port()) as ga4,
        quickbooks_server.running(
            directory, port=quickbooks_port() if port is None else port, companies=DEMO_COMPANIES
        ) as server,
    ):
        if not with_parent:
            world = server.service.world()
            print(f"QuickBooks  {server.base_url}  ({len(server.service.realms)} companies)", flush=True)
            print(f"HubSpot     {hubspot.base_url}", flush=True)
            print(f"Zoom        {zoom.base_url}", flush=True)
            print(f"GA4         {ga4.base_url}", flush=True)
            print(f"world       {directory}: it is {world.now:%Y-%m-%d %H:%M} UTC, day {world.days}", flush=True)
        ended.wait()


def _is_ours(url: str, directory: Path) -> bool:
    """Whether a stand-in of this directory answers. Raises AiopError where something else does."""
    try:
        with _direct.open(f"{url}/_control/state", timeout=ANSWER_SECONDS) as response:
            state = json.load(response)
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(getattr(error, "reason", error), ConnectionRefusedError):
            return False
        state = None
    port = url.rpartition(":")[2]
    hint = "Stop it, or set DEMO_QUICKBOOKS_PORT to a free port."
    if not isinstance(state, dict) or state.get("service") != SERVICE:
        raise AiopError(f"port {port} is taken by another program", hint=hint)
    if state.get("directory") != str(directory):
        raise AiopError(f"port {port} serves the demo of {state.get('directory')}", hint=hint)
    return True


def _wait(process: subprocess.Popen, url: str, directory: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _is_ours(url, directory):
        if process.poll() is not None or time.monotonic() > deadline:
            raise AiopError("the stand-in sources did not start", hint="their messages are above")
        time.sleep(0.05)


if __name__ == "__main__":
    try:
        serve(Path(sys.argv[1]), with_parent=True)
    except AiopError as taken:
        sys.exit(f"error: {taken}")
