"""What QuickBooks' errors mean, in every form they come in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestration.errors import ConfigurationError, PermanentError
from orchestration.sources.core.http import Reply, Unauthorized
from orchestration.sources.core.retry import TryAgain
from orchestration.sources.quickbooks.faults import Forbidden, TooLarge, inspect


def reply(status: int, body: Any = None, *, path: str = "query", **headers: str) -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body if body is not None else {}).encode()
    return Reply(status, headers, content, f"quickbooks.test/v3/company/9130/{path}")


def fault(code: str, kind: str = "", *, lower: bool = False) -> dict[str, Any]:
    if lower:
        error = [{"message": f"message=Failed; errorCode={code}", "detail": "why", "code": code, "element": None}]
        return {"warnings": None, "fault": {"error": error, "type": kind}, "queryResponse": None}
    return {"Fault": {"Error": [{"Message": "Failed", "Detail": "why", "code": code, "element": ""}], "type": kind}}


@pytest.mark.parametrize("status", [200, 400, 401, 403])
@pytest.mark.parametrize("code", ["3200", "003200"])
@pytest.mark.parametrize("lower", [True, False])
def test_an_expired_token_asks_for_a_new_one(status: int, code: str, lower: bool) -> None:
    with pytest.raises(Unauthorized, match=r"why \(code 3200\)"):
        inspect(reply(status, fault(code, "AUTHENTICATION", lower=lower)))


def test_a_401_without_a_word_asks_for_a_new_token_too() -> None:
    with pytest.raises(Unauthorized):
        inspect(reply(401, b""))


@pytest.mark.parametrize("status", [200, 400, 401, 403])
@pytest.mark.parametrize("code", ["3100", "003100", "3201", "3202"])
def test_an_app_that_is_not_this_companys_is_a_matter_of_configuration(status: int, code: str) -> None:
    with pytest.raises(ConfigurationError, match="denies access") as caught:
        inspect(reply(status, fault(code, "AUTHORIZATION")))
    assert "realm_id" in caught.value.hint


def test_access_that_fails_now_and_then_is_asked_for_with_a_new_token_before_it_counts_as_lost() -> None:
    """120 is a user who lost access, with 401, and at other times Intuit's own trouble, with either status."""
    text = "AuthorizationFailure: -11014-You do not have access to use QuickBooks Online Plus."
    with pytest.raises(Unauthorized, match="-11014-You do not have"):
        inspect(reply(401, xml_fault("120", "AuthorizatonFault", "Authorization Failure", detail=text)))
    text = "AuthorizationFailure: Unknown Error during Authentication, statusCode: 500"
    with pytest.raises(TryAgain, match="Unknown Error"):
        inspect(reply(500, xml_fault("120", "AuthorizatonFault", "Authorization Failure", detail=text)))


# As Intuit answered in an outage.
OUTAGE = {
    "warnings": None,
    "intuitObject": None,
    "fault": {
        "error": [
            {
                "message": "message=InternalServerError; errorCode=003100; statusCode=500",
                "detail": None,
                "code": "3100",
                "element": None,
            }
        ],
        "type": "SERVICE",
    },
    "report": None,
    "time": 1519164488680,
}


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize(
    "body", [OUTAGE, fault("3100", "AUTHORIZATION"), fault("3201", "AUTHENTICATION"), fault("003202")]
)
def test_a_code_of_access_with_5xx_is_an_outage_and_asked_again(status: int, body: dict[str, Any]) -> None:
    with pytest.raises(TryAgain, match=f"failed with {status}") as caught:
        inspect(reply(status, body))
    # What if it isn't.
    assert "realm_id" in caught.value.hint
    assert "run the sync again later" in caught.value.hint


def test_an_outage_without_such_a_code_says_nothing_of_access() -> None:
    with pytest.raises(TryAgain) as caught:
        inspect(reply(500, fault("10000", "SystemFault")))
    assert caught.value.hint == ""


