"""Associations as version 4 gives them: in batches of sources, or of one record."""

from __future__ import annotations

from orchestration.demo.crm.formats import iso
from orchestration.demo.crm.kinds import Kind
from orchestration.demo.hubspot.account import Account
from orchestration.demo.hubspot.asking import Call, record_id
from orchestration.demo.hubspot.errors import invalid, not_found
from orchestration.demo.hubspot.rendering import association_types, paging

BATCH_MOST = 1000
PAGE = 500


def batch_read_associations(account: Account, call: Call) -> tuple[int, dict]:
    """What up to 1000 records are associated with; one that has none stands among the errors (207)."""
    one, other = call.kind("from"), call.kind("to")
    inputs = call.json().get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(entry, dict) and "id" in entry for entry in inputs):
        raise invalid("Invalid input JSON: inputs must be a list of objects with an id")
    if len(inputs) > BATCH_MOST:
        raise invalid(f"Too many inputs: at most {BATCH_MOST} are allowed, {len(inputs)} were given")
    results, errors = [], []
    for entry in inputs:
        text, after = str(entry["id"]), record_id(str(entry.get("after") or "0"))
        found, following = _page(account, one, other, record_id(text), after, PAGE)
        if not found:
            errors.append(_none(one, other, text))
            continue
        result: dict[str, object] = {"from": {"id": text}, "to": found}
        if following is not None:
            path = f"/crm/v4/objects/{one.plural}/{text}/associations/{other.plural}"
            result["paging"] = paging(call.base_url, path, [], following)
        results.append(result)
    answer = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": iso(account.now),
        "completedAt": iso(account.now),
    }
    return (207, answer | {"numErrors": len(errors), "errors": errors}) if errors else (200, answer)


def list_associations(account: Account, call: Call) -> tuple[int, dict]:
    """What one record is associated with."""
    one, other = call.kind("from"), call.kind("to")
    number = record_id(call.parts["id"])
    record = account.crm.find(one.plural, number)
    if record is None:
        raise not_found()
    after = record_id(call.one("after") or "0")
    found, following = _page(account, one, other, record.id, after, call.limit(PAGE, PAGE))
    body: dict[str, object] = {"results": found}
    if following is not None:
        body["paging"] = paging(call.base_url, call.path, call.query, following)
    return 200, body


def _page(
    account: Account, one: Kind, other: Kind, number: int, after: int, limit: int
) -> tuple[list[dict], str | None]:
    record = account.crm.records[one.plural].get(number)
    if record is None or not record.live:
        return [], None
    links = account.crm.links(one.plural, number, other.plural)
    ids = [linked for linked in links if linked > after]
    found = [
        {"toObjectId": linked, "associationTypes": association_types(one.plural, other.plural, links[linked])}
        for linked in ids[:limit]
    ]
    return found, str(ids[limit - 1]) if len(ids) > limit else None


def _none(one: Kind, other: Kind, text: str) -> dict:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {other.singular} is associated with {one.singular} {text}.",
        "context": {"fromObjectId": [text], "fromObjectType": [one.singular], "toObjectType": [other.singular]},
    }
