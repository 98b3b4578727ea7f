"""The calls of BigQuery's REST API that reading an export takes."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from orchestration.demo.ga4 import statements
from orchestration.demo.ga4.export import Export, Table
from orchestration.demo.ga4.properties import Property
from orchestration.demo.ga4.statements import COLUMNS, Refused, Result
from orchestration.demo.serving.clock import WorldClock

Answer = tuple[int, dict[str, Any]]

LEAST_BILLED = 10 * 2**20
BYTES_PER_ROW = 700


@dataclass
class Job:
    result: Result | None
    error: Refused | None = None
    pending: int = 0
    pages: int = 0


@dataclass
class Api:
    """``exports`` by project.

    page_rows
        Rows on a page of a result, at most.
    pending
        How often a new job says that it is not done yet.
    failing
        Reasons that the next jobs fail with.
    shapes
        Lengths of the next pages; None: as asked for. 0 is an empty page that leads on.
    repeats
        Whether every page of a result leads to the same next one.
    denied
        Projects whose data may not be read.
    billed
        Projects that jobs may run in, and the export each may read. Where there is one, no job runs beside the data.
    """

    properties: Iterable[Property]
    world: WorldClock
    page_rows: int = 5000
    pending: int = 0
    failing: deque[str] = field(default_factory=deque)
    shapes: deque[int | None] = field(default_factory=deque)
    repeats: bool = False
    denied: set[str] = field(default_factory=set)
    billed: dict[str, str] = field(default_factory=dict)
    over_quota: bool = False

    def __post_init__(self) -> None:
        self.exports = {given.project: Export(given) for given in self.properties}
        self.jobs: dict[str, Job] = {}

    def answer(self, method: str, path: str, query: Mapping[str, str], body: dict[str, Any]) -> Answer:
        """Status and body for a request below ``/bigquery/v2``."""
        for known, pattern, act in _CALLS:
            found = re.fullmatch(pattern, path)
            if method == known and found:
                names = {key: unquote(value) for key, value in found.groupdict().items()}
                export = self.exports.get(self.billed.get(names["project"], names["project"]))
                if export is None:
                    return error(404, f"Not found: Project {names['project']}", "notFound")
                if ("dataset" in names) == (names["project"] in self.billed) and self.billed:
                    return error(403, f"Access Denied: Project {names['project']}: no permission", "accessDenied")
                if names["project"] in self.denied:
                    return error(403, "Access Denied: Dataset: Permission denied", "accessDenied")
                if self.over_quota:
                    return error(403, "Quota exceeded: Your project exceeded quota for queries", "quotaExceeded")
                return act(self, export, names, query, body)
        return error(404, f"the stand-in has no {method} {path}", "notFound")

    def _tables(self, export: Export, names: dict[str, str], query: Mapping[str, str], body: Any) -> Answer:
        if names["dataset"] != export.property.dataset:
            return error(404, f"Not found: Dataset {names['project']}:{names['dataset']}", "notFound")
        listed = sorted(export.tables(self.world()))
        start, size = int(query.get("pageToken", 0)), min(int(query.get("maxResults", 50)), 1000)
        page = listed[start : start + size]
        answer: dict[str, Any] = {"kind": "bigquery#tableList", "totalItems": len(listed)}
        if page:
            answer["tables"] = [
                {"kind": "bigquery#table", "type": "TABLE", "tableReference": _reference(names, name)} for name in page
            ]
        if start + size < len(listed):
            answer["nextPageToken"] = str(start + size)
        return 200, answer

    def _table(self, export: Export, names: dict[str, str], query: Mapping[str, str], body: Any) -> Answer:
        tables = export.tables(self.world()) if names["dataset"] == export.property.dataset else {}
        if names["table"] not in tables:
            where = f"{names['project']}:{names['dataset']}.{names['table']}"
            return error(404, f"Not found: Table {where}", "notFound")
        table = tables[names["table"]]
        return 200, {
            "kind": "bigquery#table",
            "type": "TABLE",
            "tableReference": _reference(names, names["table"]),
            "schema": {"fields": columns_of(table)},
            "numRows": str(len(table.rows)),
            "numBytes": str(len(table.rows) * BYTES_PER_ROW),
            "lastModifiedTime": str(int(table.modified.timestamp() * 1000)),
        }

    def _query(self, export: Export, names: dict[str, str], query: Mapping[str, str], body: dict[str, Any]) -> Answer:
        job = Job(None, pending=self.pending)
        try:
            job.result = self._run(export, body)
        except Refused as refusal:
            job.error = refusal
        if self.failing:
            job.error = Refused("The job encountered an error during execution.", self.failing.popleft())
        job_id = f"job_{len(self.jobs):06d}"
        self.jobs[job_id] = job
        if job.pending:
            return 200, self._head(names, job_id) | {"kind": "bigquery#queryResponse", "jobComplete": False}
        return self._results(export, names | {"job": job_id}, {}, body)

    def _run(self, export: Export, body: dict[str, Any]) -> Result:
        parameters = {
            one["name"]: [value["value"] for value in one["parameterValue"].get("arrayValues", ())]
            for one in body.get("queryParameters", ())
        }
        if body.get("useLegacySql", True) or "maximumBytesBilled" not in body:
            raise Refused("the stand-in takes standard SQL with maximumBytesBilled")
        project, dataset, _ = statements.table_of(body["query"])
        if (project, dataset) != (export.property.project, export.property.dataset):
            raise Refused(f"Access Denied: Dataset {project}:{dataset}", "accessDenied")
        result = statements.answer(body["query"], parameters, export.tables(self.world()))
        billed = max(LEAST_BILLED, result.scanned * BYTES_PER_ROW)
        if billed > int(body["maximumBytesBilled"]):
            raise Refused(
                f"Query exceeded limit for bytes billed: {body['maximumBytesBilled']}. {billed} or higher required.",
                "bytesBilledLimitExceeded",
            )
        return result

    def _results(self, export: Export, names: dict[str, str], query: Mapping[str, str], body: Any) -> Answer:
        job = self.jobs.get(names["job"])
        if job is None:
            return error(404, f"Not found: Job {names['job']}", "notFound")
        if job.pending:
            job.pending -= 1
            return 200, self._head(names, names["job"]) | {"jobComplete": False}
        if job.error is not None:
            return error(_STATUS.get(job.error.reason, 400), str(job.error), job.error.reason)
        assert job.result is not None
        rows = job.result.rows
        start = int(query.get("pageToken", "0").partition(".")[0])
        size = min(int(query.get("maxResults") or self.page_rows), self.page_rows)
        shape = self.shapes.popleft() if self.shapes else None
        size = size if shape is None else shape
        answer = self._head(names, names["job"]) | {
            "kind": "bigquery#queryResponse",
            "schema": {"fields": job.result.schema},
            "jobComplete": True,
            "totalRows": str(len(rows)),
            "cacheHit": False,
            "totalBytesProcessed": str(job.result.scanned * BYTES_PER_ROW),
        }
        page = rows[start : start + size]
        if page:
            answer["rows"] = [statements.encoded(row, job.result.schema) for row in page]
        if self.repeats and rows:
            answer["pageToken"] = f"{size}.0"
        elif start + size < len(rows):
            job.pages += 1
            answer["pageToken"] = f"{start + size}.{job.pages}"
        return 200, answer

    def _job(self, export: Export, names: dict[str, str], query: Mapping[str, str], body: Any) -> Answer:
        job = self.jobs.get(names["job"])
        if job is None:
            return error(404, f"Not found: Job {names['job']}", "notFound")
        job.pending = max(0, job.pending - 1)
        status: dict[str, Any] = {"state": "RUNNING" if job.pending else "DONE"}
        if job.error is not None and not job.pending:
            status["errorResult"] = {"reason": job.error.reason, "message": str(job.error)}
            status["errors"] = [status["errorResult"]]
        return 200, self._head(names, names["job"]) | {
            "kind": "bigquery#job",
            "id": f"{names['project']}:US.{names['job']}",
            "configuration": {"jobType": "QUERY", "query": {}},
            "status": status,
            "statistics": {"query": {}},
        }

    def _head(self, names: Mapping[str, str], job_id: str) -> dict[str, Any]:
        return {"jobReference": {"projectId": names["project"], "jobId": job_id, "location": "US"}}


def columns_of(table: Table) -> list[dict[str, Any]]:
    """A table's schema."""
    return [column for column in COLUMNS if column["name"] not in table.without]


