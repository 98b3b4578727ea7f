"""Portals for the benchmark, served by a process of their own: one of 50,000 records, and many small ones.

python -m tests.benchmarks.hubspot_portals: prints its address; ends when standard input does.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import psycopg
from psycopg.types.json import Jsonb

from orchestration.demo.crm.portals import Limits, bench_portal, demo_portal
from orchestration.demo.hubspot_server import running
from orchestration.sources.hubspot.streams import STREAMS

SMALL_PORTALS = 50
# What dlt reads beside it: an organization that reads these of the large portal and nothing else.
LISTED = ("companies", "contacts", "deals")
LISTS_ONLY = "bench_lists"
# Limits nobody reaches. Were there none, no answer would tell, and an extractor keeps to the least that any plan has.
LIFTED = Limits(per_ten_seconds=10**9, per_day=None, searches_per_second=None)
LARGE = replace(bench_portal(), limits=LIFTED)
SMALL = [replace(demo_portal(number), limits=LIFTED) for number in range(1, SMALL_PORTALS + 1)]
PORTALS = [LARGE, *SMALL]


@dataclass(frozen=True)
class Portals:
    """Where they answer, and the process that serves them."""

    url: str
    pid: int

    def answer_after(self, seconds: float) -> None:
        """Have every answer take at least so long from now on."""
        httpx2.delete(f"{self.url}/_control/faults").raise_for_status()
        if seconds:
            slow = {"kind": "delay", "path": "/crm/", "seconds": seconds, "count": None}
            httpx2.post(f"{self.url}/_control/faults", json=slow).raise_for_status()

    def forget_requests(self) -> None:
        """Empty the log."""
        httpx2.delete(f"{self.url}/_control/log").raise_for_status()

    def properties(self) -> dict[str, list[str]]:
        """Names of the properties of LISTED, of the large portal."""
        headers = {"Authorization": f"Bearer {LARGE.token}"}
        return {
            kind: [
                row["name"]
                for row in httpx2.get(f"{self.url}/crm/v3/properties/{kind}", headers=headers).json()["results"]
            ]
            for kind in LISTED
        }

    def requests(self) -> dict[str, list[dict[str, Any]]]:
        """What was asked, by portal, in order."""
        asked: dict[str, list[dict[str, Any]]] = {}
        for one in httpx2.get(f"{self.url}/_control/log", timeout=60).json():
            asked.setdefault(one["portal"], []).append(one)
        return asked


@contextmanager
def served() -> Iterator[Portals]:
    """The portals for as long as the block runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.hubspot_portals"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Portals(process.stdout.readline().strip(), process.pid)
    finally:
        process.stdin.close()
        process.wait(10)


def connect(connection: psycopg.Connection, url: str) -> dict[str, str]:
    """Organizations of the portals' names, connected to them; the environment variables that hold their tokens."""
    tokens = {}
    for number, portal in enumerate([*PORTALS, replace(LARGE, slug=LISTS_ONLY)], 1):
        tokens[f"BENCH_HUBSPOT_TOKEN_{number}"] = portal.token
        connection.execute(
            "insert into ops.organizations (id, slug, name, organization_id, timezone, currency)"
            " values (%s, %s, %s, gen_random_uuid(), %s, 'USD')",
            [number, portal.slug, portal.name, portal.timezone],
        )
        settings: dict[str, Any] = {"access_token": f"env:BENCH_HUBSPOT_TOKEN_{number}", "base_url": url}
        if portal.slug == LISTS_ONLY:
            settings["skip_streams"] = [stream.name for stream in STREAMS if stream.name not in LISTED]
        connection.execute("insert into ops.connections values (%s, 'hubspot', %s)", [number, Jsonb(settings)])
    return tokens


def main() -> None:
    """Serve until standard input ends."""
    with running(portals=PORTALS) as server:
        print(server.base_url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
