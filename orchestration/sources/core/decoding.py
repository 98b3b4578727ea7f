"""JSON as services really send it: money exact, and what strict parsers refuse still read."""

from __future__ import annotations

import json
import sys
import threading
from decimal import Decimal
from typing import Any

import msgspec

_strict = msgspec.json.Decoder(float_hook=Decimal)

# How deep a record may nest: more than the loader keeps as JSON, little enough for any thread's stack.
_DEEPEST = 3_000
_deep = threading.Lock()

# Python refuses to turn longer digit strings into an int.
_LONGEST_INT = 4000


class Undecodable(ValueError):
    """The text is not JSON; the message says where it breaks, without showing it."""


def decode_json(body: bytes) -> Any:
    """Decode, numbers with a fraction as ``Decimal``.

    NaN, Infinity, lone surrogates, control characters in strings and bytes that are not UTF-8 are let through for
    the loader to clean and count: one bad character must not cost the other 999 records of a page.
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        return _decoded(body)
    except RecursionError:
        return _decoded_deeply(body)


def _decoded_deeply(body: bytes) -> Any:
    """Decode what nests deeper than Python's usual limit: one odd record must not cost its page either."""
    with _deep:
        usual = sys.getrecursionlimit()
        sys.setrecursionlimit(max(usual, _DEEPEST))
        try:
            return _decoded(body)
        except RecursionError as error:
            raise Undecodable("nested too deeply") from error
        finally:
            sys.setrecursionlimit(usual)


def _decoded(body: bytes) -> Any:
    try:
        return _strict.decode(body)
    except (msgspec.DecodeError, ValueError):
        pass
    try:
        return json.loads(_text(body), strict=False, parse_float=Decimal, parse_constant=Decimal, parse_int=_integer)
    except ValueError as error:
        where = f"at character {error.pos} of {len(body)}" if isinstance(error, json.JSONDecodeError) else "unreadable"
        raise Undecodable(where) from None


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return body.decode("utf-8", "replace")


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _LONGEST_INT else Decimal(digits)
