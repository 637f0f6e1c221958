"""How values are written, in each language."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

from patron.kernel.money import Money
from patron.kernel.ui import formats

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


@pytest.mark.parametrize(
    ("value", "currency", "written"),
    [
        (Decimal("1234.5"), "HKD", "HK$1,234.50"),
        (Decimal("-7"), "HKD", "−HK$7.00"),
        (Decimal("0.005"), "HKD", "HK$0.01"),
        (Decimal("1234567"), "JPY", "JP¥1,234,567"),
        (Decimal("9.99"), "", "9.99"),
        (Money(Decimal("12.30"), "TWD"), "", "NT$12.30"),
        (Decimal("5"), "XAF", f"XAF{NBSP}5.00"),
        (None, "HKD", "–"),
    ],
)
def test_money(value, currency, written):
    assert formats.money(value, currency) == written


@pytest.mark.parametrize("language", ["en", "zh-hant", "zh-hans"])
def test_digits_are_grouped_by_three_in_every_language(language):
    with translation.override(language):
        assert formats.count(1234567) == "1,234,567"
        assert formats.money(Decimal("81204.4"), "HKD", places=0) == "HK$81,204"


def test_percent_has_a_space_in_english_and_none_in_chinese():
    assert formats.percent(Decimal("0.546")) == f"54.6{NBSP}%"
    assert formats.percent(0.042, signed=True) == f"+4.2{NBSP}%"
    assert formats.percent(-0.5, 0, signed=True) == f"−50{NBSP}%"
    assert formats.percent(0, signed=True) == f"0.0{NBSP}%"
    with translation.override("zh-hant"):
        assert formats.percent(0.2, 0) == "20%"


@pytest.mark.parametrize(
    ("style", "english", "chinese"),
    [
        ("full", "Sat 21 Nov 2026", "2026年11月21日 星期六"),
        ("day", "21 Nov 2026", "2026年11月21日"),
        ("short", "21 Nov", "11月21日"),
        ("month", "Nov 2026", "2026年11月"),
    ],
)
def test_day_in_each_style(style, english, chinese):
    assert formats.day(date(2026, 11, 21), style) == english
    with translation.override("zh-hant"):
        assert formats.day(date(2026, 11, 21), style) == chinese


def test_instant_is_shown_in_the_zone_asked_for():
    at = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)

    with timezone.override(ZoneInfo("Asia/Hong_Kong")):
        assert formats.instant(at) == "Sat 21 Nov 06:00"
        assert formats.day(at) == "21 Nov 2026"
    assert formats.instant(at, ZoneInfo("Europe/London")) == "Fri 20 Nov 22:00"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (date(2026, 11, 21), "today"),
        (date(2026, 11, 20), "yesterday"),
        (date(2026, 11, 2), "19 days ago"),
        (date(2026, 8, 24), "89 days ago"),
        (date(2026, 6, 1), "5 months ago"),
        (date(2023, 11, 1), "3 years ago"),
        (date(2026, 12, 1), "1 Dec 2026"),
        (None, "–"),
    ],
)
def test_since(value, written):
    assert formats.since(value, date(2026, 11, 21)) == written


@pytest.mark.parametrize(
    ("name", "shown"),
    [("王美玲", "王"), ("Chan Siu Ming", "CM"), ("Cher", "C"), ("  ", "?"), ("歐陽 菲菲", "歐")],
)
def test_initials(name, shown):
    assert formats.initials(name) == shown


def test_by_name_refuses_what_a_style_cannot_show():
    assert formats.by_name(Decimal("1.5"), "money", currency="HKD") == "HK$2"
    assert formats.by_name(Decimal("0.5"), "price", currency="HKD") == "HK$0.50"
    assert formats.by_name(None, "count") == "–"
    assert formats.by_name(date(2026, 1, 5), "month") == "Jan 2026"
    with pytest.raises(ValueError, match="a count cell cannot show str"):
        formats.by_name("many", "count")
    with pytest.raises(ValueError, match="no cell style 'roman'"):
        formats.by_name(4, "roman")


def test_sentences_follow_one_another_without_a_space_in_chinese():
    assert formats.sentences("One.", "", "Two.") == "One. Two."
    with translation.override("zh-hant"):
        assert formats.sentences("一。", "", "二。") == "一。二。"
