"""BigQuery's emulator as a process, in an environment of its own (`make .venv-bigquery/.ready`): it runs real SQL."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from orchestration.demo.ga4.export import Table
from orchestration.settings import PROJECT_ROOT

ENVIRONMENT = PROJECT_ROOT / ".venv-bigquery"
START_SECONDS = 60.0
PROJECT = "emulated"


@dataclass
class Emulator:
    base_url: str
    client: bigquery.Client

    def make(self, dataset: str, tables: Mapping[str, Table], columns: Any) -> None:
        """Make a dataset with these tables. ``columns``: a table's schema."""
        self.client.create_dataset(dataset, exists_ok=True)
        for name, table in tables.items():
            schema = [bigquery.SchemaField.from_api_repr(column) for column in columns(table)]
            made = self.client.create_table(bigquery.Table(f"{PROJECT}.{dataset}.{name}", schema=schema))
            self.insert(made, table.rows)

    def insert(self, table: Any, rows: list[dict[str, Any]]) -> None:
        for start in range(0, len(rows), 500):
            assert self.client.insert_rows_json(table, rows[start : start + 500]) == []

    def delete(self, dataset: str, table: str) -> None:
        self.client.delete_table(f"{PROJECT}.{dataset}.{table}")

    def connection(self, dataset: str) -> dict[str, Any]:
        return {"project": PROJECT, "dataset": dataset, "base_url": self.base_url}


@contextmanager
def emulator(home: Path) -> Iterator[Emulator]:
    """The emulator on free ports until the block ends. It looks for its database's extension below ``home``."""
    program = ENVIRONMENT / "bin" / "bqemulator"
    assert program.exists(), "the emulator is not installed: run make .venv-bigquery/.ready"
    (extension,) = ENVIRONMENT.glob(
        "lib/*/site-packages/duckdb_extension_spatial/extensions/*/spatial.duckdb_extension"
    )
    place = home / ".duckdb" / "extensions" / extension.parent.name / _platform()
    place.mkdir(parents=True)
    shutil.copy(extension, place)
    log = home / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [program, "start", "--rest-port", "0", "--grpc-port", "0", "--project", PROJECT, "--log-format", "json"],
            env={**os.environ, "HOME": str(home)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{_port(process, log)}"
        client = bigquery.Client(
            project=PROJECT, credentials=AnonymousCredentials(), client_options={"api_endpoint": url}
        )
        yield Emulator(url, client)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _platform() -> str:
    """As DuckDB names it."""
    found = subprocess.run(
        [ENVIRONMENT / "bin" / "python", "-c", "import duckdb; print(*duckdb.execute('pragma platform').fetchone())"],
        check=True,
        capture_output=True,
        text=True,
    )
    return found.stdout.strip()


def _port(process: subprocess.Popen, log: Path) -> int:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text(encoding="utf-8").splitlines():
            if '"rest.listen"' in line:
                return int(json.loads(line)["port"])
        time.sleep(0.1)
    raise AssertionError(f"the emulator did not start: {log.read_text(encoding='utf-8')[-2000:]}")
