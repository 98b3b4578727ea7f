"""The lists of contacts, companies and deals loaded by dlt, in an environment of its own (.venv-bench).

Reads {"url", "token", "properties": {kind: names}, "database", "schema", "directory"} from standard input; writes
{"version", "seconds", "cpu", "mebibytes", "rows"} to standard output. dlt's own way: pages by cursor, merged by id into
Postgres. A record's properties land as one json column, which is nearest to what the warehouse lands and less work for
dlt than a column each.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from typing import Any

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"

import dlt
from dlt.sources.rest_api import rest_api_source


def source(given: dict[str, Any]) -> Any:
    """One resource for each kind of record."""
    return rest_api_source(
        {
            "client": {
                "base_url": given["url"],
                "auth": {"type": "bearer", "token": given["token"]},
                "paginator": {"type": "cursor", "cursor_path": "paging.next.after", "cursor_param": "after"},
            },
            "resource_defaults": {
                "primary_key": "id",
                "write_disposition": "merge",
                "columns": {"properties": {"data_type": "json"}},
            },
            "resources": [
                {
                    "name": kind,
                    "endpoint": {
                        "path": f"crm/v3/objects/{kind}",
                        "params": {"limit": 100, "archived": "false", "properties": ",".join(names)},
                        "data_selector": "results",
                    },
                }
                for kind, names in given["properties"].items()
            ],
        }
    )


def main() -> None:
    """Load once and say what it took."""
    given = json.load(sys.stdin)
    pipeline = dlt.pipeline(
        pipeline_name="bench_dlt",
        pipelines_dir=given["directory"],
        destination=dlt.destinations.postgres(credentials=given["database"]),
        dataset_name=given["schema"],
    )
    begun, cpu = time.perf_counter(), time.process_time()
    pipeline.run(source(given)).raise_on_failed_jobs()
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    counts = pipeline.last_trace.last_normalize_info.row_counts
    result = {
        "version": dlt.__version__,
        "seconds": seconds,
        "cpu": cpu,
        "mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "rows": sum(counts[kind] for kind in given["properties"]),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
