"""Counting requests."""

from datetime import UTC, datetime, timedelta

import pytest

from patron.kernel.api.rates import count_request, forget_windows
from patron.kernel.models import RateWindow

NOW = datetime(2026, 3, 2, 1, 0, 40, tzinfo=UTC)


@pytest.mark.django_db
def test_requests_are_counted_by_owner_and_minute() -> None:
    allowances = [count_request("key:1", limit=2, now=NOW) for _ in range(3)]
    other = count_request("key:2", limit=2, now=NOW)
    next_minute = count_request("key:1", limit=2, now=NOW + timedelta(seconds=20))

    assert [(a.used, a.remaining, a.exceeded) for a in allowances] == [(1, 1, False), (2, 0, False), (3, 0, True)]
    assert {a.resets_in_seconds for a in allowances} == {20}
    assert (other.used, next_minute.used, next_minute.resets_in_seconds) == (1, 1, 60)


@pytest.mark.django_db
def test_an_allowance_is_told_in_the_headers_of_the_draft_standard() -> None:
    headers = count_request("key:1", limit=600, now=NOW).headers()

    assert headers == {"RateLimit-Policy": '"minute";q=600;w=60', "RateLimit": '"minute";r=599;t=20'}


@pytest.mark.django_db
def test_counting_costs_one_statement(django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        count_request("key:1", limit=2, now=NOW)


@pytest.mark.django_db
def test_old_windows_are_forgotten_and_the_present_one_is_not() -> None:
    count_request("key:1", limit=2, now=NOW - timedelta(minutes=2))
    count_request("key:1", limit=2, now=NOW)

    assert forget_windows(before=NOW) == 1
    assert RateWindow.objects.get().window_start == NOW.replace(second=0)
