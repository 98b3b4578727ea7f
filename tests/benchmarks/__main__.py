"""`make bench`: every benchmark, one after the other, each in a process of its own (memory is measured, too)."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = ("landing", "sync_bench", "hubspot_bench", "upsert", "sales", "night", "six_sources", "catalogue")


def main() -> int:
    """Run those named on the command line, or all. Returns how many failed."""
    failed = 0
    for name in sys.argv[1:] or BENCHMARKS:
        print(f"\n== {name}", flush=True)
        failed += subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
