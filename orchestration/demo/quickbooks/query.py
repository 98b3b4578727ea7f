"""The query language: the part of SQL that the accounting API understands."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from orchestration.demo.quickbooks.records import ENTITIES, NAME_LISTS, SINGLETONS
from orchestration.demo.quickbooks.wire import PACIFIC, invalid_query, parse_error

MAX_RESULTS = 1000
DEFAULT_RESULTS = 100
TOKEN = re.compile(r"\s*(?:('(?:[^'\\]|\\.)*')|([A-Za-z_][\w.]*|\d[\w.\-]*)|(<=|>=|=|<|>|\(|\)|,|\*))")
OPERATORS = ("=", "<", ">", "<=", ">=", "in", "like")
# Properties a WHERE or ORDER BY may name here, as they are spelt in payloads.
PROPERTIES = {
    "id": "Id",
    "active": "Active",
    "metadata.lastupdatedtime": "LastUpdatedTime",
    "metadata.createtime": "CreateTime",
    "txndate": "TxnDate",
    "docnumber": "DocNumber",
    "name": "Name",
    "displayname": "DisplayName",
    "accounttype": "AccountType",
    "totalamt": "TotalAmt",
    "balance": "Balance",
}
BY_ENTITY = {
    "Active": NAME_LISTS,
    "Name": ("Account", "Item"),
    "DisplayName": ("Customer", "Vendor"),
    "AccountType": ("Account",),
    "TxnDate": tuple(e for e in ENTITIES if e not in (*NAME_LISTS, *SINGLETONS)),
    "DocNumber": tuple(e for e in ENTITIES if e not in (*NAME_LISTS, *SINGLETONS)),
    "TotalAmt": ("Invoice", "Payment", "Bill", "BillPayment", "Purchase", "Deposit"),
    "Balance": ("Invoice", "Bill", "Customer", "Vendor"),
}


@dataclass(frozen=True)
class Condition:
    """``operator`` is lower case; ``values`` holds one literal, or those of an IN list."""

    property: str
    operator: str
    values: tuple[str | bool, ...]


@dataclass
class Query:
    entity: str
    columns: tuple[str, ...] = ()
    count: bool = False
    conditions: list[Condition] = field(default_factory=list)
    order: list[tuple[str, bool]] = field(default_factory=list)
    """(property, descending)"""
    start: int = 1
    size: int = DEFAULT_RESULTS

    @property
    def names_active(self) -> bool:
        """Inactive records are shown only to those who ask about being active."""
        return any(condition.property == "Active" for condition in self.conditions)


def parse(text: str) -> Query:
    """Read a query. Raises ApiError 4000 where it is no query, 4001 where it names what doesn't exist."""
    if not text.strip():
        raise parse_error("The query provided was empty")
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, int]] = []
        position = 0
        stripped = text.rstrip().rstrip(";").rstrip()
        while position < len(stripped):
            match = TOKEN.match(stripped, position)
            if match is None:
                character = stripped[position:].lstrip()[0]
                raise parse_error(
                    f"Invalid content. Lexical error at line 1, column {position + 1}.  "
                    f'Encountered: "{character}" ({ord(character)}), after : ""'
                )
            self.tokens.append((match.group(match.lastindex or 0), match.start(match.lastindex or 0) + 1))
            position = match.end()
        self.at = 0

    def query(self) -> Query:
        self.expect("select")
        columns: list[str] = []
        count = False
        if self.take("count"):
            for symbol in ("(", "*", ")"):
                self.expect(symbol)
            count = True
        elif not self.take("*"):
            columns.append(self.word())
            while self.take(","):
                columns.append(self.word())
        self.expect("from")
        entity = self.word()
        if entity not in ENTITIES:
            raise invalid_query(f"Metadata not found for Entity: {entity}")
        query = Query(entity, tuple(columns), count)
        if self.take("where"):
            query.conditions.append(self.condition(entity))
            while self.take("and"):
                query.conditions.append(self.condition(entity))
        if self.take("orderby") or (self.take("order") and self.expect("by")):
            query.order.append(self.ordering(entity))
            while self.take(","):
                query.order.append(self.ordering(entity))
        if self.take("startposition"):
            query.start = self.number(1, None)
        if self.take("maxresults"):
            query.size = self.number(0, MAX_RESULTS)
        if self.at < len(self.tokens):
            self.refuse()
        return query

    def condition(self, entity: str) -> Condition:
        bracket = self.take("(")
        name = self.property(entity)
        operator = self.next().lower()
        if operator not in OPERATORS:
            self.at -= 1
            self.refuse()
        values = []
        if operator == "in":
            self.expect("(")
            values.append(self.literal())
            while self.take(","):
                values.append(self.literal())
            self.expect(")")
        else:
            values.append(self.literal())
        if bracket:
            self.expect(")")
        return Condition(name, operator, tuple(values))

    def ordering(self, entity: str) -> tuple[str, bool]:
        name = self.property(entity)
        descending = self.take("desc")
        if not descending:
            self.take("asc")
        return name, descending

    def property(self, entity: str) -> str:
        spelt = self.word()
        name = PROPERTIES.get(spelt.lower())
        if name is None or entity not in BY_ENTITY.get(name, ENTITIES):
            raise invalid_query(f"Property {spelt} not found for Entity {entity}")
        return name

    def literal(self) -> str | bool:
        token = self.next()
        if token.startswith("'"):
            return re.sub(r"\\(.)", r"\1", token[1:-1])
        if token.lower() in ("true", "false"):
            return token.lower() == "true"
        if not token[0].isdigit():
            self.at -= 1
            self.refuse()
        return token

    def number(self, low: int, high: int | None) -> int:
        token = self.next()
        if not token.isdigit():
            self.at -= 1
            self.refuse()
        value = int(token)
        if value < low:
            raise invalid_query(f"value {value} is too small. Min allowed value is {low}")
        if high is not None and value > high:
            raise invalid_query(f"value {value} is too large. Max allowed value is {high}")
        return value

    def word(self) -> str:
        token = self.next()
        if not (token[0].isalpha() or token[0] == "_"):
            self.at -= 1
            self.refuse()
        return token

    def next(self) -> str:
        if self.at >= len(self.tokens):
            self.refuse()
        self.at += 1
        return self.tokens[self.at - 1][0]

    def take(self, word: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at][0].lower() == word:
            self.at += 1
            return True
        return False

    def expect(self, word: str) -> bool:
        if not self.take(word):
            self.refuse()
        return True

    def refuse(self) -> None:
        if self.at < len(self.tokens):
            token, column = self.tokens[self.at]
            raise parse_error(f'Encountered " <IDENTIFIER> "{token} "" at line 1, column {column}.')
        raise parse_error('Encountered "<EOF>" at line 1, column 0.')


def parse_instant(text: str) -> int:
    """An ISO date or time as epoch seconds; without an offset it is Pacific. Raises ApiError 4001."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise invalid_query(f"Invalid date time format: {text}") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=PACIFIC)).astimezone(UTC).timestamp())


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, literal: value == literal,
    "<": lambda value, literal: value < literal,
    ">": lambda value, literal: value > literal,
    "<=": lambda value, literal: value <= literal,
    ">=": lambda value, literal: value >= literal,
}
