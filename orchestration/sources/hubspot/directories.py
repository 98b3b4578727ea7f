"""What describes a portal and is short enough to be read whole every night: owners and pipelines."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any

from orchestration.sources.core.instants import parse_iso
from orchestration.sources.core.paging import cursor_pages
from orchestration.sources.core.records import Extract, Record
from orchestration.sources.hubspot.api import PortalApi, Row
from orchestration.sources.hubspot.faults import Forbidden, lost_hint
from orchestration.sources.hubspot.streams import OwnerStream, PipelineStream

KNOWN = "pipelines"
READ_AT = "read_at"


def read_owners(api: PortalApi, stream: OwnerStream) -> Extract:
    """All users that own records; those who left are marked as deleted and keep their names."""
    extract = Extract(records=(), mode="full")
    here = 0

    def listed(archived: bool) -> Iterator[Record]:
        def fetch(after: str | None) -> tuple[list[Row], str | None]:
            nonlocal here
            page = api.owners(after=after, archived=archived)
            here += page.live
            return page.rows, page.after

        for rows in cursor_pages(fetch, what="list of owners who left" if archived else "list of owners"):
            for row in rows:
                yield Record(_text(row.get("id")), row, parse_iso(row.get("updatedAt")), deleted=archived)

    def records() -> Iterator[Record]:
        yield from listed(archived=False)
        yield from listed(archived=True)
        if here:
            extract.notes.append(
                f"{here} owners in the list of those who left are not archived, as they say: not taken as deleted"
            )
        extract.state[READ_AT] = api.clock.isoformat(timespec="seconds") if api.clock else ""

    extract.records = records()
    return extract


def read_pipelines(
    api: PortalApi, stream: PipelineStream, state: Mapping[str, Any], skipped: Container[str] = ()
) -> Extract:
    """All pipelines with their stages: key ``<kind>/<id>``, for ids are unique within a kind only.

    A pipeline that is gone is named as deleted: of two or three, one is too many for a share to be believed. Those of
    kinds that are ``skipped`` stay as they are.
    """
    kinds = [kind for kind in stream.kinds if kind not in skipped]
    extract = Extract(records=(), mode="full" if len(kinds) == len(stream.kinds) else "incremental")
    before: dict[str, list[str]] = dict(state.get(KNOWN) or {})
    read: dict[str, list[Row]] = {}
    refusal: Forbidden | None = None
    for kind in kinds:
        try:
            read[kind] = api.pipelines(kind).rows
        except Forbidden as error:
            if kind in before:
                error.hint = lost_hint(kind)
                raise
            refusal = error
            extract.notes.append(f"without the pipelines of {kind}: they take {error.missing}")
    if refusal is not None and not read:
        raise refusal
    records = []
    for kind, rows in read.items():
        keys = [f"{kind}/{_text(row.get('id'))}" for row in rows]
        records += [
            Record(key, {"objectType": kind, **row}, parse_iso(row.get("updatedAt")))
            for key, row in zip(keys, rows, strict=True)
        ]
        if before.get(kind) and not keys:
            # Not believed: the last pipeline of a kind can't be removed.
            extract.mode = "incremental"
            extract.notes.append(f"HubSpot lists no pipelines of {kind} any more: those known were kept")
        gone = [key for key in before.get(kind, []) if key not in keys] if keys else []
        records += [Record(key, None, api.clock, deleted=True) for key in gone]
    extract.records = records
    if api.clock is not None:
        extract.state[READ_AT] = api.clock.isoformat(timespec="seconds")
    extract.state[KNOWN] = {kind: keys for kind, keys in before.items() if kind not in kinds} | {
        kind: [record.record_id for record in records if not record.deleted and record.record_id.startswith(f"{kind}/")]
        or before.get(kind, [])
        for kind in read
    }
    return extract


def _text(value: object) -> str:
    return "" if value is None else str(value)
