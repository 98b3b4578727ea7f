"""The CRM itself: everything that can be done to it, whoever does it (its own life, a test, a control request)."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping

from orchestration.demo.crm.catalogue import Property, catalogue
from orchestration.demo.crm.formats import iso
from orchestration.demo.crm.kinds import KINDS
from orchestration.demo.crm.records import Owner, Pipeline, Record

# The order in which a merge prefers lifecycle stages: the one furthest down wins.
FUNNEL = (
    "subscriber",
    "lead",
    "marketingqualifiedlead",
    "salesqualifiedlead",
    "opportunity",
    "customer",
    "evangelist",
)


class Crm:
    """One portal's objects. Ids are whole numbers; instants are milliseconds and may not run backwards per record.

    merged_are_archived
        Whether the losers of a merge show among the archived records or nowhere at all.
    """

    def __init__(self, *, merged_are_archived: bool = False) -> None:
        self.records: dict[str, dict[int, Record]] = {kind: {} for kind in KINDS}
        self.properties: dict[str, dict[str, Property]] = {kind: catalogue(kind) for kind in KINDS}
        self.pipelines: dict[str, list[Pipeline]] = {"deals": [], "tickets": []}
        self.owners: dict[int, Owner] = {}
        self.versions: dict[str, int] = dict.fromkeys(KINDS, 0)
        self.merged_are_archived = merged_are_archived
        self._links: dict[tuple[str, str], dict[int, dict[int, tuple[str, ...]]]] = {}
        self._made: dict[str, int] = dict.fromkeys(KINDS, 0)
        self._order: dict[tuple[str, bool], list[int]] = {(kind, gone): [] for kind in KINDS for gone in (False, True)}

    # Records

    def create(self, kind: str, at: int, properties: Mapping[str, object], record_id: int | None = None) -> Record:
        """Add a record; values that are None are left out, others become text.

        Raises ValueError where the id is taken.
        """
        facts = KINDS[kind]
        record_id = self._new_id(kind) if record_id is None else record_id
        if record_id in self.records[kind]:
            raise ValueError(f"{kind} {record_id} exists")
        values = {name: str(value) for name, value in properties.items() if value is not None}
        values |= {facts.created: iso(at), facts.modified: iso(at), "hs_object_id": str(record_id)}
        record = self.records[kind][record_id] = Record(facts, record_id, at, at, values)
        insort(self._order[kind, False], record_id)
        self.versions[kind] += 1
        return record

    def change(self, record: Record, at: int, **properties: object) -> None:
        """Set properties, or clear those given as None, and move the modification date."""
        for name, value in properties.items():
            record.put(name, None if value is None else str(value), at)
        record.touch(at)
        self.versions[record.kind.plural] += 1

    def archive(self, record: Record, at: int) -> None:
        """Put a record into the recycle bin; its modification date stays as it was."""
        if record.live:
            record.archived_at = at
            self._move(record, gone=True)

    def restore(self, record: Record, at: int, *, touch: bool = True) -> None:
        """Bring an archived record back, with or without a new modification date."""
        if record.archived_at is None or record.merged_into is not None:
            return
        record.archived_at, record.restored_at = None, at
        self._move(record, gone=False)
        if touch:
            record.touch(at)

    def purge(self, record: Record) -> None:
        """Delete for good: nothing tells of the record any more."""
        kind = record.kind.plural
        for gone in (False, True):
            self._drop(self._order[kind, gone], record.id)
        del self.records[kind][record.id]
        for (one, other), links in self._links.items():
            if one == kind:
                for linked in links.pop(record.id, {}):
                    self._links[other, one][linked].pop(record.id, None)
        self.versions[kind] += 1

    def empty_bin(self, before: int) -> None:
        """Purge what was archived before an instant; merged records keep leading to their winner."""
        for kind, records in self.records.items():
            for number in [*self._order[kind, True]]:
                record = records[number]
                if record.merged_into is None and (record.archived_at or 0) < before:
                    self.purge(record)

    def merge(self, winner: Record, losers: Iterable[Record], at: int, *, new_record: bool = False) -> Record:
        """Merge live records of one kind; the result is ``winner`` or, as newer merges do, a record of its own.

        The result keeps the winner's values, fills its gaps from the losers, takes the oldest creation date and the
        lifecycle stage furthest down the funnel. Gives the result.
        """
        losers = list(losers)
        kind = winner.kind.plural
        if new_record:
            losers = [winner, *losers]
            winner = self.create(kind, at, {})
        merged = [*_ids(winner.get("hs_merged_object_ids"))]
        vids = [*filter(None, (winner.get("hs_calculated_merged_vids") or "").split(";"))]
        for loser in losers:
            merged += [str(loser.id), *_ids(loser.get("hs_merged_object_ids"))]
            vids.append(f"{loser.id}:{at}")
            self._absorb(winner, loser, at)
        winner.put("hs_merged_object_ids", ";".join(merged), at)
        if kind == "contacts":
            # Direct losers only: what they had swallowed before stands in hs_merged_object_ids alone.
            winner.put("hs_calculated_merged_vids", ";".join(vids), at)
        winner.touch(at)
        self.versions[kind] += 1
        return winner

    def find(self, kind: str, record_id: int) -> Record | None:
        """The record behind an id, following merges to the winner; None where there is none."""
        record = self.records[kind].get(record_id)
        while record is not None and record.merged_into is not None:
            record = self.records[kind].get(record.merged_into)
        return record

    def live(self, kind: str) -> list[Record]:
        """Records that are neither archived nor merged away, by id."""
        return [self.records[kind][record_id] for record_id in self._order[kind, False]]

    def page(self, kind: str, *, archived: bool, after: int, limit: int) -> tuple[list[Record], bool]:
        """Records with ids above ``after`` in order, and whether there are more."""
        order = self._order[kind, archived]
        start = bisect_right(order, after)
        ids = order[start : start + limit]
        return [self.records[kind][record_id] for record_id in ids], start + limit < len(order)

    def count(self, kind: str, *, archived: bool = False) -> int:
        return len(self._order[kind, archived])

    def ids(self, kind: str, *, archived: bool = False) -> list[int]:
        return self._order[kind, archived]

    # Associations

    def link(self, one: Record, other: Record, *labels: str) -> None:
        """Associate two records; labels (``Primary`` or the portal's own) are kept beside the plain association."""
        a, b = one.kind.plural, other.kind.plural
        for key, left, right in (((a, b), one, other), ((b, a), other, one)):
            of_left = self._links.setdefault(key, {}).setdefault(left.id, {})
            of_left[right.id] = tuple(dict.fromkeys((*of_left.get(right.id, ()), *labels)))

    def links(self, kind: str, record_id: int, other: str) -> dict[int, tuple[str, ...]]:
        """Ids of live records of another kind associated with a record, in order, with their labels."""
        linked = self._links.get((kind, other), {}).get(record_id, {})
        records = self.records[other]
        return {number: linked[number] for number in sorted(linked) if records[number].live}

    # Pipelines

    def pipeline(self, kind: str, pipeline_id: str | None) -> Pipeline | None:
        return next((pipeline for pipeline in self.pipelines[kind] if pipeline.id == pipeline_id), None)

    # Inside

    def _absorb(self, winner: Record, loser: Record, at: int) -> None:
        kind = winner.kind
        for name, value in loser.properties.items():
            if name not in winner.properties and not name.startswith(("hs_merged", "hs_calculated_merged")):
                winner.put(name, value, at)
        if loser.created < winner.created:
            winner.created = loser.created
            winner.put(kind.created, loser.properties[kind.created], at)
        stages = [stage for stage in (winner.get("lifecyclestage"), loser.get("lifecyclestage")) if stage in FUNNEL]
        if len(stages) == 2:
            winner.put("lifecyclestage", max(stages, key=FUNNEL.index), at)
        if kind.plural == "contacts" and loser.get("email") not in (None, winner.get("email")):
            others = winner.get("hs_additional_emails")
            winner.put("hs_additional_emails", ";".join(filter(None, (others, loser.get("email")))), at)
        for (one, other), links in list(self._links.items()):
            if one == kind.plural:
                for linked, labels in links.get(loser.id, {}).items():
                    self.link(winner, self.records[other][linked], *labels)
        loser.merged_into, loser.merged_at = winner.id, at
        if self.merged_are_archived:
            loser.archived_at = at
        self._move(loser, gone=self.merged_are_archived, seen=self.merged_are_archived)

    def _move(self, record: Record, *, gone: bool, seen: bool = True) -> None:
        kind = record.kind.plural
        for state in (False, True):
            self._drop(self._order[kind, state], record.id)
        if seen:
            insort(self._order[kind, gone], record.id)
        self.versions[kind] += 1

    @staticmethod
    def _drop(order: list[int], record_id: int) -> None:
        index = bisect_right(order, record_id) - 1
        if index >= 0 and order[index] == record_id:
            del order[index]

    def _new_id(self, kind: str) -> int:
        """Ids grow, and so does their number of digits: as text they sort differently than as numbers."""
        self._made[kind] += 1
        made = self._made[kind]
        if made <= 160:
            return 51 * made + made % 7
        return 60_000_000 + (made - 160) ** 2 * 47_717 + made * 9_901


def _ids(text: str | None) -> list[str]:
    return [part for part in (text or "").split(";") if part]
