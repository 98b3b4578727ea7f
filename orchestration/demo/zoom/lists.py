"""Lists by pages: sizes as documented, tokens that end after a quarter of an hour and fit one question only."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from orchestration.demo.zoom.account import PAGE_TOKEN_SECONDS, Account
from orchestration.demo.zoom.errors import not_valid, page_token_refused

Row = dict[str, Any]
Keyed = Sequence[tuple[str, Row]]


def page(account: Account, name: str, question: Mapping[str, str], rows: Keyed, default: int, most: int) -> Row:
    """One page of ``rows`` (key and row) under the lists' common members.

    The token names the last key given, so that what comes or goes meanwhile moves nothing else.
    """
    quirks = account.quirks
    size = _size(question.get("page_size"), default, most)
    fingerprint = blake2b(
        json.dumps({key: value for key, value in question.items() if key != "next_page_token"}).encode(), digest_size=8
    ).hexdigest()
    after, number = _read(account, question.get("next_page_token"), fingerprint)
    ordered = sorted(rows, key=lambda pair: pair[0])
    left = [pair for pair in ordered if pair[0] > after]
    shapes = quirks.shapes.get(name)
    shape = shapes.popleft() if shapes else None
    given = left[: size if shape is None else min(shape, size)]
    more = len(left) > len(given)
    token = ""
    if name in quirks.repeats and ordered:
        token = _token(account, fingerprint, "", 0)
    elif more:
        token = _token(account, fingerprint, given[-1][0] if given else after, number + 1)
    elif name == "call_history" and quirks.past_end != "none":
        if quirks.past_end == "same":
            given = given or ordered[-size:]
            token = _token(account, fingerprint, ordered[-1][0] if ordered else "", 0)
        else:
            token = _token(account, fingerprint, ordered[-1][0] if ordered else "", number + 1)
    body: Row = {"page_size": size, "next_page_token": token, "rows": [row for _, row in given]}
    if quirks.counts:
        counted = given if quirks.counts_of_page else ordered
        body |= {"page_count": -(-len(ordered) // size) or 1, "total_records": len(counted)}
    return body


def _size(text: str | None, default: int, most: int) -> int:
    if text is None:
        return default
    if not text.isdigit() or int(text) < 1:
        raise not_valid("Validation Failed: page_size")
    return min(int(text), most)


def _token(account: Account, fingerprint: str, after: str, number: int) -> str:
    facts = [fingerprint, after, number, account.now.timestamp()]
    return urlsafe_b64encode(json.dumps(facts).encode()).decode().rstrip("=")


def _read(account: Account, token: str | None, fingerprint: str) -> tuple[str, int]:
    if not token:
        return "", 0
    try:
        asked, after, number, at = json.loads(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except ValueError:
        raise page_token_refused() from None
    if asked != fingerprint or account.now.timestamp() - at > PAGE_TOKEN_SECONDS:
        raise page_token_refused()
    return str(after), int(number)
