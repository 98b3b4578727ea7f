"""Changes to a company's books on demand, dated at the world's instant: what a test needs to happen next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from orchestration.demo.books.documents import Books, Document, Name
from orchestration.demo.ledger import Ledger


def apply(ledger: Ledger, now: datetime, given: dict[str, Any]) -> dict[str, Any]:
    """Do what ``given["action"]`` says. They live in memory only: a restarted server has forgotten them.

    Raises ValueError or KeyError where the action, a record or a value doesn't exist.
    """
    actions: dict[str, Callable[[Books, int, dict[str, Any]], dict[str, Any]]] = {
        "touch": _touch,
        "amount": _amount,
        "date": _date,
        "delete": _delete,
        "rename": _rename,
        "inactivate": _inactivate,
        "add_names": _add_names,
    }
    action = actions.get(given.get("action", ""))
    if action is None:
        raise ValueError(f"action must be one of {', '.join(actions)}")
    return action(ledger.books, int(now.timestamp()), given)


def _touch(books: Books, instant: int, given: dict[str, Any]) -> dict[str, Any]:
    """Mark the first ``count`` documents of an entity as edited, their content unchanged."""
    documents = list(books.alive(given["entity"]))[: int(given.get("count", 1))]
    for document in documents:
        books.save(document, instant)
    return {"touched": len(documents)}


def _amount(books: Books, instant: int, given: dict[str, Any]) -> dict[str, Any]:
    """Another amount for a line (1-based, default the first) of an invoice, bill or purchase."""
    document = _document(books, given)
    if document.kind not in ("Invoice", "Bill", "Purchase"):
        raise ValueError(f"{document.kind} {document.id} has no amount of its own")
    document.lines[int(given.get("line", 1)) - 1].cents = int(Decimal(str(given["amount"])).scaleb(2))
    document.retotal()
    books.save(document, instant)
    return {"id": document.id, "date": document.date.isoformat(), "total": Decimal(document.amount).scaleb(-2)}


def _date(books: Books, instant: int, given: dict[str, Any]) -> dict[str, Any]:
    document = _document(books, given)
    document.date = date.fromisoformat(given["date"])
    books.save(document, instant)
    return {"id": document.id}


def _delete(books: Books, instant: int, given: dict[str, Any]) -> dict[str, Any]:
    document = _document(books, given)
    books.delete(document, instant)
    return {"id": document.id}


def _rename(books: Books, instant: int, given: dict[str, Any]) -> dict[str, Any]:
    if given["entity"] == "Account":
        books.rename_account(int(given["id"]), given["name"], instant)
    else:
        books.rename(_name(books, given), given["name"], instant)
    return {"id": given["id"]}


def _inactivate(books: Books, instant: int, given: dict[str, Any]) -> dict[str, Any]:
    if given["entity"] == "Account":
        books.inactivate_account(int(given["id"]), instant)
    else:
        books.inactivate(_name(books, given), instant)
    return {"id": given["id"]}


def _add_names(books: Books, instant: int, given: dict[str, Any]) -> dict[str, Any]:
    """``count`` new customers, vendors or items: volume for paging and for full change captures."""
    entity, count = given["entity"], int(given["count"])
    if entity not in ("Customer", "Vendor", "Item"):
        raise ValueError("entity must be Customer, Vendor or Item")
    prefix = given.get("prefix", f"Extra {entity}")
    for number in range(count):
        books.add_name(entity, f"{prefix} {number + 1}", instant, account=books.key["services"])
    return {"added": count}


def _document(books: Books, given: dict[str, Any]) -> Document:
    document = books.documents[int(given["id"])]
    if document.deleted or document.kind != given.get("entity", document.kind):
        raise ValueError(f"no {given.get('entity')} {given['id']}")
    return document


def _name(books: Books, given: dict[str, Any]) -> Name:
    shelf = {"Customer": books.customers, "Vendor": books.vendors, "Item": books.items}[given["entity"]]
    return shelf[int(given["id"])]
