"""Alive, ready, counted."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client

from patron.kernel.observability import health, metrics

pytestmark = pytest.mark.urls("patron.kernel.observability.tests.small_site")


def _value(text: str, series: str) -> float:
    return next((float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(series)), 0.0)


def test_alive_asks_nothing_of_the_database(client: Client) -> None:
    answer = client.get("/healthz")  # without the django_db mark a query would fail

    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_ready_when_every_check_holds(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for check in list(health.readiness):
        if check.name not in {"database", "migrations"}:
            monkeypatch.delitem(health.readiness._items, check.name)

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "checks": {"database": {"ok": True, "fault": ""}, "migrations": {"ok": True, "fault": ""}},
    }


@pytest.mark.django_db
def test_not_ready_names_what_is_wrong(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    check = health.ReadinessCheck("cellar", lambda: "the cellar is empty")
    monkeypatch.setitem(health.readiness._items, "cellar", check)

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["cellar"] == {"ok": False, "fault": "the cellar is empty"}


@pytest.mark.django_db
def test_not_ready_while_migrations_are_missing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrations_in_step", False)
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE id = (SELECT max(id) FROM django_migrations WHERE app = 'kernel')"
        )

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["migrations"]["fault"].startswith("1 migrations are missing")


@pytest.mark.django_db
def test_metrics_count_requests_by_route_method_and_status(client: Client) -> None:
    series = 'patron_http_request_seconds_count{method="GET",route="/twice/<int:number>/",status="200"}'
    before = client.get("/metrics").content.decode()

    client.get("/twice/7/")
    client.get("/twice/8/")

    after = client.get("/metrics").content.decode()
    assert _value(after, series) - _value(before, series) == 2
    assert _value(after, "patron_database_queries_total") - _value(before, "patron_database_queries_total") >= 4


@pytest.mark.django_db
def test_metrics_tell_how_many_jobs_wait(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status, scheduled_at) "
            "VALUES ('q', 't', 'todo', %s), ('q', 't', 'todo', NULL), ('q', 't', 'failed', NULL)",
            [datetime(2026, 3, 2, tzinfo=UTC)],
        )

    text = client.get("/metrics").content.decode()

    assert [_value(text, f'patron_jobs{{status="{status}"}}') for status in ("todo", "doing", "failed")] == [2, 0, 1]


@pytest.mark.django_db
def test_a_gauge_that_breaks_leaves_the_others(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_() -> dict[str, float]:
        raise RuntimeError

    monkeypatch.setitem(metrics.gauges._items, "bad", metrics.Gauge("bad", "Breaks.", break_))

    text = client.get("/metrics").content.decode()

    assert "patron_jobs" in text
    assert "bad" not in text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("10.1.2.3", {}, 200),
        ("::1", {}, 200),
        ("8.8.8.8", {}, 403),
        ("", {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "8.8.8.8"}, 403),
    ],
)
def test_metrics_are_for_the_private_network(address: str, headers: dict[str, str], status: int) -> None:
    assert Client(REMOTE_ADDR=address).get("/metrics", headers=headers).status_code == status


@pytest.mark.django_db
def test_metrics_with_a_token_are_for_whoever_has_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATRON_METRICS_TOKEN", "s3cret")

    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer s3cret"}).status_code == 200
