"""What surrounds every request: its id, its line in the log, its headers, the answer when it fails."""

import re

import pytest
from django.conf import LazySettings
from django.test import Client

from patron.kernel.observability.tests.conftest import Lines

pytestmark = pytest.mark.urls("patron.kernel.observability.tests.small_site")


@pytest.fixture
def site() -> Client:
    return Client(raise_request_exception=False)


def test_a_request_without_an_id_is_given_one(site: Client) -> None:
    first, second = site.get("/healthz"), site.get("/healthz")

    assert re.fullmatch(r"[0-9a-f]{32}", first.headers["X-Request-Id"])
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("till-7.2026-03-02_0001", True),
        ("short", False),
        ("x" * 65, False),
        ('evil"}{"injected', False),
        ("line\nbreak-1234", False),
    ],
)
def test_a_sane_request_id_is_kept_and_others_are_replaced(site: Client, given: str, kept: bool) -> None:
    answer = site.get("/healthz", headers={"X-Request-Id": given})

    assert (answer.headers["X-Request-Id"] == given) is kept


@pytest.mark.django_db
def test_each_request_writes_one_line_with_what_it_cost(site: Client, log_lines: Lines) -> None:
    site.get("/twice/7/?name=Wong", headers={"X-Request-Id": "till-7-0001"})

    [line] = log_lines.of("request")
    assert {name: line[name] for name in ("level", "logger", "request_id", "method", "path", "route", "status")} == {
        "level": "info",
        "logger": "patron.access",
        "request_id": "till-7-0001",
        "method": "GET",
        "path": "/twice/7/",
        "route": "/twice/<int:number>/",
        "status": 200,
    }
    assert line["queries"] == 2
    assert line["actor"] == ""
    assert 0 < line["query_ms"] <= line["duration_ms"]
    assert "Wong" not in log_lines.stream.getvalue()


@pytest.mark.django_db
def test_a_slow_query_is_told_without_its_parameters(site: Client, log_lines: Lines, settings: LazySettings) -> None:
    settings.SLOW_QUERY_MS = 0

    site.get("/twice/7/", headers={"X-Request-Id": "till-7-0002"})

    lines = log_lines.of("slow query")
    assert [line["sql"] for line in lines] == ["SELECT %s", "SELECT %s"]
    assert {line["request_id"] for line in lines} == {"till-7-0002"}
    assert "secret of Ms Wong" not in log_lines.stream.getvalue()


@pytest.mark.django_db
def test_a_quick_query_is_not_told(site: Client, log_lines: Lines, settings: LazySettings) -> None:
    settings.SLOW_QUERY_MS = 60_000

    site.get("/twice/7/")

    assert log_lines.of("slow query") == []


def test_a_fault_shows_a_number_to_give_and_nothing_internal(site: Client) -> None:
    page = site.get("/broken/", headers={"X-Request-Id": "till-7-0003", "Accept": "text/html"})
    problem = site.get("/api/broken/", headers={"X-Request-Id": "till-7-0004"})

    assert page.status_code == problem.status_code == 500
    assert "till-7-0003" in page.content.decode()
    assert "inner workings" not in page.content.decode() + problem.content.decode()
    assert problem.headers["Content-Type"] == "application/problem+json"
    assert problem.json()["request_id"] == "till-7-0004"
    assert problem.json()["code"] == "internal_error"


def test_a_fault_is_logged_with_its_traceback(site: Client, log_lines: Lines) -> None:
    site.get("/broken/", headers={"X-Request-Id": "till-7-0005"})

    [line] = log_lines.of("Internal Server Error: /broken/")
    assert line["request_id"] == "till-7-0005"
    assert "RuntimeError: the inner workings" in str(line["exception"])


@pytest.mark.parametrize("address", ["/healthz", "/broken/", "/api/broken/", "/nowhere/", "/refused/"])
def test_every_answer_carries_the_security_headers(site: Client, address: str) -> None:
    headers = site.get(address).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Permitted-Cross-Domain-Policies"] == "none"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe-inline" not in headers["Content-Security-Policy"]
    assert "unsafe-eval" not in headers["Content-Security-Policy"]


def test_the_transport_is_pinned_where_the_installation_uses_tls(site: Client, settings: LazySettings) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000

    answer = Client().get("/healthz", secure=True)

    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in site.get("/healthz").headers
