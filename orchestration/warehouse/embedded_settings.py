"""Settings of the embedded server: one file, written afresh at every start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

MEBIBYTE = 1024 * 1024


def memory_bytes() -> int:
    """Memory this process may use: the machine's, or the container's limit where that is smaller."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        try:
            total = min(total, int(limit.read_text()))
        except (OSError, ValueError):  # not there, or "max"
            continue
    return total


def server_settings(port: int, *, major: int, memory: int, overrides: Mapping[str, str] | None = None) -> str:
    """The configuration file's text for a server of version ``major`` on ``port``, on a machine with ``memory`` bytes.

    It shares a laptop with dbt and Dagster, so it takes an eighth of the memory; nothing trades away durability.
    """
    mebibytes = memory // MEBIBYTE
    settings: dict[str, object] = {
        # Passwords travel unencrypted (the embedded build has no TLS), so only this machine may connect.
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "password_encryption": "scram-sha-256",
        "max_connections": 150,
        "shared_buffers": f"{min(max(mebibytes // 8, 128), 2048)}MB",
        "effective_cache_size": f"{max(mebibytes // 2, 256)}MB",
        "work_mem": f"{min(max(mebibytes // 256, 8), 64)}MB",
        "maintenance_work_mem": f"{min(max(mebibytes // 32, 64), 512)}MB",
        "synchronous_commit": "on",
        # Nothing replicates from here: builds of tables and indexes need not pass through the log twice.
        "wal_level": "minimal",
        "max_wal_senders": 0,
        # A nightly load should not force checkpoints while it runs.
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        "random_page_cost": 1.1,
        # Many short statements, few long ones: compiling costs more than it saves.
        "jit": "off",
        "max_locks_per_transaction": 256,
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %u@%d ",
        # A failed statement or its detail can hold a credential or a customer's data.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
    }
    if major >= 16:
        # For the builder's sessions, whatever tenants hold: two jobs that meet, on their normal settings.
        settings["reserved_connections"] = 50
    if major >= 17:
        # 64 MB instead of 8 GB: any role may notify, and one that listens and never ends its transaction keeps it all.
        settings["max_notify_queue_pages"] = 8192
    if _small_shared_memory():
        settings["dynamic_shared_memory_type"] = "mmap"
    settings.update(overrides or {})
    lines = [f"{name} = '{str(value).replace(chr(39), chr(39) * 2)}'" for name, value in settings.items()]
    return "\n".join(["# Written at every start of the server; changes made here are lost.", *lines, ""])


def _small_shared_memory() -> bool:
    """Containers often have 64 MiB of /dev/shm, which parallel queries overflow."""
    try:
        room = os.statvfs("/dev/shm")
    except OSError:
        return False
    return room.f_blocks * room.f_frsize < 256 * MEBIBYTE
