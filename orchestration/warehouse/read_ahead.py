"""Records read in a thread of their own while those before them are written: a source is not kept waiting."""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from orchestration.sources.core.records import Record

_CHUNK = 100
# What may be read and not yet taken: so many chunks, and about so many bytes of answers.
MOST_CHUNKS = 8
MOST_BYTES = 8 * 2**20


class ReadAhead:
    """Iterates ``records`` in another thread, a bounded number ahead; what that raises is raised here, in its place.

    Still one thread at a time asks the source: nobody else may until the block has ended, which waits for the request
    that is under way. ``received_bytes`` says how much the source has sent so far.
    """

    def __init__(self, records: Iterator[Record], received_bytes: Callable[[], int] = lambda: 0) -> None:
        self._records = records
        self._received_bytes = received_bytes
        self._changed = threading.Condition()
        self._chunks: deque[tuple[list[Record], int]] = deque()
        self._taken_bytes = received_bytes()
        self._ended = False
        self._unwanted = False
        self._error: BaseException | None = None
        run = contextvars.copy_context().run
        self._thread = threading.Thread(target=run, args=(self._read,), name="read ahead", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._unwanted = True
            self._changed.notify()
        self._thread.join()

    def __iter__(self) -> Iterator[Record]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._chunks or self._ended)
                if not self._chunks:
                    break
                chunk, self._taken_bytes = self._chunks.popleft()
                self._changed.notify()
            yield from chunk
        if self._error is not None:
            raise self._error

    def _read(self) -> None:
        try:
            chunk: list[Record] = []
            for record in self._records:
                chunk.append(record)
                if len(chunk) == _CHUNK:
                    if not self._put(chunk):
                        return
                    chunk = []
            if chunk:
                self._put(chunk)
        except BaseException as error:  # noqa: BLE001 - raised again where the records are wanted
            # What came before it counts for no more: the load fails.
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify()

    def _put(self, chunk: list[Record]) -> bool:
        """Add a chunk once there is room; whether anybody wants it."""
        with self._changed:
            self._chunks.append((chunk, self._received_bytes()))
            self._changed.notify()
            self._changed.wait_for(self._has_room)
            return not self._unwanted

    def _has_room(self) -> bool:
        if self._unwanted or not self._chunks:
            return True
        return len(self._chunks) < MOST_CHUNKS and self._received_bytes() - self._taken_bytes < MOST_BYTES
