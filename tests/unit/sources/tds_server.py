"""A small SQL Server: enough of TDS 7.4 (MS-TDS) for real drivers to log in and read over a socket.

Statements are answered from tables of this process, as far as the extractors' own go: what they ask for is found in the
text, brackets and all. Errors are told as SQL Server tells them, with number, class and state.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

_PRELOGIN, _LOGIN, _BATCH, _ATTENTION, _RESPONSE = 18, 16, 1, 6, 4
_COLLATION = bytes.fromhex("0904d00034")
_SIZE = 4000


@dataclass(frozen=True)
class SqlError:
    """What the server says instead of an answer; it then ends the session where ``fatal``."""

    number: int
    text: str
    severity: int = 14
    fatal: bool = False


@dataclass
class TdsServer:
    """``tables``: name -> (column names, rows). ``statements`` has all that was asked, ``logins`` each login's facts.

    errors_at_login
        Taken one a login; None lets one in.
    before_answer
        Called with each statement; what it returns instead of None (an error, or "drop") is the answer.
    """

    tables: dict[str, tuple[list[str], list[tuple[Any, ...]]]] = field(default_factory=dict)
    schema: str = "dbo"
    snapshots: bool = True
    now: datetime = field(default_factory=lambda: datetime.fromisoformat("2026-11-20T13:00:00.1234567"[:26]))
    statements: list[str] = field(default_factory=list)
    logins: list[dict[str, Any]] = field(default_factory=list)
    errors_at_login: list[SqlError | None] = field(default_factory=list)
    before_answer: Callable[[str], SqlError | str | None] = lambda statement: None
    rows_before: dict[int, str] = field(default_factory=dict)
    port: int = 0

    def url(self, password: str = "pass-of-reader") -> str:
        return f"mssql+pymssql://reader:{password}@127.0.0.1:{self.port}/cases?encryption=off"


@contextmanager
def serving_tds(**facts: Any) -> Iterator[TdsServer]:
    """A server on a free port of this machine, for as long as the block runs."""
    server = TdsServer(**facts)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.port = listener.getsockname()[1]
        threading.Thread(target=_accept, args=(server, listener), daemon=True).start()
        try:
            yield server
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _accept(server: TdsServer, listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_talk, args=(server, client), daemon=True).start()


def _talk(server: TdsServer, client: socket.socket) -> None:
    with contextlib.suppress(OSError, EOFError), client:
        while True:
            kind, body = _message(client)
            if kind == _PRELOGIN:
                _send(client, _prelogin())
            elif kind == _LOGIN:
                server.logins.append(_login(body))
                error = server.errors_at_login.pop(0) if server.errors_at_login else None
                if error is not None:
                    _send(client, _error(error) + _done(error=True))
                    return
                _send(client, _logged_in())
            elif kind == _BATCH:
                total = struct.unpack_from("<I", body)[0]
                statement = body[total:].decode("utf-16-le")
                server.statements.append(statement)
                told = server.before_answer(statement)
                if told == "drop":
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                if isinstance(told, SqlError):
                    _send(client, _error(told) + _done(error=True))
                    if told.fatal:
                        return
                    continue
                _answer(server, client, statement)
            elif kind == _ATTENTION:
                _send(client, _done(attention=True))
            else:
                return


def _answer(server: TdsServer, client: socket.socket, statement: str) -> None:
    """Rows of the first query that a statement holds; nothing of those that hold none."""
    columns, rows = _result(server, statement)
    if columns is None:
        _send(client, _done())
        return
    kinds = [_kind([row[place] for row in rows]) for place in range(len(columns))]
    body = bytearray(b"\x81" + struct.pack("<H", len(columns)))
    for name, kind in zip(columns, kinds, strict=True):
        body += struct.pack("<IH", 0, 0x0009) + _TYPES[kind][0] + bytes([len(name)]) + name.encode("utf-16-le")
    number = 0
    for number, row in enumerate(rows, start=1):
        if (what := server.rows_before.get(number)) and len(rows) > 1:
            _send_part(client, bytes(body))
            body.clear()
            if what == "drop":
                del server.rows_before[number]
                raise EOFError
            time.sleep(float(what))
        body += b"\xd1" + b"".join(_TYPES[kind][1](value) for kind, value in zip(kinds, row, strict=True))
        if len(body) > 100_000:
            _send_part(client, bytes(body))
            body.clear()
    _send(client, bytes(body) + _done(rows=number))


def _result(server: TdsServer, statement: str) -> tuple[list[str] | None, list[tuple[Any, ...]]]:
    text = " ".join(statement.split())
    if re.search(r"@@version", text, re.IGNORECASE):
        return ["v"], [("Microsoft SQL Azure (RTM) - 12.0.2000.8 \n\tNov 20 2026",)]
    if re.search(r"schema_name\(\)", text, re.IGNORECASE):
        return ["s"], [(server.schema,)]
    if "SYSUTCDATETIME()" in text:
        return ["now"], [(server.now,)]
    if "snapshot_isolation_state" in text:
        return ["snapshot_isolation_state"], [(int(server.snapshots),)]
    if "INFORMATION_SCHEMA" in text:
        asked = re.findall(r"= N?'([^']*)'", text)
        found = [(server.schema, table, name) for table, (names, _) in server.tables.items() for name in names]
        wanted = [row for row in found if row[1].lower() in asked and row[0].lower() in asked]
        return ["TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME"], wanted
    table = re.search(r"FROM \[\w+\]\.\[([^\]]+)\]", text)
    if table is None or table[1] not in server.tables:
        return (["x"], [("2",)]) if text.upper().startswith("SELECT") else (None, [])
    names, rows = server.tables[table[1]]
    if "GROUP BY" in text:
        *_, column = re.findall(r"\.\[([^\]]+)\]", text.partition("GROUP BY")[2])
        return [column, "count_1"], list(Counter(row[names.index(column)] for row in rows).items())
    if "count(*)" in text:
        return ["count_1"], [(len(rows),)]
    chosen = [names.index(name) for name in re.findall(r"\.\[([^\]]+)\] AS \[", text)]
    labels = re.findall(r" AS \[([^\]]+)\]", text)
    if after := re.search(r"\] > N?'?([^' ]+)'?", text):
        rows = [row for row in rows if row[chosen[0]] > type(row[chosen[0]])(after[1])]
    if "ORDER BY" in text:
        rows = sorted(rows, key=lambda row: row[chosen[0]])
    return labels, [tuple(row[place] for place in chosen) for row in rows]


# ---- the protocol ---------------------------------------------------------------------------------------------------


def _message(client: socket.socket) -> tuple[int, bytes]:
    body, kind = b"", 0
    while True:
        kind, status, length = struct.unpack("!BBH", _exactly(client, 8)[:4])
        body += _exactly(client, length - 8)
        if status & 1:
            return kind, body


def _exactly(client: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        more = client.recv(length - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def _send(client: socket.socket, body: bytes) -> None:
    _send_part(client, body, last=True)


def _send_part(client: socket.socket, body: bytes, *, last: bool = False) -> None:
    pieces = [body[place : place + _SIZE] for place in range(0, len(body), _SIZE)] or [b""]
    packets = bytearray()
    for number, piece in enumerate(pieces, start=1):
        status = 1 if last and number == len(pieces) else 0
        packets += struct.pack("!BBHHBB", _RESPONSE, status, len(piece) + 8, 0, number % 256, 0) + piece
    client.sendall(packets)


def _prelogin() -> bytes:
    # Version, and that encryption is not supported (2).
    options = struct.pack("!BHH", 0, 11, 6) + struct.pack("!BHH", 1, 17, 1) + b"\xff"
    return options + struct.pack("!BBHH", 12, 0, 2000, 0) + b"\x02"


def _login(body: bytes) -> dict[str, Any]:
    def text(place: int, hidden: bool = False) -> str:
        offset, length = struct.unpack_from("<HH", body, place)
        raw = body[offset : offset + 2 * length]
        if hidden:
            raw = bytes(((one ^ 0xA5) << 4 & 0xF0) | ((one ^ 0xA5) >> 4) for one in raw)
        return raw.decode("utf-16-le")

    return {
        "read_only": bool(body[26] & 0x20),
        "user": text(40),
        "password": text(44, hidden=True),
        "application": text(48),
        "database": text(68),
    }


def _logged_in() -> bytes:
    name = "Microsoft SQL Server"
    ack = b"\x01" + bytes.fromhex("74000004") + bytes([len(name)]) + name.encode("utf-16-le") + bytes([12, 0, 7, 208])
    size = b"\x04" + b"\x04" + "4096".encode("utf-16-le") + b"\x04" + "4096".encode("utf-16-le")
    database = b"\x01" + b"\x05" + "cases".encode("utf-16-le") + b"\x06" + "master".encode("utf-16-le")
    collation = b"\x07\x05" + _COLLATION + b"\x00"
    changes = b"".join(b"\xe3" + struct.pack("<H", len(one)) + one for one in (database, collation, size))
    return changes + b"\xad" + struct.pack("<H", len(ack)) + ack + _done()


def _error(error: SqlError) -> bytes:
    text = error.text.encode("utf-16-le")
    server = "tds"
    body = struct.pack("<iBB", error.number, 1, error.severity) + struct.pack("<H", len(error.text)) + text
    body += bytes([len(server)]) + server.encode("utf-16-le") + b"\x00" + struct.pack("<I", 1)
    return b"\xaa" + struct.pack("<H", len(body)) + body


def _done(*, rows: int | None = None, error: bool = False, attention: bool = False) -> bytes:
    status = (0x10 if rows is not None else 0) | (0x02 if error else 0) | (0x20 if attention else 0)
    return b"\xfd" + struct.pack("<HHQ", status, 0xC1, rows or 0)


def _kind(values: list[Any]) -> str:
    held = [value for value in values if value is not None]
    if not held:
        return "str"
    for kind in (bool, int, Decimal, float, datetime, date, bytes):
        if all(isinstance(value, kind) for value in held):
            return kind.__name__
    return "str"


def _sized(pack: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    """A value behind its length in one byte; NULL is no length."""
    return lambda value: b"\x00" if value is None else (bytes([len(pack(value))]) + pack(value))


def _decimal(value: Decimal) -> bytes:
    scaled = int(abs(value).scaleb(4).to_integral_exact())
    return bytes([0 if value < 0 else 1]) + scaled.to_bytes(16, "little")


def _days(value: date) -> bytes:
    return (value.toordinal() - 1).to_bytes(3, "little")


def _moment(value: datetime) -> bytes:
    seconds = value.hour * 3600 + value.minute * 60 + value.second
    return (seconds * 10**7 + value.microsecond * 10).to_bytes(5, "little") + _days(value.date())


def _plp(raw: bytes) -> bytes:
    """A value of nvarchar(max): its length, and one chunk."""
    return struct.pack("<Q", len(raw)) + (struct.pack("<I", len(raw)) + raw if raw else b"") + struct.pack("<I", 0)


def _text(value: Any) -> bytes:
    return b"\xff" * 8 if value is None else _plp(str(value).encode("utf-16-le", "surrogatepass"))


def _binary(value: Any) -> bytes:
    return b"\xff\xff" if value is None else struct.pack("<H", len(value)) + value


_TYPES: dict[str, tuple[bytes, Callable[[Any], bytes]]] = {
    "bool": (b"\x68\x01", _sized(lambda value: bytes([value]))),
    "int": (b"\x26\x08", _sized(lambda value: struct.pack("<q", value))),
    "Decimal": (b"\x6a\x11\x26\x04", _sized(_decimal)),
    "float": (b"\x6d\x08", _sized(lambda value: struct.pack("<d", value))),
    "date": (b"\x28", _sized(_days)),
    "datetime": (b"\x2a\x07", _sized(_moment)),
    "bytes": (b"\xa5" + struct.pack("<H", 8000), _binary),
    "str": (b"\xe7\xff\xff" + _COLLATION, _text),
}
