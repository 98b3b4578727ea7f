"""The search endpoint: an index that lags behind, compares ids as text and ends at 10,000 results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from hashlib import blake2b

import msgspec

from orchestration.demo.crm.catalogue import Property
from orchestration.demo.crm.kinds import Kind
from orchestration.demo.hubspot.account import Account
from orchestration.demo.hubspot.asking import Call
from orchestration.demo.hubspot.comparing import Key, compare_key
from orchestration.demo.hubspot.errors import invalid
from orchestration.demo.hubspot.rendering import Wanted

LIMIT_DEFAULT, LIMIT_MOST = 10, 200
CEILING = 10_000
GROUPS, FILTERS, FILTERS_IN_ALL, QUERY_LENGTH = 5, 6, 18, 3000

Values = Mapping[str, str]
Test = Callable[[Values], bool]


def search(account: Account, call: Call) -> tuple[int, dict]:
    """A page of what a query finds: no archived records, no associations."""
    kind, body = call.kind(), call.json()
    limit, offset = _window(body)
    shape = account.page_begins(kind.plural)
    found = _find(account, kind, body)
    page = found[offset : offset + (limit if shape is None else max(1, min(shape, limit)))]
    wanted = Wanted(account.crm, kind, body.get("properties"))
    records = account.crm.records[kind.plural]
    # What was purged since the index was made is not there to be shown.
    results = [wanted.shown(records[number], account.raw, values) for number, values in page if number in records]
    answer: dict[str, object] = {"total": len(found), "results": results}
    if offset + len(page) < len(found):
        answer["paging"] = {"next": {"after": str(offset + len(page))}}
    return 200, answer


def _find(account: Account, kind: Kind, body: dict) -> list[tuple[int, Values]]:
    """Everything a query finds, in its order; kept, so that the later pages of a query cost nothing."""
    seen_at = account.now - account.search_lag_ms
    asked = {name: body.get(name) for name in ("filterGroups", "filters", "sorts", "query")}
    query = msgspec.json.encode(asked, order="deterministic")
    key = (kind.plural, account.crm.versions[kind.plural], seen_at, query)
    if key not in account.found:
        if len(account.found) >= 8:
            account.found.clear()
        account.found[key] = _run(account, kind, body, seen_at)
    return account.found[key]


def _window(body: dict) -> tuple[int, int]:
    limit, after = body.get("limit", LIMIT_DEFAULT), str(body.get("after") or "0")
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= LIMIT_MOST:
        raise invalid(f"Search limit has to be between 1 and {LIMIT_MOST}: {limit}")
    if not (after.isascii() and after.isdigit()):
        raise invalid(f"Invalid after: {after}")
    if int(after) + limit > CEILING:
        raise invalid(f"The search endpoint pages through at most {CEILING} results: after {after}, limit {limit}")
    return limit, int(after)


def _run(account: Account, kind: Kind, body: dict, seen_at: int) -> list[tuple[int, Values]]:
    known = account.crm.properties[kind.plural]
    matches = _matcher(body, known, account.portal.numeric_ids)
    indexed = ((record.id, record.as_of(seen_at)) for record in account.crm.records[kind.plural].values())
    found: list[tuple[int, Values]] = [
        (number, values) for number, values in indexed if values is not None and matches(values)
    ]
    name, descending = _sort(body, kind, known)
    key_of = compare_key(known[name], account.portal.numeric_ids)

    def position(entry: tuple[int, Values]) -> tuple[Key, bytes]:
        number, values = entry
        # Equal keys come in an order of the index's own, not by id.
        return key_of(values[name]), blake2b(str(number).encode(), digest_size=8).digest()

    with_key = sorted((entry for entry in found if name in entry[1]), key=position, reverse=descending)
    return with_key + [entry for entry in found if name not in entry[1]]


def _sort(body: dict, kind: Kind, known: Mapping[str, Property]) -> tuple[str, bool]:
    sorts = body.get("sorts") or []
    if not isinstance(sorts, list) or len(sorts) > 1:
        raise invalid("Only one sort is allowed")
    if not sorts:
        return kind.created, False
    sort = sorts[0]
    if isinstance(sort, str):
        name, descending = sort.lstrip("-"), sort.startswith("-")
    else:
        name, descending = str(sort.get("propertyName")), sort.get("direction") == "DESCENDING"
    _check_known(name, known)
    return name, descending


def _matcher(body: dict, known: Mapping[str, Property], numeric_ids: bool) -> Test:
    groups = body.get("filterGroups") or []
    if body.get("filters"):
        groups = [*groups, {"filters": body["filters"]}]
    filters = [group.get("filters") or [] for group in groups]
    if len(groups) > GROUPS or any(len(group) > FILTERS for group in filters):
        raise invalid(f"At most {GROUPS} filterGroups with {FILTERS} filters each are allowed")
    if sum(map(len, filters)) > FILTERS_IN_ALL:
        raise invalid(f"At most {FILTERS_IN_ALL} filters are allowed in all")
    tests = [[_test(one, known, numeric_ids) for one in group] for group in filters]
    query = str(body.get("query") or "").casefold()
    if len(query) > QUERY_LENGTH:
        raise invalid(f"A query may have at most {QUERY_LENGTH} characters")
    texts = [name for name, facts in known.items() if facts.type == "string"]

    def matches(values: Values) -> bool:
        if tests and not any(all(test(values) for test in group) for group in tests):
            return False
        return not query or any(query in values[name].casefold() for name in texts if name in values)

    return matches


def _test(one: dict, known: Mapping[str, Property], numeric_ids: bool) -> Test:
    name, operator = str(one.get("propertyName")), one.get("operator")
    _check_known(name, known)
    key_of = compare_key(known[name], numeric_ids)
    if operator == "HAS_PROPERTY":
        return lambda values: name in values
    if operator == "NOT_HAS_PROPERTY":
        return lambda values: name not in values
    if operator in ("IN", "NOT_IN"):
        listed = {key_of(str(value)) for value in one.get("values") or ()}
        if not listed:
            raise invalid(f"{operator} needs values")
        return lambda values: name in values and (key_of(values[name]) in listed) == (operator == "IN")
    value = one.get("value")
    if value is None:
        raise invalid(f"operator {operator} requires a value")
    if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        pattern = str(value).casefold()
        return lambda values: (
            any(fnmatchcase(token, pattern) for token in values.get(name, "").casefold().replace("@", " @").split())
            == (operator == "CONTAINS_TOKEN")
        )
    low = key_of(str(value))
    if operator == "BETWEEN":
        high = key_of(str(one.get("highValue")))
        return lambda values: name in values and low <= key_of(values[name]) <= high
    compare: dict[str, Callable[[Key], bool]] = {
        "EQ": lambda key: key == low,
        "NEQ": lambda key: key != low,
        "LT": lambda key: key < low,
        "LTE": lambda key: key <= low,
        "GT": lambda key: key > low,
        "GTE": lambda key: key >= low,
    }
    if operator not in compare:
        raise invalid(f"Unknown operator: {operator}")
    holds = compare[str(operator)]
    return lambda values: name in values and holds(key_of(values[name]))


def _check_known(name: str, known: Mapping[str, Property]) -> None:
    if name not in known:
        detail = {"message": f'Property "{name}" does not exist', "context": {"propertyName": [name]}}
        raise invalid("There was a problem with the request.", errors=[detail])
