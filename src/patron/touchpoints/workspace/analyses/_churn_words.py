"""Reasons and figures of the churn page in the reader's language."""

from collections.abc import Callable, Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, ngettext

from patron.intelligence.reports.churn import RiskRow
from patron.kernel.ui import formats

RISKS: Final[Mapping[str, Promise]] = {
    "high": gettext_lazy("High risk"),
    "medium": gettext_lazy("Some risk"),
    "low": gettext_lazy("Little risk"),
}
MODELS: Final[Mapping[str, Promise]] = {
    "logistic": gettext_lazy("Logistic regression"),
    "boosting": gettext_lazy("Boosted trees"),
    "silence_ratio": gettext_lazy("Rule: longest silent against their own rhythm"),
    "silence_days": gettext_lazy("Rule: most days since the last visit"),
}
USES: Final[Mapping[str, Promise]] = {
    "training": gettext_lazy("learned from"),
    "validation": gettext_lazy("chose the model, set the probabilities"),
    "test": gettext_lazy("tested on"),
}
#: What a figure of the pattern is called, and the style in which it is written.
FIGURES: Final[Mapping[str, tuple[Promise, str]]] = {
    "silence_days": (gettext_lazy("Days since the last visit"), "decimal"),
    "silence_ratio": (gettext_lazy("Silence, in usual gaps"), "decimal"),
    "silence_vs_longest": (gettext_lazy("Silence, in longest gaps so far"), "decimal"),
    "visits_latest": (gettext_lazy("Visits in the latest half of the period"), "decimal"),
    "visits_recent": (gettext_lazy("Visits in the last period"), "decimal"),
    "visits_before": (gettext_lazy("Visits in the period before"), "decimal"),
    "spend_recent": (gettext_lazy("Spent in the last period"), "money"),
    "spend_before": (gettext_lazy("Spent in the period before"), "money"),
    "basket": (gettext_lazy("Spent per visit"), "money"),
    "kinds_recent": (gettext_lazy("Kinds of goods in the last period"), "decimal"),
    "kinds_before": (gettext_lazy("Kinds of goods in the period before"), "decimal"),
    "visits": (gettext_lazy("Visits in the time looked back to"), "decimal"),
    "typical_gap_days": (gettext_lazy("Usual days between visits"), "decimal"),
    "tenure_days": (gettext_lazy("Days since the first visit, as far as looked back to"), "decimal"),
    "weekend_share": (gettext_lazy("Share of visits at weekends"), "percent"),
    "discount_share": (gettext_lazy("Share of the price taken off"), "percent"),
    "return_days": (gettext_lazy("Days with returns only"), "decimal"),
}


def reason_words(row: RiskRow, *, horizon: int, lookback: int, currency: str) -> str:
    """The two weightiest reasons of a customer; where none is known here, the model's own sentence."""
    codes = [code for code in (row.reason_code, row.reason_code_2) if code]
    told = [_SENTENCES[code](row, horizon, lookback, currency) for code in codes if code in _SENTENCES]
    return " ".join(told) or row.reason


_Sentence = Callable[[RiskRow, int, int, str], str]


def _rhythm(row: RiskRow, _horizon: int, _lookback: int, _currency: str) -> str:
    return gettext("Usually comes every %(usual)s days, and has not come for %(days)s.") % {
        "usual": formats.decimal(row.typical_gap_days),
        "days": formats.count(row.days_since_last),
    }


def _steady(row: RiskRow, _horizon: int, _lookback: int, _currency: str) -> str:
    return gettext("Usually comes every %(usual)s days; last came %(days)s days ago.") % {
        "usual": formats.decimal(row.typical_gap_days),
        "days": formats.count(row.days_since_last),
    }


def _visits(row: RiskRow, horizon: int, _lookback: int, _currency: str) -> str:
    return ngettext(
        "Came %(now)s time in the last %(days)s days, after %(before)s in the %(days)s days before.",
        "Came %(now)s times in the last %(days)s days, after %(before)s in the %(days)s days before.",
        row.visits_recent,
    ) % {"now": formats.count(row.visits_recent), "before": formats.count(row.visits_before), "days": horizon}


def _spend(row: RiskRow, horizon: int, _lookback: int, currency: str) -> str:
    return gettext("Spent %(now)s in the last %(days)s days, after %(before)s in the %(days)s days before.") % {
        "now": formats.money(row.spend_recent, currency, places=0),
        "before": formats.money(row.spend_before, currency, places=0),
        "days": horizon,
    }


def _basket(row: RiskRow, horizon: int, _lookback: int, currency: str) -> str:
    return gettext("Spends less per visit than usual: %(money)s in the last %(days)s days.") % {
        "money": formats.money(row.basket, currency, places=0),
        "days": horizon,
    }


def _kinds(row: RiskRow, horizon: int, _lookback: int, _currency: str) -> str:
    return gettext("Kinds of goods bought in the last %(days)s days: %(now)s, after %(before)s.") % {
        "now": formats.count(row.kinds_recent),
        "before": formats.count(row.kinds_before),
        "days": horizon,
    }


def _rare(row: RiskRow, _horizon: int, lookback: int, _currency: str) -> str:
    return ngettext(
        "Came on %(visits)s day of the last %(days)s.", "Came on %(visits)s days of the last %(days)s.", row.visits
    ) % {"visits": formats.count(row.visits), "days": lookback}


def _irregular(_row: RiskRow, _horizon: int, _lookback: int, _currency: str) -> str:
    return gettext("Comes irregularly.")


def _new(row: RiskRow, _horizon: int, lookback: int, _currency: str) -> str:
    return gettext("The first visit of the last %(lookback)s days was %(days)s days ago: no steady habit.") % {
        "days": formats.count(row.tenure_days),
        "lookback": lookback,
    }


def _quiet(row: RiskRow, _horizon: int, _lookback: int, _currency: str) -> str:
    return gettext("Has not come for %(days)s days.") % {"days": formats.count(row.days_since_last)}


def _habits(_row: RiskRow, _horizon: int, _lookback: int, _currency: str) -> str:
    return gettext("Behaves like customers who left; no single cause stands out.")


_SENTENCES: Final[Mapping[str, _Sentence]] = {
    "silent": _rhythm,
    "visits_falling": _visits,
    "spend_falling": _spend,
    "basket_shrinking": _basket,
    "range_narrowing": _kinds,
    "rare": _rare,
    "irregular": _irregular,
    "new": _new,
    "habits": _habits,
    "quiet": _quiet,
    "steady": _steady,
    "no_history": _rhythm,
}