@pytest.mark.parametrize("status", [200, 400, 403])
def test_what_the_connected_user_may_not_read_is_one_streams_matter_with_a_way_out(status: int) -> None:
    detail = "Permission Denied Error : You do not have the access rights to use this feature."
    error = {"Message": "Permission Denied Error", "Detail": detail, "code": "5020", "element": "ReportName"}
    with pytest.raises(Forbidden, match=r"rights to use this feature\. \(code 5020\)") as caught:
        inspect(reply(status, {"Fault": {"Error": [error], "type": "ValidationFault"}}))
    # A ConfigurationError would end the company's other streams as well.
    assert isinstance(caught.value, PermanentError)
    assert caught.value.kind == "configuration"
    assert "the user who connected the company" in caught.value.hint
    assert "skip_streams" in caught.value.hint


@pytest.mark.parametrize("code", ["7001", "007001", "6190"])
def test_a_company_whose_subscription_lapsed_is_a_matter_of_configuration(code: str) -> None:
    text = "message=Subscription for company has lapsed or Invalid destination URL is used; errorCode=007001"
    with pytest.raises(ConfigurationError, match="Subscription for company has lapsed") as caught:
        inspect(reply(400, {"Fault": {"Error": [{"Message": text, "code": code}], "type": "SERVICE"}}))
    assert "subscription may have lapsed" in caught.value.hint
    assert "realm_id" in caught.value.hint


def test_a_403_is_a_matter_of_configuration_whatever_it_says() -> None:
    with pytest.raises(ConfigurationError):
        inspect(reply(403, b"<html>Forbidden</html>"))


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Sun, 08 Mar 2026 12:00:30 GMT", "date": "Sun, 08 Mar 2026 12:00:00 GMT"}, 30.0),
        ({"retry-after": "2026-03-08T12:00:45Z", "date": "Sun, 08 Mar 2026 12:00:00 GMT"}, 45.0),
    ],
)
def test_a_throttle_waits_as_long_as_it_says_or_a_minute(headers: dict[str, str], after: float | None) -> None:
    with pytest.raises(TryAgain, match="throttles") as caught:
        inspect(reply(429, fault("003001", "ThrottleExceeded"), **headers))
    assert caught.value.after == after
    assert caught.value.at_least == 60.0
    assert "monthly quota" in caught.value.hint


def test_a_throttle_may_come_with_any_status() -> None:
    with pytest.raises(TryAgain, match="throttles"):
        inspect(reply(200, fault("3001", lower=True)))


def xml_fault(code: str, kind: str, message: str, *, detail: str = "why") -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<IntuitResponse time="2016-10-10T12:14:28.801-07:00" xmlns="http://schema.intuit.com/finance/v3">
    <Fault type="{kind}">
        <Error code="{code}">
            <Message>{message}</Message>
            <Detail>{detail}</Detail>
        </Error>
    </Fault>
