"""What stands on a face: pure decisions."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.business.cards.designs import (
    FIELDS,
    PLACES,
    STANDARD,
    DesignError,
    Message,
    contrast,
    parse_design,
    with_places,
)
from patron.business.cards.rules import CardFacts, face_content, is_birthday, is_ean13, masked_name
from patron.business.cards.words import LANGUAGES, WORDS, language_of, number

CHAN = CardFacts(
    on=date(2026, 11, 22),
    number="8800000000000013",
    name="陳大文",
    language="zh-hant",
    programme="貴客會",
    joined_on=date(2020, 1, 5),
    currency="HKD",
    available=Decimal(3420),
    expiring=Decimal(200),
    expires_on=date(2026, 12, 31),
    stored_value=Decimal(150),
    vouchers=2,
    tier="gold",
    tier_name="金卡",
    birth_on=date(1990, 5, 17),
)


def _texts(facts: CardFacts = CHAN) -> dict[str, str]:
    return {each.field: each.text for each in face_content(STANDARD, facts).shown}


def test_the_face_speaks_the_members_language() -> None:
    assert _texts() == {
        "tier": "金卡",
        "name": "陳大文",
        "balance": "3,420",
        "expiring": "2026年12月31日前 200 分",
        "stored_value": "HK$150.00",
        "vouchers": "2",
        "number": "8800 0000 0000 0013",
    }
    assert _texts(replace(CHAN, language="en"))["expiring"] == "200 by 31 Dec 2026"
    assert face_content(STANDARD, CHAN).shown[2].label == "積分"
    assert face_content(STANDARD, replace(CHAN, language="")).language == "en"
    assert face_content(STANDARD, replace(CHAN, language=""), house="zh-hans").shown[2].label == "积分"


@pytest.mark.parametrize(
    ("code", "language"),
    [("zh-HK", "zh-hant"), ("zh_CN", "zh-hans"), ("zh-hans", "zh-hans"), ("en-GB", "en"), ("fr", "en"), ("", "en")],
)
def test_languages_are_taken_as_the_nearest(code: str, language: str) -> None:
    assert language_of(code) == language


def test_every_word_is_there_in_every_language() -> None:
    assert all(len(words) == len(LANGUAGES) and all(words) for words in WORDS.values())


def test_a_field_that_says_nothing_leaves_its_place_empty() -> None:
    bare = replace(CHAN, tier="", tier_name="", stored_value=None, vouchers=None, expires_on=None, expiring=Decimal(0))

    assert set(_texts(bare)) == {"name", "balance", "number"}


def test_points_owed_are_said_as_owed() -> None:
    owing = replace(CHAN, available=Decimal(0), owed=Decimal("90.50"))

    shown = next(each for each in face_content(STANDARD, owing).shown if each.field == "balance")

    assert (shown.label, shown.text) == ("欠積分", "−90.50")


@pytest.mark.parametrize(
    ("change", "occasion", "message"),
    [
        ({"birth_on": date(1990, 11, 25)}, "birthday", "陳大文，祝您生日快樂！"),
        ({}, "expiring", "您有 200 分將於 2026年12月31日 到期，歡迎使用。"),
        (
            {"expires_on": date(2027, 3, 31), "next_tier": "鑽石卡", "missing_amount": Decimal(180)},
            "near_tier",
            "再累積 180 即可升級至鑽石卡。",
        ),
        (
            {"expires_on": date(2027, 3, 31), "next_tier": "鑽石卡", "missing_amount": Decimal(201)},
            "default",
            "多謝光臨！",
        ),
        ({"expires_on": date(2027, 3, 31)}, "default", "多謝光臨！"),
    ],
)
def test_the_most_particular_message_is_said(change: dict[str, Any], occasion: str, message: str) -> None:
    content = face_content(STANDARD, replace(CHAN, **change))

    assert (content.occasion, content.message) == (occasion, message)


def test_a_message_for_the_tier_goes_before_one_for_all() -> None:
    design = replace(
        STANDARD,
        messages=(
            Message("default", {"en": "Welcome."}),
            Message("default", {"en": "Welcome, {tier} member {name}: {points}."}, tier="gold"),
        ),
    )

    assert face_content(design, CHAN).message == "Welcome, 金卡 member 陳大文: 3,420."
    assert face_content(design, replace(CHAN, tier="blue")).message == "Welcome."


def test_a_name_that_looks_like_a_placeholder_stays_a_name() -> None:
    birthday = replace(CHAN, name="{points}", birth_on=CHAN.on, language="en")

    assert face_content(STANDARD, birthday).message == "Happy birthday, {points}!"


@pytest.mark.parametrize(
    ("birth_on", "on", "within", "kept"),
    [
        (date(1990, 1, 2), date(2026, 12, 30), 7, True),
        (date(1990, 12, 30), date(2027, 1, 2), 3, True),
        (date(1990, 12, 30), date(2027, 1, 3), 3, False),
        (date(1992, 2, 29), date(2026, 2, 28), 0, True),
        (date(1992, 2, 29), date(2028, 2, 29), 0, True),
        (date(1992, 2, 29), date(2028, 2, 28), 0, False),
        (None, date(2026, 1, 1), 31, False),
    ],
)
def test_birthdays_are_kept_across_new_year_and_leap_days(
    birth_on: date | None, on: date, within: int, kept: bool
) -> None:
    assert is_birthday(birth_on, on, within=within) is kept


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("陳大文", "陳*文"),
        ("王芳", "王*"),
        ("歐陽美玲", "歐**玲"),
        ("Chan Tai Man", "C** T** M**"),
        ("Bo Li", "B* L*"),
        ("王", "王"),
    ],
)
def test_names_are_masked_so_that_only_their_owner_knows_them(name: str, masked: str) -> None:
    assert masked_name(name) == masked
    assert face_content(replace(STANDARD, masks_name=True), replace(CHAN, name=name)).text_of("name") == masked


def test_a_blocked_card_says_so() -> None:
    content = face_content(STANDARD, replace(CHAN, blocked=True))

    assert (content.blocked, content.blocked_words) == (True, "此卡已失效")


def test_a_code_that_cannot_hold_the_number_becomes_one_that_can() -> None:
    ean = replace(STANDARD, code="ean13")

    assert face_content(ean, CHAN).code == "code128"
    assert face_content(ean, replace(CHAN, number="4006381333931")).code == "ean13"
    assert not is_ean13("4006381333932")


def test_equal_facts_give_equal_hashes_and_others_do_not() -> None:
    same, later = face_content(STANDARD, CHAN), face_content(STANDARD, replace(CHAN, available=Decimal(3421)))

    assert same.content_hash == face_content(STANDARD, replace(CHAN)).content_hash
    assert same.content_hash != later.content_hash
    assert same.content_hash != face_content(STANDARD, CHAN, design_key="2").content_hash
    tomorrow = replace(CHAN, on=CHAN.on + timedelta(days=1))
    assert same.content_hash == face_content(STANDARD, tomorrow).content_hash


def test_a_design_comes_back_from_its_json() -> None:
    assert parse_design(STANDARD.as_json()) == parse_design({})
    assert parse_design(STANDARD.as_json()).as_json() == STANDARD.as_json()


@given(
    st.dictionaries(st.sampled_from(PLACES), st.sampled_from(FIELDS)),
    st.sampled_from(["qr", "code128", "ean13"]),
    st.booleans(),
)
def test_designs_that_are_taken_come_back_the_same(places: dict[str, str], code: str, masks: bool) -> None:
    given_ = {"places": places, "code": code, "masks_name": masks}
    if len(set(places.values())) < len(places):
        with pytest.raises(DesignError):
            parse_design(given_)
        return
    spec = parse_design(given_)

    assert parse_design(spec.as_json()) == spec
    assert {each.field for each in face_content(spec, CHAN).shown} <= set(places.values())


@pytest.mark.parametrize(
    ("spec", "place", "code"),
    [
        ({"ground": "teal"}, "ground", "colour"),
        ({"ink": "#0f766f"}, "ink", "unreadable"),
        ({"places": {"foot": "password"}}, "places.foot", "choice"),
        ({"places": {"foot": "name", "corner": "name"}}, "places.foot", "twice"),
        ({"messages": [{"occasion": "default", "texts": {"en": "{secret}"}}]}, "messages.0", "placeholder"),
        ({"messages": [{"occasion": "default", "texts": {"en": "x" * 121}}]}, "messages.0", "long"),
        ({"messages": [{"occasion": "funeral", "texts": {}}]}, "messages.0", "choice"),
        ({"expiring_days": 400}, "expiring_days", "whole"),
        ({"code": "aztec"}, "code", "choice"),
        ({"font": "Comic"}, "font", "unknown"),
    ],
)
def test_designs_that_cannot_be_drawn_are_refused(spec: dict[str, Any], place: str, code: str) -> None:
    with pytest.raises(DesignError) as refused:
        parse_design(spec)

    assert (refused.value.place, refused.value.code) == (place, code)


def test_contrast_is_that_of_wcag() -> None:
    assert round(contrast("#ffffff", "#000000"), 2) == 21
    assert round(contrast("#0f766e", "#ffffff"), 2) == 5.47


def test_places_are_changed_one_by_one() -> None:
    spec = with_places(STANDARD, third="joined", second="")

    assert spec.places["third"] == "joined"
    assert "second" not in spec.places


@given(st.decimals(min_value=0, max_value=10**12, places=2))
def test_numbers_lose_nothing(value: Decimal) -> None:
    assert Decimal(number(value).replace(",", "")) == value
