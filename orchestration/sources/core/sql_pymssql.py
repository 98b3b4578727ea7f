"""What pymssql does not tell by itself: over which socket a connection talks, and why a login failed.

A failed login's number stays in a variable of pymssql's module (2.4.6 clears a local one of the same name instead), so
the next failure of the process is reported under the number of an earlier, graver one, be it another database's. The
messages themselves pass DB-Library's message handler, where they are heard here before pymssql's own gets them.
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Iterator
from dataclasses import dataclass

_LEAST_SEVERITY = 11  # Below, they are information.

_MessageHandler = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_int32,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_int,
)

_this_thread = threading.local()
_prepared = threading.Lock()
_kept: list[object] = []


@dataclass(frozen=True)
class Message:
    """An error as the server told it."""

    number: int
    text: str


def prepare() -> None:
    """Hear sockets and messages from now on; once a process."""
    with _prepared:
        if _kept:
            return
        import pymssql
        from pymssql import _mssql

        # Called before each answer is waited for, on the thread that waits.
        pymssql.set_wait_callback(lambda descriptor: setattr(_this_thread, "descriptor", descriptor))
        install = getattr(ctypes.CDLL(_mssql.__file__), "dbmsghandle", None)
        if install is None:  # a build that hides DB-Library: numbers are then as pymssql says
            _kept.append(None)
            return
        install.restype, install.argtypes = ctypes.c_void_p, [_MessageHandler]
        # The library calls it for as long as the process lives.
        handler = _MessageHandler(_heard)
        _kept.append(handler)
        _kept.append(_MessageHandler(install(handler)))


def descriptor() -> int | None:
    """The socket that this thread's latest exchange went over."""
    return getattr(_this_thread, "descriptor", None)


@contextlib.contextmanager
def hearing() -> Iterator[list[Message]]:
    """The errors that servers tell this thread within the block."""
    messages: list[Message] = []
    _this_thread.messages = messages
    try:
        yield messages
    finally:
        del _this_thread.messages


def _heard(process: int, number: int, state: int, severity: int, text: bytes, *rest: object) -> int:
    messages = getattr(_this_thread, "messages", None)
    if messages is not None and severity >= _LEAST_SEVERITY:
        messages.append(Message(number, (text or b"").decode("utf-8", "replace")))
    passed_on = _kept[1] if len(_kept) > 1 else None
    return int(passed_on(process, number, state, severity, text, *rest)) if callable(passed_on) else 0
