"""Associations of records, asked in batches by the API's version 4.

Lists could give associations too, but in a form of their own, without the labels, cut off after some and not at all in
searches: one form, whichever way a record was read, keeps a record that did not change from looking changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestration.sources.core.paging import LoopGuard
from orchestration.sources.hubspot.api import ASSOCIATION_BATCH, PortalApi, Row
from orchestration.sources.hubspot.faults import Forbidden, Refused, lost_hint, objects

# Records wait in memory for their associations: this many, or as many as took this many bytes to send.
WAITING_BYTES = 8 * 2**20


@dataclass
class Associator:
    """Adds associations with the ``others`` to records of one kind.

    kept
        Those of the others that were read before: losing one of them is an error, while one that could never be had
        is left out with a note.
    """

    api: PortalApi
    kind: str
    others: tuple[str, ...]
    kept: frozenset[str]
    notes: list[str]
    answered: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    @property
    def read(self) -> list[str]:
        """Object types whose associations could be had, now or before: a night without records asks for none."""
        return [other for other in self.others if other in self.kept or other in self.answered]

    def added(self, pages: Iterable[tuple[Sequence[Row], int]]) -> Iterator[Row]:
        """The rows of all pages (rows, bytes), each with what it is associated with under ``associations``."""
        waiting: list[Row] = []
        waiting_bytes = 0
        for rows, size in pages:
            if not self.others:
                yield from rows
                continue
            if waiting and (len(waiting) + len(rows) > ASSOCIATION_BATCH or waiting_bytes + size > WAITING_BYTES):
                yield from self._associated(waiting)
                waiting, waiting_bytes = [], 0
            waiting += rows
            waiting_bytes += size
        if waiting:
            yield from self._associated(waiting)

    def _associated(self, rows: list[Row]) -> list[Row]:
        ids = list(dict.fromkeys(str(row["id"]) for row in rows if row.get("id")))
        linked: dict[str, dict[str, list[Row]]] = {one: {} for one in ids}
        for other in self.others if ids else ():
            if other in self.refused:
                continue
            try:
                for one, links in self._links(other, ids).items():
                    linked.setdefault(one, {})[other] = links
                self.answered.add(other)
            except (Forbidden, Refused) as error:
                if other in self.kept:
                    error.hint = lost_hint(other)
                    raise
                self.refused.add(other)
                self.notes.append(f"without associations with {other}: {error.message}")
        for row in rows:
            row["associations"] = linked.get(str(row.get("id")), {})
        return rows

    def _links(self, other: str, ids: list[str]) -> dict[str, list[Row]]:
        """Associations with records of one other kind, by id; those who have none are not among the keys."""
        found: dict[str, dict[str, Row]] = {}
        guard = LoopGuard(f"associations of {self.kind} with {other}")
        asking: list[dict[str, str]] = [{"id": one} for one in ids]
        while asking:
            batch, asking = asking[:ASSOCIATION_BATCH], asking[ASSOCIATION_BATCH:]
            for row in self.api.associations(self.kind, other, batch).rows:
                one = str(_member(row.get("from")).get("id"))
                links = found.setdefault(one, {})
                links |= {link["id"]: link for link in map(_link, objects(row.get("to")))}
                after = _member(_member(row.get("paging")).get("next")).get("after")
                if after is not None and after != "":
                    guard.see((one, str(after)))
                    asking.append({"id": one, "after": str(after)})
        return {one: [links[key] for key in sorted(links, key=_by_number)] for one, links in found.items()}


def _link(link: Mapping[str, Any]) -> Row:
    types = objects(link.get("associationTypes"))
    return {"id": str(link.get("toObjectId")), "types": sorted(types, key=_by_type)}


def _by_type(one: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(one.get("category")), str(one.get("typeId")), str(one.get("label"))


def _member(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _by_number(record_id: str) -> tuple[int, str]:
    return len(record_id), record_id
