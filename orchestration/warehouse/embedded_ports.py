"""The port of the embedded server: chosen by the user, or a free one."""

from __future__ import annotations

import os
import random
import socket

from orchestration.errors import DatabaseError, UsageError

# Below the range that operating systems give to outgoing connections, so a stopped server's port mostly stays free.
PORTS = range(15433, 28000)


def chosen_port() -> int | None:
    """What ``AIOP_PG_PORT`` says; None where it says nothing."""
    text = os.environ.get("AIOP_PG_PORT")
    if not text:
        return None
    if not text.isdigit() or not 1024 <= int(text) <= 65535:
        raise UsageError(f"AIOP_PG_PORT is {text!r}", hint="it must be a port number from 1024 to 65535")
    return int(text)


def port_in_use(port: int) -> DatabaseError:
    """The error for a chosen port that another program has."""
    return DatabaseError(
        f"port {port} (AIOP_PG_PORT) is in use by another program",
        hint="end that program, choose another port, or unset AIOP_PG_PORT to have a free one found",
    )


def is_free(port: int) -> bool:
    """Whether a server could listen on ``port`` of this machine now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does: ended connections don't count
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port() -> int:
    """A free port, not the same for two homes that look at once."""
    for port in random.sample(PORTS, 200):
        if is_free(port):
            return port
    raise DatabaseError("no free port was found for the embedded server", hint="choose one with AIOP_PG_PORT")
