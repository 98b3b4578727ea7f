"""The world's clock as a server sees it: kept in a file that a command may advance meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path

from orchestration.demo.world import World, advance, read_world, world_path


class WorldClock:
    """The world kept under ``directory``, read again when its file changes; without a directory a fixed one."""

    def __init__(self, directory: Path | None, fixed: World) -> None:
        self._directory = directory
        self._world = fixed
        self._seen: tuple[int, int] | None = None
        self._lock = threading.Lock()

    def advance(self, days: int) -> World:
        """Let the world live on, as `aiop demo advance` does."""
        if self._directory is not None:
            return advance(self._directory, days)
        self._world = World(self._world.seed, self._world.base, self._world.days + days)
        return self._world

    def __call__(self) -> World:
        if self._directory is None:
            return self._world
        with self._lock:
            try:
                status = world_path(self._directory).stat()
                seen = (status.st_mtime_ns, status.st_ino)
            except FileNotFoundError:
                seen = (0, 0)
            if seen != self._seen:
                self._world, self._seen = read_world(self._directory), seen
            return self._world
