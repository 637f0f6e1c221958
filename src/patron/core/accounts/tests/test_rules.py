from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.core.accounts.rules import DAY_MINUTES, is_open, parse_intervals, shown_intervals


def test_parse_intervals_reads_several_a_day() -> None:
    assert parse_intervals("14:00-21:00, 09:00 – 13:00") == ((540, 780), (840, 1260))
    assert parse_intervals("9.30至18.00；") == ((570, 1080),)
    assert parse_intervals("20:00-24:00") == ((1200, 1440),)
    assert parse_intervals("  ") == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nine to five", "unreadable"),
        ("09:00-25:00", "unreadable"),
        ("09:60-10:00", "unreadable"),
        ("24:00-24:00", "unreadable"),
        ("18:00-09:00", "backwards"),
        ("09:00-09:00", "backwards"),
        ("09:00-13:00, 12:59-18:00", "overlapping"),
    ],
)
def test_parse_intervals_says_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_intervals(text)


def test_touching_intervals_do_not_overlap() -> None:
    assert parse_intervals("09:00-13:00, 13:00-18:00") == ((540, 780), (780, 1080))


@st.composite
def days(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    ends = sorted(draw(st.sets(st.integers(0, DAY_MINUTES), max_size=8)))
    return tuple(zip(ends[::2], ends[1::2], strict=False))


@given(days())
def test_what_is_shown_reads_back(day: tuple[tuple[int, int], ...]) -> None:
    assert parse_intervals(shown_intervals(day)) == day


@given(days(), st.integers(0, DAY_MINUTES - 1))
def test_is_open_exactly_within_the_intervals(day: tuple[tuple[int, int], ...], minute: int) -> None:
    monday = datetime(2026, 3, 2, minute // 60, minute % 60)  # noqa: DTZ001 (a place's own time)
    expected = any(minute in range(start, end) for start, end in day)
    assert is_open({"mon": day}, monday) is expected
    assert is_open({"tue": day}, monday) is False
