"""Why a customer is where they are, in the reader's language.

The models publish a reason code and its facts; here each code becomes a sentence. A code or fact that this page does
not know falls back to the sentence that the model wrote itself.
"""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext, ngettext

from patron.kernel.ui import formats

Facts = Mapping[str, Any]

YEAR_DAYS = (365, 366)


def stage_reason(code: str, facts: Facts, *, otherwise: str = "", currency: str = "") -> str:
    """Why the life-cycle model put a customer into their stage, as one sentence."""
    return _told(_STAGE_SENTENCES.get(code), facts, currency) or otherwise


def value_reason(
    code: str,
    facts: Facts,
    *,
    rank: int | None,
    customers: int | None = None,
    window_days: int = 365,
    otherwise: str = "",
) -> str:
    """Why the value model put a customer into their class, as one sentence.

    `customers` is how many the model ranked, `window_days` the period it looked at (0: all time).
    """
    if code == "only_returns":
        return gettext("Only returns in this period, no purchase.")
    if code == "no_net_value":
        return gettext("Returns or costs outweigh what was bought in this period.")
    return _told(_RANKED.get(code), {**facts, "rank": rank, "customers": customers, "window": window_days}) or otherwise


def period_words(window_days: int) -> str:
    """The window of the value model in words: `in the last 12 months`."""
    if window_days == 0:
        return gettext("of all time")
    if window_days in YEAR_DAYS:
        return gettext("in the last 12 months")
    return ngettext("in the last %(days)s day", "in the last %(days)s days", window_days) % {
        "days": formats.count(window_days)
    }


def _told(sentence: Callable[[Facts, str], str] | None, facts: Facts, currency: str = "") -> str:
    if sentence is None:
        return ""
    try:
        return sentence(facts, currency)
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return ""


def _whole(facts: Facts, name: str) -> int:
    return int(facts[name])


def _gap(facts: Facts) -> str:
    """A typical gap in days: one decimal where it is short enough to matter."""
    days = Decimal(str(facts["typical_gap_days"]))
    return formats.decimal(days, 1) if days < 10 and days % 1 else formats.count(days)


def _day(facts: Facts, name: str) -> str:
    value = facts[name]
    return formats.day(value if isinstance(value, date) else date.fromisoformat(str(value)[:10]))


def _times(count: int) -> str:
    return ngettext("%(count)s time", "%(count)s times", count) % {"count": formats.count(count)}


def _silent(facts: Facts, _currency: str) -> str:
    silence = _whole(facts, "days_since_last")
    return ngettext(
        "Usually came every %(gap)s days; has not come for %(days)s day, and more than %(limit)s count as lost.",
        "Usually came every %(gap)s days; has not come for %(days)s days, and more than %(limit)s count as lost.",
        silence,
    ) % {
        "gap": _gap(facts),
        "days": formats.count(silence),
        "limit": formats.count(_whole(facts, "lost_after_days")),
    }


def _came_back(facts: Facts, _currency: str) -> str:
    away = _whole(facts, "away_days")
    return ngettext(
        "Came back on %(day)s after %(days)s day away.", "Came back on %(day)s after %(days)s days away.", away
    ) % {"day": _day(facts, "came_back_on"), "days": formats.count(away)}


def _first_purchase(facts: Facts, _currency: str) -> str:
    return gettext("First bought on %(day)s; has come %(times)s so far.") % {
        "day": _day(facts, "first_on"),
        "times": _times(_whole(facts, "purchases")),
    }


def _overdue(facts: Facts, _currency: str) -> str:
    silence = _whole(facts, "days_since_last")
    return ngettext(
        "Usually comes every %(gap)s days, and has not come for %(days)s day.",
        "Usually comes every %(gap)s days, and has not come for %(days)s days.",
        silence,
    ) % {"gap": _gap(facts), "days": formats.count(silence)}


def _spend_falling(facts: Facts, currency: str) -> str:
    return gettext("Spent %(recent)s in the last %(days)s days, after %(before)s in the %(days)s days before.") % {
        "recent": formats.money(Decimal(str(facts["spend_recent"])), currency, places=0),
        "before": formats.money(Decimal(str(facts["spend_before"])), currency, places=0),
        "days": formats.count(_whole(facts, "trend_days")),
    }


def _visits_falling(facts: Facts, _currency: str) -> str:
    return gettext("Came %(recent)s in the last %(days)s days, after %(before)s in the %(days)s days before.") % {
        "recent": _times(_whole(facts, "visits_recent")),
        "before": _times(_whole(facts, "visits_before")),
        "days": formats.count(_whole(facts, "trend_days")),
    }


def _on_rhythm(facts: Facts, _currency: str) -> str:
    silence = _whole(facts, "days_since_last")
    return ngettext(
        "Usually comes every %(gap)s days; last came %(days)s day ago.",
        "Usually comes every %(gap)s days; last came %(days)s days ago.",
        silence,
    ) % {"gap": _gap(facts), "days": formats.count(silence)}


def _habit_forming(facts: Facts, _currency: str) -> str:
    return gettext("Has come %(times)s since %(day)s; a habit is forming.") % {
        "day": _day(facts, "first_on"),
        "times": _times(_whole(facts, "purchases")),
    }


def _ranked(facts: Facts, _currency: str) -> str:
    rank = formats.count(int(facts["rank"]))
    words = {
        "rank": rank,
        "share": formats.percent(float(facts["share"]), 2),
        "period": period_words(int(facts["window"])),
    }
    if facts.get("customers"):
        words["customers"] = formats.count(int(facts["customers"]))
        return gettext("Number %(rank)s of %(customers)s by sales %(period)s, with %(share)s of all sales.") % words
    return gettext("Number %(rank)s by sales %(period)s, with %(share)s of all sales.") % words


_STAGE_SENTENCES: dict[str, Callable[[Facts, str], str]] = {
    "silent": _silent,
    "came_back": _came_back,
    "first_purchase": _first_purchase,
    "overdue": _overdue,
    "spend_falling": _spend_falling,
    "visits_falling": _visits_falling,
    "on_rhythm": _on_rhythm,
    "habit_forming": _habit_forming,
}
_RANKED: dict[str, Callable[[Facts, str], str]] = dict.fromkeys(("vip", "class_a", "class_b", "class_c"), _ranked)
