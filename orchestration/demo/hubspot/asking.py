"""What a request asks, checked as HubSpot checks it."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from urllib.parse import quote, unquote

import msgspec

from orchestration.demo.crm.kinds import Kind, find_kind
from orchestration.demo.hubspot.errors import invalid

HISTORY_LIMIT = 50


@dataclass(frozen=True)
class Call:
    """One request: the path's variable parts, the query in order, the body as received."""

    path: str
    parts: dict[str, str]
    query: list[tuple[str, str]]
    body: bytes
    base_url: str

    def one(self, name: str) -> str | None:
        return next((value for key, value in self.query if key == name), None)

    def names(self, name: str) -> list[str]:
        """A parameter given several times, with commas, or both."""
        return [part.strip() for key, value in self.query if key == name for part in value.split(",") if part.strip()]

    def flag(self, name: str) -> bool:
        return (self.one(name) or "false").lower() == "true"

    def limit(self, default: int, most: int) -> int:
        """The page size; HubSpot refuses sizes it does not serve instead of serving fewer."""
        text = self.one("limit")
        if text is None:
            return default
        if not text.lstrip("-").isdigit():
            raise invalid(f"Invalid limit: {text}")
        if not 1 <= int(text) <= most:
            raise invalid(f"Paging limit has to be between 1 and {most}: {text}", context={"limit": [text]})
        return int(text)

    def kind(self, name: str = "kind") -> Kind:
        return kind_named(self.parts[name])

    def json(self) -> dict:
        try:
            body = msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            raise invalid("Invalid input JSON") from error
        if not isinstance(body, dict):
            raise invalid("Invalid input JSON")
        return body


def kind_named(name: str) -> Kind:
    kind = find_kind(name)
    if kind is None:
        raise invalid(f"Unable to infer object type from: {name}")
    return kind


def record_id(text: str) -> int:
    """An id; what is no number belongs to no record."""
    return int(text) if text.isascii() and text.isdigit() else -1


def cursor(last: int, empties: int = 0) -> str:
    """The opaque ``after`` behind a record; ``empties`` tells apart empty pages at the same place."""
    text = f"{last}~{empties}\n" if empties else f"{last}\n"
    return quote(b64encode(text.encode()).decode(), safe="")


def read_cursor(text: str | None) -> tuple[int, int]:
    """The id to continue behind and how many empty pages were given there, from ``after`` as it came.

    Clients send it as in ``paging.next.after`` or as in ``paging.next.link``: escaped once more or once less.
    """
    if text is None:
        return 0, 0
    try:
        plain = b64decode(unquote(text), validate=True).decode()
        last, _, empties = plain.strip().partition("~")
        return int(last), int(empties or 0)
    except (Base64Error, UnicodeDecodeError, ValueError) as error:
        raise invalid(f"Invalid paging cursor: {text}") from error
