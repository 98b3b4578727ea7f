"""Records set aside until they are known to be complete: in memory while few, else in a file without a name."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from typing import IO, Any

import msgspec

from orchestration.sources.core.decoding import decode_json

_IN_MEMORY = 16 * 1024 * 1024
_encoder = msgspec.json.Encoder(decimal_format="number")


class Spool:
    """Objects in the order they were added, to be read once they all are there.

    Holds the memory of one object. The file is readable by this process alone and gone with it. Values are what JSON
    knows, and Decimal, which keeps every digit.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, row: Mapping[str, Any]) -> None:
        """Set one object aside."""
        self._file.write(_encoder.encode(row) + b"\n")
        self._count += 1

    def drain(self) -> Iterator[dict[str, Any]]:
        """All objects; what held them is given back at the end."""
        try:
            self._file.seek(0)
            for line in self._file:
                yield decode_json(line)
        finally:
            self.close()

    def close(self) -> None:
        """Give back what holds the objects."""
        self._file.close()
