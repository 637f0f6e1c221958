"""The numbers behind a customer's class and stage, and the rules that were used, as the tab "Value" lists them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import gettext

from patron.kernel.ui import formats
from patron.kernel.ui.badges import VALUE_CLASS_LABELS
from patron.touchpoints.workspace.customer_picture import Judgement, Picture
from patron.touchpoints.workspace.reasons import period_words

FIFTHS = 5


@dataclass(frozen=True, slots=True)
class Fact:
    """A number with its name, written out."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Score:
    """A place among all customers in fifths: 5 is the best."""

    label: str
    value: int

    @property
    def steps(self) -> Sequence[bool]:
        """One for each fifth, true up to the customer's own."""
        return [step < self.value for step in range(FIFTHS)]


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one model as sentences, and the day up to which it looked."""

    title: str
    as_of: date
    rules: Sequence[str]


def value_facts(value: Judgement) -> Sequence[Fact]:
    """Rank, share, money and movement."""
    facts, insight = value.insight.facts, value.insight
    listed = [
        Fact(gettext("Sales"), formats.money(insight.score, settings.CURRENCY)),
        Fact(gettext("Purchases"), formats.count(facts.get("frequency"))),
        Fact(gettext("Rank"), formats.count(insight.rank)),
        Fact(gettext("Share of all sales"), formats.percent(facts.get("share"), 2)),
    ]
    if facts.get("gross_profit") is not None:
        profit = formats.money(Decimal(str(facts["gross_profit"])), settings.CURRENCY)
        listed.append(Fact(gettext("Gross profit where cost is known"), profit))
    if facts.get("previous_label"):
        before = str(VALUE_CLASS_LABELS.get(str(facts["previous_label"]).lower(), facts["previous_label"]))
        if facts.get("previous_vip"):
            before = gettext("%(value_class)s, VIP") % {"value_class": before}
        listed.append(Fact(gettext("At the end of last month"), before))
    return listed


def scores(value: Judgement) -> Sequence[Score]:
    """How lately, how often and how much, in fifths."""
    names = (
        (gettext("How lately"), "recency_score"),
        (gettext("How often"), "frequency_score"),
        (gettext("How much"), "monetary_score"),
    )
    facts = value.insight.facts
    return [Score(label, int(facts[name])) for label, name in names if facts.get(name) is not None]


def stage_facts(stage: Judgement) -> Sequence[Fact]:
    """Habit, silence, trend and money."""
    facts = stage.insight.facts
    listed = [
        Fact(gettext("Usual gap between visits"), _days(facts.get("typical_gap_days"), places=1)),
        Fact(gettext("Days since the last visit"), formats.count(facts.get("days_since_last"))),
        Fact(gettext("Counts as declining after"), _days(facts.get("declining_after_days"))),
        Fact(gettext("Counts as lost after"), _days(facts.get("lost_after_days"))),
        Fact(gettext("Brings in a year"), formats.money(stage.insight.score, settings.CURRENCY)),
        Fact(gettext("First bought on"), _day(facts.get("first_on"))),
        Fact(gettext("Days with a purchase"), formats.count(facts.get("purchases"))),
    ]
    if facts.get("trend_days"):
        days = {"days": formats.count(int(facts["trend_days"]))}
        listed += [
            Fact(gettext("Spent in the last %(days)s days") % days, _money(facts.get("spend_recent"))),
            Fact(gettext("Spent in the %(days)s days before") % days, _money(facts.get("spend_before"))),
        ]
    return listed


def rules_of(picture: Picture) -> Sequence[Rules]:
    """The parameters of the models' runs, in words."""
    told = []
    if picture.value:
        run = picture.value.insight.run
        told.append(Rules(gettext("Value"), run.as_of, _value_rules(run.parameters)))
    if picture.stage:
        run = picture.stage.insight.run
        told.append(Rules(gettext("Stage"), run.as_of, _stage_rules(run.parameters)))
    return told


def _value_rules(given: Mapping[str, Any]) -> Sequence[str]:
    words = {
        "period": period_words(int(given.get("window_days", 365))),
        "a": formats.percent(given.get("class_a_share"), 0),
        "b": formats.percent(given.get("class_b_share"), 0),
        "vip": formats.percent(given.get("vip_share"), 0),
    }
    return [
        gettext("Customers are ranked by what they bought %(period)s, less what they returned.") % words,
        gettext("A class: the fewest customers who together bring %(a)s of sales.") % words,
        gettext("B class: the next ones, up to %(b)s; C class: the others.") % words,
        gettext("VIP: the best %(vip)s of customers.") % words,
    ]


def _stage_rules(given: Mapping[str, Any]) -> Sequence[str]:
    words = {name: f"{value:g}" for name, value in given.items() if isinstance(value, int | float)}
    words["fall"] = formats.percent(given.get("trend_fall"), 0)
    declining = gettext(
        "Declining: away longer than %(declining_gaps)s usual gaps, or spending or coming fell by more than %(fall)s."
    )
    sentences = (
        gettext("New: first bought at most %(new_days)s days ago, on at most %(new_max_visits)s days."),
        gettext("Mature: at least %(mature_min_visits)s visits over at least %(mature_min_days)s days."),
        declining,
        gettext("Lost: away longer than %(lost_gaps)s usual gaps, and at least %(lost_min_days)s days."),
        gettext("Reactivated: back from being lost for at most %(reactivated_days)s days."),
        gettext("Developing: everybody else."),
    )
    try:
        return [sentence % words for sentence in sentences]
    except KeyError:
        return []


def _days(value: Any, *, places: int = 0) -> str:
    return formats.NO_VALUE if value is None else gettext("%(days)s days") % {"days": formats.decimal(value, places)}


def _day(value: Any) -> str:
    return formats.NO_VALUE if not value else formats.day(date.fromisoformat(str(value)[:10]))


def _money(value: Any) -> str:
    return formats.NO_VALUE if value is None else formats.money(Decimal(str(value)), settings.CURRENCY)
