"""Faults on request: what a test wants the next matching answers to look like."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field, fields
from typing import Any

KINDS = {
    "status": "answer with `status` and the service's error body for it (or `body`)",
    "throttle": "429 as the service sends it, with Retry-After where `retry_after` is given",
    "fault": "200 whose body is an error",
    "html": "200 with an HTML page, as proxies in front of the service send",
    "body": "`status` with `body` as it is",
    "truncated": "the right answer, its JSON cut in half",
    "cut": "the right answer's length, half of its bytes, then the connection is gone",
    "reset": "the connection is reset; with `after` the request has been carried out",
    "drip": "the right answer, one byte every `seconds`",
    "delay": "the right answer, `seconds` later",
    "bad_gzip": "an answer that claims to be gzip and is not",
}


@dataclass
class Fault:
    """One rule. It applies ``count`` times (None: until cleared) to requests whose path and query contain ``path``,
    ``realm`` and ``contains``, after letting ``skip`` of them through."""

    kind: str
    path: str = ""
    realm: str = ""
    contains: str = ""
    count: int | None = 1
    skip: int = 0
    status: int = 500
    body: str = ""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    retry_after: str = ""
    seconds: float = 1.0
    after: bool = False
    hits: int = 0

    @classmethod
    def of(cls, given: dict[str, Any]) -> Fault:
        """A rule from a control request. Raises ValueError naming what is wrong with it."""
        known = {f.name for f in fields(cls)} - {"hits"}
        unknown = sorted(set(given) - known)
        if unknown:
            raise ValueError(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
        if given.get("kind") not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        return cls(**given)


class Faults:
    """The rules in force, oldest first; the first that matches decides."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._rules.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def listed(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(rule) for rule in self._rules]

    def take(self, path: str, text: str) -> Fault | None:
        """The fault for a request to ``path`` whose path, query and form are ``text``; counts as used."""
        with self._lock:
            for rule in self._rules:
                if rule.path not in path or rule.realm not in path or rule.contains not in text:
                    continue
                if rule.count is not None and rule.count <= 0:
                    continue
                if rule.skip > 0:
                    rule.skip -= 1
                    continue
                rule.hits += 1
                if rule.count is not None:
                    rule.count -= 1
                return rule
        return None
