"""Figures asked afresh: complete whichever way Zoom reads a question, and none where it has no word yet."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from zoom_account import ZoomAccount

from orchestration.demo.serving.faults import Fault
from orchestration.sources.zoom.verify import day_figures

MEETINGS = ("total_meetings", "total_meeting_minutes", "total_participants", "avg_meeting_duration_mins")
NINTH = date(2026, 11, 9)
COUNTS = MEETINGS[:3]
CALLS = ("total_calls", "inbound_calls", "outbound_calls", "missed_calls")


@pytest.mark.parametrize("to_excluded", [False, True])
def test_a_day_is_whole_whether_zoom_counts_the_last_of_a_range_or_not(zoom: ZoomAccount, to_excluded: bool) -> None:
    zoom.quirks.to_excluded = to_excluded
    zoom.account.missing_scopes = {"report:read:admin"}
    host = zoom.add_person("a")
    # In Chicago, six hours behind, the 9th is 06:00 on the 9th to 06:00 on the 10th, by which ranges are cut.
    for number, start in enumerate(("09T05:59:59", "09T06:00:00", "10T05:59:59", "10T06:00:00")):
        zoom.add_calls(f"2026-11-{start}+00:00")
        zoom.add_meeting(f"m{number}==", host, f"2026-11-{start}+00:00")
    with zoom.session() as session:
        figures = day_figures(session, {NINTH: dict.fromkeys((*MEETINGS, "total_calls"), 0)})[NINTH]
    # Two meetings of half an hour, each with a host who stays and a guest who is in it for 5 and for 20 minutes.
    assert figures == {
        "total_calls": 2,
        "total_meetings": 2,
        "total_meeting_minutes": 110,
        "total_participants": 4,
        "avg_meeting_duration_mins": 30,
    }


def test_what_the_report_has_not_counted_is_no_zero_and_days_to_come_are_no_word(zoom: ZoomAccount) -> None:
    # It is the 20th: the report lists the month whole and has counted as far as the 18th.
    zoom.quirks.whole_months, zoom.quirks.counted_until = True, date(2026, 11, 18)
    host = zoom.add_person("a")
    for day in (18, 19):
        zoom.add_meeting(f"m{day}==", host, f"2026-11-{day}T15:00:00+00:00")
    asked = {date(2026, 11, day): dict.fromkeys(COUNTS, 0) for day in (17, 18, 19)}
    with zoom.session() as session:
        figures = day_figures(session, asked)
    assert [[figures[day][name] for name in COUNTS] for day in asked] == [[0, 0, 0], [1, 55, 2], [1, 55, 2]]


@pytest.mark.parametrize(("knows_alone", "average"), [(True, 20), (False, 30)])
def test_meetings_that_one_was_in_are_among_them_where_zoom_tells(
    zoom: ZoomAccount, knows_alone: bool, average: int
) -> None:
    zoom.quirks.knows_alone = knows_alone
    host = zoom.add_person("a")
    zoom.add_meeting("two==", host, "2026-11-09T15:00:00+00:00")
    alone = zoom.add_meeting("one==", host, "2026-11-09T16:00:00+00:00", alone=True)
    alone.end = alone.start + timedelta(minutes=10)
    with zoom.session() as session:
        figures = day_figures(session, {NINTH: dict.fromkeys(MEETINGS, 0)})[NINTH]
    assert figures["avg_meeting_duration_mins"] == average


def test_words_count_however_they_are_spelled(zoom: ZoomAccount) -> None:
    zoom.add_calls(*(f"2026-11-09T15:0{number}:00+00:00" for number in range(4)))
    said = [("Inbound", "No_Answer"), ("INBOUND", "Answered"), ("inbound", "voicemail"), ("Outbound", "Busy")]
    for leg, (direction, result) in zip(zoom.account.life.legs, said, strict=True):
        leg.direction, leg.result = direction, result
    with zoom.session() as session:
        figures = day_figures(session, {NINTH: dict.fromkeys(CALLS, 0)})[NINTH]
    assert figures == {"total_calls": 4, "inbound_calls": 3, "outbound_calls": 1, "missed_calls": 2}


def test_an_average_is_left_out_where_a_host_was_deleted_since(zoom: ZoomAccount) -> None:
    stays, leaves = zoom.add_person("a"), zoom.add_person("b")
    zoom.add_meeting("hers==", stays, "2026-11-09T15:00:00+00:00")
    zoom.add_meeting("his==", leaves, "2026-11-09T16:00:00+00:00").end += timedelta(minutes=60)
    zoom.add_meeting("next==", stays, "2026-11-10T15:00:00+00:00")
    zoom.account.life.people.remove(leaves)
    asked = {day: dict.fromkeys(MEETINGS, 0) for day in (NINTH, NINTH + timedelta(1))}
    with zoom.session() as session:
        figures = day_figures(session, asked)
    # The report counts both meetings of the 9th, and one of them has no host any more.
    assert (figures[NINTH]["total_meetings"], "avg_meeting_duration_mins" in figures[NINTH]) == (2, False)
    assert figures[NINTH + timedelta(1)]["avg_meeting_duration_mins"] == 30


@pytest.mark.parametrize(("duration", "minutes"), [("null", None), ('"90"', 3), ("89.5", 2)])
def test_a_length_that_is_no_number_makes_the_days_unknown_as_in_the_mart(
    zoom: ZoomAccount, duration: str, minutes: int | None
) -> None:
    call = '{"call_history_uuid":"%s","direction":"inbound","start_time":"2026-11-09T15:00:00Z","duration":%s}'
    body = f'{{"call_history":[{call % (1, 60)},{call % (2, duration)}],"next_page_token":""}}'
    with zoom.session() as session:
        zoom.server.service.faults.add(Fault("body", path="/phone/call_history", status=200, body=body, count=3))
        figures = day_figures(session, {NINTH: {"total_calls": 2, "total_call_minutes": 2}})[NINTH]
    # 60 + 90 seconds are 2.5 minutes, 60 + 89.5 less than that.
    assert figures == {"total_calls": 2, "total_call_minutes": minutes}


def test_a_queue_without_a_status_is_active(zoom: ZoomAccount) -> None:
    zoom.quirks.raw["call_queues"] = ['{"id":"a"}', '{"id":"b","status":""}', '{"id":"c","status":null}']
    zoom.quirks.raw["call_queues"] += ['{"id":"d","status":"Active"}', '{"id":"e","status":"inactive"}']
    with zoom.session() as session:
        assert day_figures(session, {NINTH: {"queue_count": 4}})[NINTH] == {"queue_count": 4}