def error(status: int, message: str, reason: str) -> Answer:
    """An error as BigQuery words it."""
    return status, {
        "error": {
            "code": status,
            "message": message,
            "errors": [{"message": message, "domain": "global", "reason": reason}],
            "status": {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}.get(status, "UNKNOWN"),
        }
    }


def _reference(names: Mapping[str, str], table: str) -> dict[str, str]:
    return {"projectId": names["project"], "datasetId": names["dataset"], "tableId": table}


_STATUS = {
    "accessDenied": 403,
    "backendError": 503,
    "internalError": 500,
    "jobBackendError": 400,
    "jobInternalError": 400,
    "jobRateLimitExceeded": 400,
    "notFound": 404,
    "quotaExceeded": 403,
    "rateLimitExceeded": 403,
}
_PROJECT = r"/projects/(?P<project>[^/]+)"
_DATASET = rf"{_PROJECT}/datasets/(?P<dataset>[^/]+)"
_CALLS: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", rf"{_DATASET}/tables", Api._tables),
    ("GET", rf"{_DATASET}/tables/(?P<table>[^/]+)", Api._table),
    ("POST", rf"{_PROJECT}/queries", Api._query),
    ("GET", rf"{_PROJECT}/queries/(?P<job>[^/]+)", Api._results),
    ("GET", rf"{_PROJECT}/jobs/(?P<job>[^/]+)", Api._job),
)
