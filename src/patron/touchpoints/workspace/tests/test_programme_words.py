"""The programme in words: sentences of rules, refusals and oddities, in the three languages' order of words."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

import patron.business.loyalty.rules
from patron.business.loyalty import filters
from patron.business.loyalty.rules.sanity import oddities
from patron.business.loyalty.rules.terms import Bonus, Event, Expiry, Terms
from patron.touchpoints.workspace import programme_draft as drafts
from patron.touchpoints.workspace import programme_words as words
from patron.touchpoints.workspace.programme_warnings import oddity_words, refusal_words

TUESDAY = {
    "code": "tuesday", "name": "Tuesday", "effect": "multiply", "factor": "2", "categories": ["Food > Dairy"],
    "weekdays": [2], "tiers": ["gold"],
}  # fmt: skip
LADDER = {"ladder": [{"code": "gold", "name": "Gold", "threshold": "1000", "multiplier": "1.5"}]}


def _bonus(**settings: Any) -> str:
    return words.bonus_words(Bonus.read({"code": "b", "name": "B", **settings}, ""), "HKD", {"gold": "Gold"})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (TUESDAY, "Double points on Dairy, every Tuesday, for Gold members."),
        ({"factor": "2.5", "branches": ["K1"]}, "2.5 × points, in K1."),
        (
            {"effect": "per_amount", "points": "1", "amount": "10", "brands": ["Vita"], "minimum": "100"},
            "1 point more per HK$10.00 on Vita, from HK$100.00 in one purchase.",
        ),
        (
            {"effect": "per_item", "points": "1", "unit": "stamps", "products": ["MILK"]},
            "1 stamp more for each item on MILK.",
        ),
        (
            {"effect": "fixed", "points": "100", "first_purchase": True, "group": "hello", "cap": {"day": "100"}},
            "100 points more, on the first purchase, at most 100 points a day, only the best of “hello” counts.",
        ),
        (
            {"factor": "3", "from_time": "14:00", "until_time": "17:00", "until_on": "2026-12-31",
             "segments": ["lifecycle:reactivated", "value:A"]},
            ("Triple points, from 14:00 to 17:00 o'clock, until 31 Dec 2026, for customers who are Reactivated or "
            "A class."),
        ),
        (
            {"factor": "2", "birthday": "week", "every_nth_visit": 5, "tenders": ["stored_value"], "qualifies": True},
            ("Double points, paid by: Stored value, in the week of the birthday, every 5 visits, counts towards the "
            "tier."),
        ),
    ],
)  # fmt: skip
def test_a_bonus_is_one_sentence(settings: dict[str, Any], said: str) -> None:
    assert _bonus(**{"effect": "multiply"} | settings) == said


def test_the_programme_in_one_sentence() -> None:
    terms = Terms.read({"bonuses": [TUESDAY], "tiers": LADDER, "expiry": {"kind": "month_end", "n": 24}})

    assert words.summary(terms, "HKD", {"gold": "Gold"}) == (
        "1 point per HK$1.00; double points on Dairy, every Tuesday, for Gold members; points live 24 months, to the "
        "end of that month; 1 tier."
    )


@pytest.mark.parametrize(
    ("kind", "n", "said"),
    [
        ("days", 1, "Points live 1 day."),
        ("month_end", 0, "Points live to the end of the month."),
        ("year_end", 2, "Points live to the end of the year 2 years later."),
        ("rolling", 12, "Points live 12 months after the last activity."),
        ("never", 0, "Points live for ever."),
    ],
)
def test_how_long_points_live(kind: str, n: int, said: str) -> None:
    assert words.expiry_words(Expiry(kind, n)) == said


def test_what_points_pay() -> None:
    plain = Terms.read({"paying": {"points": "100", "amount": "1"}})
    limited = Terms.read({"paying": {"points": "1", "amount": "0.05", "least": "200", "most_share": "50"}})

    assert words.paying_words(Terms().paying, "HKD") == "Points do not pay for purchases."
    assert words.paying_words(plain.paying, "HKD") == "100 points pay HK$1.00."
    assert words.paying_words(limited.paying, "HKD") == (
        "1 point pays HK$0.05, from 200 points on, at most 50\N{NO-BREAK SPACE}% of a purchase."
    )
    assert words.summary(plain, "HKD").endswith("to the end of that month; 100 points pay HK$1.00.")


def test_every_part_is_said_in_every_language() -> None:
    terms = Terms.read(
        {
            "base": {"points": "2", "per_amount": "10"}, "bonuses": [TUESDAY], "tiers": LADDER, "pending_days": 14,
            "events": [{"code": "survey", "name": "Survey", "points": "20", "once": "day"}],
            "cap": {"purchase": "500", "period": "900", "period_days": 30}, "excluded": {"brands": ["Tobacco"]},
        }
    )  # fmt: skip
    for language in ("en", "zh-hant", "zh-hans"):
        with translation.override(language):
            said = words.sentences(terms, "HKD")
            assert len(said) == 9
            assert all(len(each) > 5 and "%(" not in each for each in said), said


def test_events_tiers_and_exclusions() -> None:
    event = Event.read({"code": "survey", "name": "Survey", "points": "20", "once": "day"}, "")
    terms = Terms.read({"tiers": LADDER | {"measure": "spend", "grace_days": 7}, "excluded_tenders": []})

    assert words.event_words(event) == "20 points for Survey, once a day."
    assert words.tier_words(terms.tiers.ladder[0], "spend", "HKD") == "Gold: from HK$1,000.00 spent on, 1.5 × points."
    assert words.exclusion_words(terms) == "No points for: Gift cards or Top-ups of stored value."
    assert words.ladder_words(terms.tiers).startswith("1 tier, by money spent over the last 12 months")


def test_every_refusal_of_the_rules_has_words() -> None:
    """The rules speak English only: what they can say is read from their source."""
    folder = Path(str(patron.business.loyalty.rules.__file__)).parent
    sources = [*folder.glob("*.py"), Path(str(filters.__file__))]
    found = [
        re.sub(r"\{[^}]*\}", "7", message)
        for path in sources
        for message in re.findall(r'RuleError\(\s*f?"[^"]*",\s*f?"([^"]+)"', path.read_text(encoding="utf-8"))
        + re.findall(r'RuleError\(place, f?"([^"]+)"', path.read_text(encoding="utf-8"))
    ]
    assert len(found) > 15
    with translation.override("en"):
        assert [message for message in found if refusal_words(message) == message] == []


@pytest.mark.parametrize(
    ("place", "part"),
    [
        ("base.points", ("earning", "base_points")),
        ("cap.purchase", ("limits", "cap_purchase")),
        ("pending_days", ("limits", "pending_days")),
        ("excluded.brands", ("exclusions", "excluded_brands")),
        ("expiry.n", ("expiry", "expiry_n")),
        ("paying.most_share", ("paying", "paying_most_share")),
        ("bonuses[2].cap.purchase", ("bonuses-2", "cap_purchase")),
        ("bonuses[0].factor", ("bonuses-0", "factor")),
        ("tiers.months", ("ladder", "months")),
        ("tiers.ladder[1].threshold", ("tiers-1", "threshold")),
        ("tiers.ladder[1].benefits[0].name", ("tiers-1", "benefits")),
        ("events[0].points", ("events-0", "points")),
    ],
)
def test_a_place_among_the_terms_is_a_field_of_a_part(place: str, part: tuple[str, str]) -> None:
    assert drafts.locate(place) == part


def test_what_is_odd_about_terms() -> None:
    terms = Terms.read(
        {
            "base": {"points": "10"}, "pending_days": 40, "expiry": {"kind": "month_end", "n": 1},
            "bonuses": [
                {"code": "a", "name": "A", "effect": "multiply", "factor": "3"},
                {"code": "b", "name": "B", "effect": "multiply", "factor": "2", "until_on": "2026-01-31"},
                {"code": "c", "name": "C", "effect": "fixed", "points": "500"},
            ],
        }
    )  # fmt: skip

    found = oddities(terms, point_value=Decimal("0.01"), today=date(2026, 2, 1))

    assert [(each.place, oddity_words(each, "HKD")) for each in found] == [
        ("bonuses[0].factor", "With “A”, points are worth 30\N{NO-BREAK SPACE}% of what is paid."),
        ("bonuses[2].minimum", "“C” gives HK$5.00 worth of points for any purchase, however small."),
        ("bonuses[1].group", "“A” and “B” can meet: together they give 6 × points."),
        ("bonuses[1].until_on", "“B” ended on 31 Jan 2026: it gives nothing any more."),
        ("expiry.n", "Some points expire before they become available, 40 days after the purchase."),
    ]
    assert oddities(Terms(), point_value=Decimal("0.01"), today=date(2026, 2, 1)) == []


@pytest.mark.parametrize(
    "apart",
    [
        ({"group": "g"}, {"group": "g"}),
        ({"weekdays": [1]}, {"weekdays": [2]}),
        ({"until_on": "2026-01-31"}, {"from_on": "2026-02-01"}),
        ({"branches": ["A"]}, {"branches": ["B"]}),
        ({"categories": ["Food"]}, {"categories": ["Drinks"]}),
    ],
)
def test_multipliers_that_cannot_meet_are_nothing_odd(apart: tuple[dict[str, Any], dict[str, Any]]) -> None:
    bonuses = [
        {"code": str(n), "name": str(n), "effect": "multiply", "factor": "2", **one} for n, one in enumerate(apart)
    ]

    found = oddities(Terms.read({"bonuses": bonuses}), point_value=Decimal("0.01"), today=date(2026, 1, 1))

    assert [each.code for each in found] == []
