"""What is expected of the case database's landed rows."""

from __future__ import annotations

from orchestration.quality.expectations import EVERY_RECORD, Expectation, Suite, is_date, number, required

SOURCE = "azure_sql"

# E-mail addresses; American telephone numbers, with whatever stands between their parts; social security numbers.
PERSONAL = {
    "email": r"[[:alnum:]._%+-]+@[[:alnum:]-]+(\.[[:alnum:]-]+)+",
    "phone": r"(^|[^0-9])(\+?1[-. ]?)?(\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[-. ])[2-9][0-9]{2}[-. ][0-9]{4}([^0-9]|$)",
    "ssn": r"(^|[^0-9-])(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}([^0-9-]|$)",
}
_WORDS = {"email": "an e-mail address", "phone": "a telephone number", "ssn": "a social security number"}
# What the source must never give, however it is asked: names of people and free text.
_NEVER = ("Satisfaction Comments", "Primary Counselor Name", "Case Manager", "Provider Name")
_COUNTS = {
    "completed_sessions": 'field."Completed Session Count"',
    "cancelled_sessions": 'field."Cancelled Sessions"',
    "virtual_sessions": 'field."Virtual Sessions"',
    "in_person_sessions": 'field."In-Person Sessions"',
}


def _no(kind: str) -> Expectation:
    """No value of the row, nor a part of one, looks like that."""
    found = f"exists (select from jsonb_each_text({_ROW}) as one where one.value ~ '{PERSONAL[kind]}')"
    return Expectation(f"no_{kind}", f"no value holds {_WORDS[kind]}", found, critical=True)


def _day(name: str, text: str) -> Expectation:
    broken = (
        f"{text} <> '' and not (substr({text}, 11) ~ "
        rf"'^([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{{1,9}})?)?)?$' and {is_date(f'left({text}, 10)')})"
    )
    return Expectation(f"{name}_readable", f"{name.replace('_', ' ')} is a date", broken, critical=True)


_ROW = "case jsonb_typeof(landed.payload) when 'object' then landed.payload else '{}' end"
_CREATED, _CLOSED = 'field."Case Create Date"', 'field."Date Closed"'

SUITES = (
    Suite(
        SOURCE,
        "case_data_summary_nophi",
        (
            *EVERY_RECORD,
            *map(_no, PERSONAL),
            Expectation(
                "no_names_or_comments",
                "no row has a column of names or comments",
                f"{_ROW} ?| array[{', '.join(repr(name) for name in _NEVER)}]",
                critical=True,
            ),
            required("case_create_date", _CREATED),
            _day("case_create_date", _CREATED),
            _day("date_closed", _CLOSED),
            Expectation(
                "closed_after_it_was_made",
                "no case was closed before it was made",
                f"left({_CLOSED}, 10) < left({_CREATED}, 10)",
            ),
            required("case_type", 'field."Case Type"'),
            required("workflow_status", 'field."Workflow Status"'),
            required("presenting_problem", 'field."Primary Presenting Problem"'),
            *(
                Expectation(f"{name}_counted", f"{name.replace('_', ' ')} are not negative", f"{number(text)} < 0")
                for name, text in _COUNTS.items()
            ),
        ),
        {
            name: "text"
            for name in (
                "Case Create Date",
                "Date Closed",
                "Case Type",
                "Workflow Status",
                "Primary Presenting Problem",
                "Completed Session Count",
                "Cancelled Sessions",
                "Virtual Sessions",
                "In-Person Sessions",
            )
        },
        publishes=True,
    ),
)
