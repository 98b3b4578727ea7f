"""The HTTP client against a server that misbehaves, over real sockets."""

from __future__ import annotations

import gzip
import json
import logging

import pytest
from fault_server import FaultServer, answer, cut_off, drip, drip_headers, reset

from orchestration.errors import ConfigurationError, PermanentError, TransientError
from orchestration.logs import register_secret
from orchestration.sources.core.auth import Bearer
from orchestration.sources.core.http import HttpClient, Reply, Unauthorized
from orchestration.sources.core.retry import RetryPolicy, TooSlow, TryAgain

GOOD = {"rows": [1, 2, 3]}


def inspect(reply: Reply) -> None:
    if reply.status == 401:
        raise Unauthorized(reply.excerpt)
    if reply.status >= 500:
        raise TryAgain(f"failed with {reply.status}")
    if reply.status == 200:
        _ = reply.json


def client(**settings: object) -> HttpClient:
    return HttpClient(inspect=inspect, policy=RetryPolicy(attempts=3), **settings)  # type: ignore[arg-type]


def test_what_goes_wrong_on_the_way_is_asked_for_again(fault_server: FaultServer) -> None:
    fault_server.plays(reset, cut_off(json.dumps(GOOD).encode()), answer(GOOD))
    with client() as http:
        assert http.call("GET", fault_server.url).json == GOOD
        assert http.stats.requests == 3
        assert http.stats.retries == 2


@pytest.mark.parametrize(
    "half",
    [
        answer(b'{"rows": [1, 2'),
        answer(b"not gzip at all", headers={"Content-Encoding": "gzip"}),
        answer(gzip.compress(json.dumps(GOOD).encode())[:-12], headers={"Content-Encoding": "gzip"}),
        cut_off(b'{"rows": [1, 2, 3]}'),
    ],
    ids=["half of the JSON", "invalid gzip", "half of the gzip", "fewer bytes than promised"],
)
def test_half_an_answer_is_never_taken_for_one(fault_server: FaultServer, half: object) -> None:
    fault_server.plays(half)  # type: ignore[arg-type]
    with client() as http, pytest.raises(TransientError, match="tried 3 times"):
        http.call("GET", fault_server.url)
    assert len(fault_server.seen) == 3


def test_a_compressed_answer_is_unpacked(fault_server: FaultServer) -> None:
    fault_server.plays(answer(gzip.compress(json.dumps(GOOD).encode()), headers={"Content-Encoding": "gzip"}))
    with client() as http:
        assert http.call("GET", fault_server.url).json == GOOD


def test_a_page_instead_of_data_is_quoted_without_credentials(fault_server: FaultServer) -> None:
    register_secret("canary-4711-secret")
    page = b"<html>\n <body>Sorry, canary-4711-secret is down" + b" for now" * 100
    fault_server.plays(answer(page))
    with client() as http, pytest.raises(TransientError) as caught:
        http.call("GET", fault_server.url)
    assert "<html> <body>Sorry, *** is down" in caught.value.message
    assert len(caught.value.message) < 500


@pytest.mark.parametrize("with_length", [True, False])
def test_a_slow_drip_ends_at_the_deadline_though_every_byte_is_in_time(
    fault_server: FaultServer, with_length: bool
) -> None:
    fault_server.plays(drip(b'{"rows": [1, 2, 3]}' * 50, 0.05, with_length=with_length))
    with client(deadline=0.3, read_timeout=5.0) as http, pytest.raises(TooSlow, match="still answering after"):
        http.call("GET", fault_server.url, patient=False)


def test_dripping_headers_end_at_the_deadline_too(fault_server: FaultServer) -> None:
    fault_server.plays(drip_headers(0.05))
    with client(deadline=0.3, read_timeout=5.0) as http, pytest.raises(TooSlow, match="still answering after"):
        http.call("GET", fault_server.url, patient=False)


def test_the_client_is_as_good_as_new_after_a_deadline(fault_server: FaultServer) -> None:
    fault_server.plays(drip_headers(0.05), answer(GOOD))
    with client(deadline=0.3) as http:
        assert http.call("GET", fault_server.url).json == GOOD


def test_silence_ends_at_the_read_timeout(fault_server: FaultServer) -> None:
    fault_server.plays(drip(b"x", 60.0))
    with client(read_timeout=0.2) as http, pytest.raises(TooSlow, match="did not answer in time"):
        http.call("GET", fault_server.url, patient=False)


def test_nobody_listening_is_transient() -> None:
    with client() as http, pytest.raises(TransientError, match="ConnectError"):
        http.call("GET", "http://127.0.0.1:9")


def test_a_service_that_is_down_is_not_tried_at_full_length_every_time(fault_server: FaultServer) -> None:
    fault_server.plays(answer({}, 503))
    with HttpClient(inspect=inspect, policy=RetryPolicy(attempts=6)) as http:
        for _ in range(2):
            with pytest.raises(TransientError):
                http.call("GET", fault_server.url)
        assert len(fault_server.seen) == 6 + 2
        fault_server.plays(answer(GOOD), *[answer({}, 503)] * 4, answer(GOOD))
        assert http.call("GET", fault_server.url).json == GOOD
        assert http.call("GET", fault_server.url).json == GOOD


def test_an_endless_body_is_refused(fault_server: FaultServer) -> None:
    fault_server.plays(answer(b"[" + b"1," * 100_000 + b"1]"))
    with client(largest_body=100_000) as http, pytest.raises(PermanentError, match="more than 0 MiB"):
        http.call("GET", fault_server.url)


def test_credentials_do_not_follow_a_redirect(fault_server: FaultServer) -> None:
    fault_server.plays(answer(b"", 302, {"Location": "http://127.0.0.1:9/elsewhere"}))
    with client(auth=Bearer("token-1234567")) as http, pytest.raises(PermanentError, match="answered 302"):
        http.call("GET", fault_server.url)
    assert len(fault_server.seen) == 1


def test_a_fixed_token_that_is_refused_is_a_configuration_error_at_once(fault_server: FaultServer) -> None:
    fault_server.plays(answer({"message": "expired"}, 401))
    with (
        client(auth=Bearer("token-1234567")) as http,
        pytest.raises(ConfigurationError, match="credentials are refused"),
    ):
        http.call("GET", fault_server.url)
    assert [request.headers["authorization"] for request in fault_server.seen] == ["Bearer token-1234567"]


def test_no_credential_reaches_a_log(fault_server: FaultServer, caplog: pytest.LogCaptureFixture) -> None:
    fault_server.plays(answer({}, 503), answer(GOOD))
    with caplog.at_level(logging.DEBUG), client(auth=Bearer("canary-bearer-98765")) as http:
        http.call("GET", fault_server.url)
    assert fault_server.seen[0].headers["authorization"] == "Bearer canary-bearer-98765"
    assert "canary-bearer-98765" not in caplog.text
