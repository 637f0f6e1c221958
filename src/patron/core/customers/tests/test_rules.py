from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.core.customers import rules
from patron.core.customers.rules import Birthday, ConsentGiven


@pytest.mark.parametrize(
    ("family", "given_name", "whole"),
    [
        ("陳", "大文", "陳大文"),
        ("歐陽", "芷晴", "歐陽芷晴"),
        ("Appleby", "John", "John Appleby"),
        ("", "美玲", "美玲"),
        ("Wong", "", "Wong"),
        ("", "", ""),
    ],
)
def test_full_name_puts_chinese_family_names_first(family: str, given_name: str, whole: str) -> None:
    assert rules.full_name(family, given_name) == whole


def test_masks_leave_what_the_counter_needs() -> None:
    assert rules.masked_phone("6123 4567") == "6123 ••••"
    assert rules.masked_phone("+86 138 1234 5678") == "+86 138 1234 ••••"
    assert rules.masked_phone("999") == "•••"
    assert rules.masked_email("meiling@example.com") == "m•••@…"
    assert rules.masked_email("") == ""
    assert rules.masked_text("wang_ml") == "w•••"


@given(st.from_regex(r"\+?[0-9 ]{4,18}", fullmatch=True))
def test_masked_phone_hides_exactly_the_last_four_digits(shown: str) -> None:
    masked = rules.masked_phone(shown)
    digits = sum(letter.isdigit() for letter in shown)
    assert len(masked) == len(shown)
    assert masked.count("•") == min(4, digits)
    assert shown.startswith(masked.split("•", 1)[0])


def test_birthday_hides_the_year() -> None:
    assert rules.birthday(date(1990, 11, 21), unmasked=True) == Birthday(11, 21, 1990)
    assert rules.birthday(date(1990, 11, 21), unmasked=False) == Birthday(11, 21, None)
    assert rules.birthday(None, unmasked=True) is None


@pytest.mark.parametrize(
    ("born", "today", "days"),
    [
        (date(1990, 3, 2), date(2026, 3, 2), 0),
        (date(1990, 3, 1), date(2026, 3, 2), 364),
        (date(1990, 3, 6), date(2026, 3, 2), 4),
        (date(1992, 2, 29), date(2026, 2, 27), 2),
        (date(1992, 2, 29), date(2028, 2, 27), 2),
    ],
)
def test_days_to_birthday(born: date, today: date, days: int) -> None:
    assert rules.days_to_birthday(born, today) == days


@given(st.dates(date(1900, 1, 1), date(2026, 1, 1)), st.dates(date(2026, 1, 1), date(2040, 1, 1)))
def test_a_birthday_is_never_more_than_a_year_away(born: date, today: date) -> None:
    days = rules.days_to_birthday(born, today)
    assert days is not None
    assert 0 <= days <= 365
    coming = today + timedelta(days=days)
    assert (coming.month, coming.day) in ((born.month, born.day), (3, 1))


START = datetime(2026, 1, 1, tzinfo=UTC)
SAID = st.lists(
    st.builds(
        lambda channel, granted, minutes, sequence: ConsentGiven(
            "marketing", channel, granted, START + timedelta(minutes=minutes), sequence=sequence
        ),
        st.sampled_from(["sms", "email", "any"]),
        st.booleans(),
        st.integers(0, 5),
        st.integers(0, 1000),
    ),
    unique_by=lambda consent: consent.sequence,
)


@given(SAID, st.randoms())
def test_latest_consent_wins_in_whatever_order_they_are_read(said: list[ConsentGiven], random) -> None:
    latest = rules.latest_consents(said)
    for (purpose, channel), consent in latest.items():
        rivals = [other for other in said if (other.purpose, other.channel) == (purpose, channel)]
        assert consent == max(rivals, key=lambda other: (other.given_at, other.sequence))
    shuffled = list(said)
    random.shuffle(shuffled)
    assert rules.latest_consents(shuffled) == latest


@given(SAID)
def test_allowed_is_what_was_said_last_of_the_channel_or_of_any(said: list[ConsentGiven]) -> None:
    relevant = [consent for consent in said if consent.channel in ("sms", "any")]
    expected = bool(relevant) and max(relevant, key=lambda c: (c.given_at, c.sequence)).granted
    assert rules.is_allowed(said, purpose="marketing", channel="sms") is expected
    assert rules.is_allowed(said, purpose="profiling", channel="sms") is False
