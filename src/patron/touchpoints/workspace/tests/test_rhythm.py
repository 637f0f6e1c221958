"""The usual gap is the middle half of the last gaps."""

from datetime import date, timedelta

from patron.touchpoints.workspace.rhythm import usual_days

START = date(2026, 1, 1)


def _days(*gaps: int) -> list[date]:
    days = [START]
    for gap in gaps:
        days.append(days[-1] + timedelta(days=gap))
    return days


def test_middle_half_of_the_gaps() -> None:
    assert usual_days(_days(5, 6, 7, 6, 30)) == (6, 7)


def test_too_few_visits_have_no_habit() -> None:
    assert usual_days(_days(5, 6, 7)) is None


def test_two_purchases_of_one_day_are_one_visit_in_any_order() -> None:
    assert usual_days([*reversed(_days(6, 6, 6, 6)), START, START]) == (6, 6)


def test_only_the_last_twelve_gaps_count() -> None:
    assert usual_days(_days(*[50] * 20, *[7] * 12)) == (7, 7)