</IntuitResponse>
""".encode()


@pytest.mark.parametrize("status", [200, 403, 429])
def test_a_throttle_told_in_xml_is_a_throttle_and_no_denied_access(status: int) -> None:
    text = f"message=ThrottleExceeded; errorCode=003001; statusCode={status}"
    body = xml_fault("3001", "SERVICE", text, detail="The request limit was reached.  Try again later")
    with pytest.raises(TryAgain, match=r"throttles: .*The request limit was reached.*\(code 3001\)") as caught:
        inspect(reply(status, body))
    assert caught.value.at_least == 60.0


def test_what_xml_tells_means_what_it_means_in_json() -> None:
    with pytest.raises(TryAgain, match="code 10000"):
        inspect(reply(400, xml_fault("10000", "SystemFault", "An application error has occurred")))
    with pytest.raises(Unauthorized, match="code 3200"):
        inspect(reply(401, xml_fault("3200", "AUTHENTICATION", "message=AuthenticationFailed; errorCode=003200")))
    with pytest.raises(Forbidden, match="code 5020"):
        inspect(reply(400, xml_fault("5020", "ValidationFault", "Permission Denied Error"), path="reports/CashFlow"))
    with pytest.raises(ConfigurationError, match=r"denies access: .*code 3100"):
        inspect(reply(403, xml_fault("3100", "AuthorizationFault", "message=ApplicationAuthorizationFailed")))


@pytest.mark.parametrize("body", [b"<IntuitResponse/>", b"<html><Fault></html>", b"<" + b" " * 70_000])
def test_xml_without_a_fault_is_judged_by_its_status(body: bytes) -> None:
    with pytest.raises(ConfigurationError):
        inspect(reply(403, body))
    with pytest.raises(TryAgain, match="not JSON"):
        inspect(reply(200, body))


@pytest.mark.parametrize(("status", "slow"), [(500, False), (502, False), (503, False), (504, True), (408, True)])
def test_a_server_in_trouble_is_asked_again(status: int, slow: bool) -> None:
    with pytest.raises(TryAgain) as caught:
        inspect(reply(status, b"<html>Bad Gateway</html>"))
    assert caught.value.slow is slow


def test_a_system_failure_is_asked_again_whatever_its_status() -> None:
    with pytest.raises(TryAgain):
        inspect(reply(200, fault("10000", "SystemFault")))


@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_answer_that_would_be_too_large_is_told_from_a_wrong_question(status: int) -> None:
    detail = "Result Set Big Error : Report too large, please customize"
    error = {"Message": "Result Set Big Error", "Detail": detail, "code": "10100", "element": "ReportName"}
    with pytest.raises(TooLarge, match=r"Report too large, please customize \(code 10100\)") as caught:
        inspect(reply(status, {"Fault": {"Error": [error], "type": "ValidationFault"}}))
    assert caught.value.hint


@pytest.mark.parametrize("status", [200, 400])
def test_a_query_that_is_wrong_is_a_defect(status: int) -> None:
    with pytest.raises(PermanentError, match=r"Failed: why \(code 4000\)") as caught:
        inspect(reply(status, fault("4000", "ValidationFault")))
    assert "Intuit's support" in caught.value.hint


@pytest.mark.parametrize(
    "body",
    [
        {"QueryResponse": fault("4001", "Validation")},
        {"CDCResponse": [{"QueryResponse": [{"Invoice": []}, fault("4001", "Validation")]}]},
        {"CDCResponse": {"QueryResponse": fault("4001", "Validation")}},
        {"Fault": "4001"},
        {"Fault": {"Error": "4001"}},
        {"Fault": {"Error": {"Message": "4001"}}},
    ],
)
def test_a_fault_inside_a_200_is_an_error_wherever_it_stands(body: dict[str, Any]) -> None:
    with pytest.raises(PermanentError):
        inspect(reply(200, body))


@pytest.mark.parametrize("body", [{}, {"fault": None}, {"QueryResponse": {}}, {"Fault": {}}, {"Rows": {}}])
def test_data_passes(body: dict[str, Any]) -> None:
    inspect(reply(200, body, path="reports/ProfitAndLoss"))
    inspect(reply(200, {"QueryResponse": {}} | body))


@pytest.mark.parametrize("body", [{}, {"time": "2026-03-01T00:00:00Z"}, {"fault": None}, {"queryresponse": {}}])
def test_a_query_answered_without_a_response_is_asked_again_and_never_an_empty_list(body: dict[str, Any]) -> None:
    with pytest.raises(TryAgain, match=r"answered 200 without a QueryResponse"):
        inspect(reply(200, body))


@pytest.mark.parametrize("body", [b"<html>maintenance</html>", b'{"QueryResponse": {', b"", b"[1]", b"null"])
def test_a_200_that_is_no_object_is_asked_again(body: bytes) -> None:
    with pytest.raises(TryAgain):
        inspect(reply(200, body))


def test_the_trace_id_is_passed_on_for_support() -> None:
    with pytest.raises(PermanentError, match=r"\[intuit_tid 1-abc\]"):
        inspect(reply(400, fault("4000"), intuit_tid="1-abc"))


@pytest.mark.parametrize("status", [301, 302, 404])
def test_a_wrong_address_says_what_to_check(status: int) -> None:
    with pytest.raises(PermanentError) as caught:
        inspect(reply(status, b"Not Found"))
    assert caught.value.hint == "check base_url and realm_id."
