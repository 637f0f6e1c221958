"""How the API says no: always as a problem, never with a word of the inside."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError

from patron.touchpoints.api.endpoints import branches
from patron.touchpoints.api.tests.conftest import Caller

pytestmark = pytest.mark.django_db


def _problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    body: dict[str, Any] = answer.json()
    assert set(body) == {
        "type", "title", "status", "detail", "code", "instance", "request_id", "errors", "details",
    }  # fmt: skip
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:patron:problem:{code}")
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert answer.headers["Cache-Control"] == "no-store"
    return body


def test_an_address_that_does_not_exist(caller: Caller) -> None:
    body = _problem(caller.get("/nowhere/at/all"), 404, "not_found")

    assert body["instance"] == "/api/v1/nowhere/at/all"


def test_a_thing_that_does_not_exist(caller: Caller) -> None:
    _problem(caller.get("/branches/nowhere"), 404, "not_found")
    _problem(caller.get("/branches/%00"), 404, "not_found")


def test_a_method_that_the_address_does_not_answer(caller: Caller) -> None:
    answer = caller.send("DELETE", "/branches", {})

    body = _problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET"
    assert body["details"] == {"allowed": "GET"}


def test_a_query_that_is_not_valid_names_the_parameter(caller: Caller) -> None:
    body = _problem(caller.get("/branches", {"limit": "201"}), 422, "invalid_input")

    assert body["errors"] == [
        {"in": "query", "field": "limit", "code": "too_large", "message": "This is too large: the limit is 200."}
    ]
    _problem(caller.get("/branches", {"limit": "9" * 400}), 422, "invalid_input")
    _problem(caller.get("/branches", {"cursor": "a\x00b"}), 422, "invalid_input")
    _problem(caller.get("/branches", {"cursor": "forged"}), 422, "invalid_cursor")


def test_a_fault_of_ours_gives_a_number_and_nothing_internal(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_(actor: object) -> None:
        raise RuntimeError("the inner workings")

    monkeypatch.setattr(branches, "get_visible_branches", break_)

    answer = caller.get("/branches", X_Request_Id="till-7-0001")

    body = _problem(answer, 500, "internal_error")
    assert body["request_id"] == "till-7-0001"
    assert "inner workings" not in answer.content.decode()


def test_a_database_that_fails_is_told_as_such(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_(actor: object) -> None:
        raise OperationalError("server closed the connection unexpectedly at 10.0.0.1")

    monkeypatch.setattr(branches, "get_visible_branches", break_)

    answer = caller.get("/branches")

    _problem(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert "10.0.0.1" not in answer.content.decode()


def test_debugging_does_not_change_what_callers_see(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    settings.DEBUG = True
    monkeypatch.setattr(branches, "get_visible_branches", lambda _actor: 1 / 0)

    _problem(caller.get("/branches"), 500, "internal_error")
