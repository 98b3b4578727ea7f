"""Reading records: lists, single ones, batches."""

from __future__ import annotations

from orchestration.demo.crm.formats import iso
from orchestration.demo.crm.kinds import Kind
from orchestration.demo.crm.records import Record
from orchestration.demo.hubspot.account import Account
from orchestration.demo.hubspot.asking import HISTORY_LIMIT, Call, cursor, kind_named, read_cursor, record_id
from orchestration.demo.hubspot.errors import invalid, not_found
from orchestration.demo.hubspot.rendering import Wanted, paging

LIST_DEFAULT, LIST_MOST = 10, 100
BATCH_MOST = 100


def list_records(account: Account, call: Call) -> tuple[int, dict]:
    """A page of live or of archived records, by id."""
    kind = call.kind()
    history = call.names("propertiesWithHistory")
    limit = call.limit(LIST_DEFAULT, HISTORY_LIMIT if history else LIST_MOST)
    last, empties = read_cursor(call.one("after"))
    wanted = _wanted(account, call, kind, history)
    shape = account.page_begins(kind.plural)
    size = limit if shape is None else min(shape, limit)
    archived = account.archived_asked(call)
    records, more = account.crm.page(kind.plural, archived=archived, after=last, limit=size)
    body: dict[str, object] = {
        "results": [wanted.shown(record, account.raw, base_url=call.base_url) for record in records]
    }
    after = None
    if records and (more or shape is not None):
        after = cursor(records[-1].id)
    elif not records and shape is not None:
        after = cursor(last, empties + 1)
    if kind.plural in account.repeat_after:
        after = cursor(0, 1)
    if after is not None:
        body["paging"] = paging(call.base_url, call.path, call.query, after)
    return 200, body


def get_record(account: Account, call: Call) -> tuple[int, dict]:
    """One record by id, or by e-mail address; the id of a merged one gives the winner."""
    kind = call.kind()
    wanted = _wanted(account, call, kind, call.names("propertiesWithHistory"))
    record = _find(account, kind, call.parts["id"], call.one("idProperty"), archived=call.flag("archived"))
    if record is None:
        raise not_found()
    return 200, wanted.render(record, base_url=call.base_url)


def batch_read(account: Account, call: Call) -> tuple[int, dict]:
    """Up to 100 records by id; those there are, and an error for those that are not."""
    kind, body = call.kind(), call.json()
    inputs = body.get("inputs")
    history = body.get("propertiesWithHistory") or []
    most = HISTORY_LIMIT if history else BATCH_MOST
    if not isinstance(inputs, list) or not all(isinstance(one, dict) and "id" in one for one in inputs):
        raise invalid("Invalid input JSON: inputs must be a list of objects with an id")
    if len(inputs) > most:
        raise invalid(f"Too many inputs: at most {most} are allowed, {len(inputs)} were given")
    wanted = Wanted(account.crm, kind, body.get("properties"), history)
    found: dict[int, Record] = {}
    missing = []
    for one in inputs:
        text = str(one["id"])
        record = _find(account, kind, text, body.get("idProperty"), archived=account.archived_asked(call))
        if record is None:
            missing.append(text)
        else:
            found[record.id] = record
    answer: dict[str, object] = {
        "status": "COMPLETE",
        "results": [wanted.shown(record, account.raw) for record in found.values()],
        "startedAt": iso(account.now),
        "completedAt": iso(account.now),
    }
    if not missing:
        return 200, answer
    message = (
        f"Could not get some {kind.singular.upper()} objects, they may be deleted or not exist. "
        "Check that ids are valid."
    )
    error = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": message, "context": {"ids": missing}}
    return 207, answer | {"numErrors": 1, "errors": [error]}


def _wanted(account: Account, call: Call, kind: Kind, history: list[str]) -> Wanted:
    associations = [kind_named(name) for name in call.names("associations")]
    return Wanted(account.crm, kind, call.names("properties"), history, associations)


def _find(account: Account, kind: Kind, text: str, id_property: str | None, *, archived: bool) -> Record | None:
    crm = account.crm
    if id_property == "email":
        return next((record for record in crm.live(kind.plural) if record.get("email") == text), None)
    record = crm.find(kind.plural, record_id(text))
    return record if record is not None and (record.archived_at is not None) == archived else None
