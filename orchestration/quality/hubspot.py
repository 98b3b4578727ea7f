"""What is expected of HubSpot's landed streams."""

from __future__ import annotations

from orchestration.quality.expectations import EVERY_RECORD, Expectation, Suite, readable, required

SOURCE = "hubspot"

_ID_IS_KEY = Expectation(
    "id_is_key", "the record's id is the key it landed under", "field.id is distinct from landed.record_id", True
)
_HAS_PROPERTIES = Expectation(
    "has_properties",
    "every record has its properties",
    "jsonb_typeof(field.properties) is distinct from 'object'",
    critical=True,
)


def _property(name: str) -> str:
    return f"(field.properties ->> '{name}')"


def _object(stream: str, *expectations: Expectation, publishes: bool = False) -> Suite:
    return Suite(
        SOURCE,
        stream,
        (
            *EVERY_RECORD,
            _ID_IS_KEY,
            _HAS_PROPERTIES,
            required("created_at", 'field."createdAt"'),
            readable("created_at", 'field."createdAt"', "timestamp", critical=publishes),
            *expectations,
        ),
        {"id": "text", "properties": "jsonb", "createdAt": "text"},
        publishes=publishes,
    )


SUITES = (
    Suite(
        SOURCE,
        "owners",
        (*EVERY_RECORD, _ID_IS_KEY, readable("created_at", 'field."createdAt"', "timestamp")),
        {"id": "text", "createdAt": "text"},
    ),
    Suite(
        SOURCE,
        "pipelines",
        (
            *EVERY_RECORD,
            required("pipeline_id", "field.id", critical=True),
            Expectation(
                "has_stages",
                "every pipeline has stages",
                "case jsonb_typeof(field.stages) when 'array' then jsonb_array_length(field.stages) = 0 else true end",
                critical=True,
            ),
        ),
        {"id": "text", "stages": "jsonb"},
        publishes=True,
    ),
    _object("companies", readable("annual_revenue", _property("annualrevenue"), "number")),
    _object("contacts", readable("create_date", _property("createdate"), "timestamp", critical=True), publishes=True),
    _object(
        "deals",
        required("deal_stage", _property("dealstage")),
        required("pipeline", _property("pipeline")),
        readable("amount", _property("amount"), "number", critical=True),
        readable("close_date", _property("closedate"), "timestamp"),
        publishes=True,
    ),
    _object("tickets", required("pipeline_stage", _property("hs_pipeline_stage"))),
    _object("products", readable("price", _property("price"), "number")),
    _object(
        "line_items",
        readable("quantity", _property("quantity"), "number"),
        readable("amount", _property("amount"), "number"),
    ),
    _object("quotes", readable("quote_amount", _property("hs_quote_amount"), "number")),
    *(
        _object(stream, readable("occurred_at", _property("hs_timestamp"), "timestamp"))
        for stream in ("calls", "emails", "meetings", "tasks")
    ),
    _object("feedback_submissions"),
    _object("goals", readable("target_amount", _property("hs_target_amount"), "number")),
)
