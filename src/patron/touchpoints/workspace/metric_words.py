"""What the figures and settings of a run are called in the reader's language; the models call them by short names.

A new figure needs a line in `FIGURES` (or `"model.figure"`, where the same name means another thing elsewhere), unless
one of `FAMILIES` makes its words of others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from patron.kernel.ui import formats
from patron.kernel.ui.badges import STAGE_LABELS
from patron.touchpoints.workspace import model_words
from patron.touchpoints.workspace.analyses._churn_words import MODELS
from patron.touchpoints.workspace.analyses.budget import ACTION_LABELS
from patron.touchpoints.workspace.analyses.clusters import FEATURE_WORDS
from patron.touchpoints.workspace.analyses.contact_plan import CHANNEL_LABELS
from patron.touchpoints.workspace.analyses.forecast import KIND_LABELS
from patron.touchpoints.workspace.analyses.next_product import LISTS, METHODS
from patron.touchpoints.workspace.analyses.rules import QUESTIONS

Words = str | Promise

FIGURES: Final[Mapping[str, Words]] = {
    "customers": _("Customers"),
    "judged": _("Judged"),
    "state": _("How far it came"),
    "as_of": _("As of"),
    "until": _("Data whole until"),
    "measured_until": _("Measured up to"),
    "known_until": _("Purchases known until"),
    "data_until": _("Data whole until"),
    "first_day": _("First day looked at"),
    "last_day": _("Last day looked at"),
    "first_on": _("First day looked at"),
    "last_on": _("Last day looked at"),
    "opened": _("Begins on"),
    "window_days": _("Days looked at"),
    "history_days": _("Days of history"),
    "history_weeks": _("Weeks of history"),
    "baskets": _("Baskets"),
    "rows": _("Rows"),
    "features": _("Features"),
    "branches": _("Branches"),
    "departments": _("Departments"),
    "products": _("Products"),
    "questions": _("Questions answered"),
    "horizon_days": _("Days ahead"),
    "expected_loss": _("Expected loss a year"),
    "expected_leavers": _("Expected to leave"),
    "high": _("At high risk"),
    "medium": _("At some risk"),
    "low": _("At low risk"),
    "champion": _("Method used"),
    "baseline": _("Simple rule to beat"),
    "tested_on": _("Tested on"),
    "test_customers": _("Customers in the test"),
    "test_left": _("Of them left"),
    "learned_from": _("Learned from"),
    "auc": _("Pairs in the right order (AUC)"),
    "auc_gain": _("Better than the simple rule by (AUC)"),
    "brier": _("Squared error of the chances (Brier)"),
    "brier_of_base_rate": _("Squared error with everybody's share (Brier)"),
    "log_loss": _("Loss of the chances (log loss)"),
    "calibration_error": _("Chances off by, on average"),
    "top_tenth_lift": _("Best tenth: times the average"),
    "active_days": _("At risk: bought within so many days"),
    "lookback_days": _("Days of behaviour looked at"),
    "left_known": _("Known to have left"),
    "stayed_known": _("Known to have stayed"),
    "k": _("Groups"),
    "silhouette": _("How far the groups stand apart (silhouette)"),
    "stability": _("Stability: the same groups again"),
    "inertia": _("Squared distances within groups"),
    "smallest_cluster": _("Customers of the smallest group"),
    "on_a_border": _("Customers on a border"),
    "explained_next_13_weeks": _("Spread of the next 13 weeks' spending that groups tell"),
    "explained_by_fifths_of_spend": _("Spread of the next 13 weeks' spending that fifths of past spending tell"),
    "proof_customers": _("Customers in the test"),
    "proof_from": _("Tested from"),
    "repeating": _("Customers who came back"),
    "days_left_out": _("Days left out"),
    "log_likelihood": _("Log-likelihood"),
    "log_likelihood_gamma_gamma": _("Log-likelihood of the spending"),
    "correlation_frequency_monetary": _("Correlation of visits and amount"),
    "expected_alive": _("Still customers, probably"),
    "expected_purchases": _("Visits expected"),
    "clv_total": _("Value to come"),
    "average_amount": _("Mean amount of a visit"),
    "holdout_from": _("Kept back from"),
    "holdout_weeks": _("Weeks kept back"),
    "holdout_days": _("Days kept back"),
    "holdout_customers": _("Customers in the test"),
    "holdout_baskets": _("Baskets in the test"),
    "holdout_purchases": _("Visits that came"),
    "holdout_purchases_predicted": _("Visits forecast"),
    "holdout_error": _("Error of the forecast"),
    "holdout_money": _("Money that came"),
    "holdout_money_predicted": _("Money forecast"),
    "holdout_coverage": _("Customers within their range"),
    "holdout_rmse": _("Typical error per customer, visits"),
    "holdout_rmse_as_before": _("Typical error, as many as before"),
    "holdout_rmse_silent_gone": _("Typical error, silent means gone"),
    "holdout_mae": _("Mean error per customer, visits"),
    "holdout_mae_as_before": _("Mean error, as many as before"),
    "holdout_mae_silent_gone": _("Mean error, silent means gone"),
    "holdout_foretold": _("Foretold"),
    "holdout_confidence": _("What came"),
    "holdout_baseline": _("Usual anyway"),
    "holdout_own_lift": _("Times the same customers' other visits"),
    "value_high_customers": _("Customers who bring four fifths of it"),
    "gone_once_good": _("Once good, probably gone"),
    "return_rate": _("Come back within 28 days"),
    "spend_mean": _("Mean spend of 28 days"),
    "explained": _("Spread of spend known from before"),
    "false_alarms_return": _("False alarms, coming back"),
    "false_alarms_spend": _("False alarms, spend"),
    "false_alarms_spend_cuped": _("False alarms, spend with what was known before"),
    "rules": _("Rules found"),
    "rules_type": _("Rules between kinds of product"),
    "rules_category": _("Rules between categories"),
    "rules_department": _("Rules between departments"),
    "paths": _("Paths of several steps"),
    "tested_rules": _("Rules tested"),
    "origins": _("Past dates forecast from"),
    "total_by": _("The total is"),
    "known_age": _("Customers of known age"),
    "gini": _("Concentration (Gini)"),
    "top_fifth_share": _("The best 20 % bring"),
    "proof_error": _("Sales put in the wrong group"),
    "proof_baseline": _("Sales in the wrong group if everybody were alike"),
    "at_a_loss": _("Customers who cost more than they bring"),
    "unusual": _("Behave unusually"),
    "expected_false_alarms": _("False alarms to expect"),
    "silence": _("Stopped coming"),
    "spend_low": _("Spend less"),
    "spend_high": _("Spend more"),
    "basket_low": _("Smaller baskets"),
    "basket_high": _("Larger baskets"),
    "returns": _("Return more"),
    "cells": _("Stages and actions"),
    "spent": _("Spent"),
    "unspent": _("Kept"),
    "gain": _("Gross profit it brings"),
    "gain_of_equal_parts": _("The same money in equal parts"),
    "gain_of_the_last_unit": _("The last unit of money brings"),
    "shifted": _("Facts that have shifted"),
    "watch": _("Facts that move"),
    "branches_low": _("Branches that send too little"),
    "days_behind": _("Days behind"),
    "events": _("Events"),
    "birthday": _("Birthdays"),
    "anniversary": _("Anniversaries of joining"),
    "milestone": _("Milestone visits"),
    "next_milestone": _("Milestones at the next visit"),
    "baby": _("Perhaps a new baby"),
    "pet": _("Perhaps a new pet"),
    "came_back": _("Came back after a long time"),
    "first_category": _("First purchases in a department"),
    "firm": _("Firm"),
    "steady": _("Steady"),
    "wavering": _("Wavering"),
    "drifting": _("Drifting away"),
    "gone": _("Gone"),
    "unproven": _("Not to be told yet"),
    "cycles_longer": _("Cycles grown longer"),
    "cycles_shorter": _("Cycles grown shorter"),
    "cycles_tested": _("Cycles tested"),
    "median_gap_ratio": _("Everybody's gaps changed by a factor of"),
    "loyalty": _("Loyalty, of 100"),
    "persistence": _("Persistence"),
    "firmness": _("Firmness"),
    "expected_visits": _("Visits expected in four weeks"),
    "expected_spend": _("Expected in four weeks"),
    "retained_13_weeks": _("Still here after 13 weeks"),
    "retained_26_weeks": _("Still here after half a year"),
    "retained_52_weeks": _("Still here after a year"),
    "visits_error": _("Error of the visits foretold"),
    "visits_naive_error": _("Error of repeating the last four weeks"),
    "visits_inside_80": _("Within the range given for 8 in 10"),
    "price_response": _("Percent more bought for each percent off"),
    "everyday_categories": _("Everyday kinds of goods"),
    "tested_customers": _("Customers in the test"),
    "overdue": _("Overdue"),
    "population_gap_days": _("Everybody's usual gap, days"),
    "days_expected": _("Visits foretold in the test"),
    "days_came": _("Visits that came"),
    "tested_came": _("Of them came"),
    "coverage": _("Visits within the range given"),
    "promised": _("Chance given before the test"),
    "kept": _("What came"),
    "kinds": _("Kinds of voucher tried"),
    "learned": _("Of them learned from"),
    "ladders": _("Categories with a ladder"),
    "tested": _("In the test"),
    "climb_rate": _("Climbed"),
    "climb_rate_best_fifth": _("Climbed, of the best fifth"),
    "prospects": _("Prospects"),
    "contacts": _("Contacts planned"),
    "contacted_enough": _("Left in peace"),
    "gain_of_one_more_person": _("One more person would bring"),
    "margin": _("Gross profit of sales"),
    "stake": _("At stake"),
    "left": _("Left"),
    "left_and_back": _("Left, and back later"),
    "median_days": _("Half are back within so many days"),
    "due_from": _("Due from day"),
    "due_until": _("Due until day"),
    "clusters.moved": _("Changed group in 13 weeks"),
    "events.moved": _("Perhaps moved house"),
    "newcomers.customers": _("Newcomers"),
    "back": _("Came again"),
    "fresh": _("Too early to write"),
    "due": _("Due now"),
    "late": _("Past the time"),
    "unlikely": _("Hardly come again"),
    "untold": _("Not to be told yet"),
    "watched_days": _("Days that newcomers could be watched"),
    "median_of_returners": _("Half of those who return are back within so many days"),
    "followed": _("Followed after coming back"),
    "stay_median_days": _("Half are gone after so many days"),
    "tested_windows": _("Periods tested"),
    "tested_asked": _("Newcomers asked about"),
    "tested_foretold": _("Returns foretold"),
    "brier_baseline": _("Squared error with everybody's share (Brier)"),
    "log_loss_baseline": _("Log loss with everybody's share"),
    "data_from": _("Data from"),
    "on_file_before": _("On file before their first purchase"),
    "first_from": _("First newcomer on"),
    "tested_from": _("Tested from"),
    "tested_until": _("Tested until"),
    "least_baskets": _("A rule needs at least so many baskets"),
    "least_customers": _("A rule needs at least so many customers"),
    "before_days": _("Days before that are taken into account"),
    "splits": _("Placebo experiments"),
    "current_days": _("Days of the sample of today"),
    "reference_days": _("Days of the sample to compare with"),
    "days": _("Days before and after that count"),
    "known_days": _("First purchases: known for so many days"),
    "baby_categories": _("Categories that tell of a baby"),
    "pet_categories": _("Categories that tell of a pet"),
    "new_life_days": _("Baby or pet: two purchases within so many days"),
    "milestones": _("Visits that count as a milestone"),
    "min_visits": _("Milestones: not below so many visits"),
    "gone_part": _("Share of the stake that counts of those already gone"),
    "seed": _("Seed of the random numbers"),
    "next_date.k": _("Regularity of the visits (k)"),
    "d": _("Chance of leaving after a visit (d)"),
}

PERCENT: Final = frozenset({
    "auc", "calibration_error", "explained_next_13_weeks", "explained_by_fifths_of_spend", "holdout_error",
    "holdout_coverage", "holdout_foretold", "holdout_confidence", "holdout_baseline", "return_rate",
    "explained", "false_alarms_return", "false_alarms_spend", "false_alarms_spend_cuped", "top_fifth_share",
    "proof_error", "proof_baseline", "retained_13_weeks", "retained_26_weeks", "retained_52_weeks",
    "visits_inside_80", "coverage", "promised", "kept", "climb_rate", "climb_rate_best_fifth", "margin",
    "gone_part",
})  # fmt: skip
MONEY: Final = frozenset({
    "expected_loss", "clv_total", "average_amount", "holdout_money", "holdout_money_predicted", "spend_mean", "spent",
    "unspent", "gain", "gain_of_equal_parts", "expected_spend", "gain_of_one_more_person", "stake",
})  # fmt: skip
PRICE: Final = frozenset({
    "gain_of_the_last_unit",
})  # fmt: skip

#: Values of figures that are words themselves.
VALUES: Final[Mapping[str, Words]] = {
    **MODELS,
    **METHODS,
    "as before": _("as many as before"),
    "silent means gone": _("silent means gone"),
    "own": _("its own forecast"),
    "parts": _("the sum of its parts"),
    "tested": _("tested"),
    "learned": _("learned, not tested"),
    "best": _("the best in the test"),
}

_LISTS: Final[Mapping[str, Words]] = {**LISTS}
_SERIES: Final[Mapping[str, Words]] = {
    "total": _("The whole house"),
    "branch": _("Branches"),
    "department": _("Departments"),
}
_SERIES_FIGURES: Final[Mapping[str, Words]] = {
    "error_share": _("error, share of sales"),
    "naive_error_share": _("error of the last week again, share of sales"),
    "mase": _("error beside that of repeating the week before (MASE)"),
    "coverage_80": _("weeks within the range given for 8 in 10"),
    "coverage_95": _("weeks within the range given for 95 in 100"),
    "tests": _("past dates forecast from"),
    "points": _("weeks compared"),
}
_RULE_FIGURES: Final[Mapping[str, Words]] = {
    "rules": _("rules found"),
    "auc": _("pairs in the right order (AUC)"),
    "log_loss": _("loss of the chances (log loss)"),
    "base_log_loss": _("log loss with everybody's share"),
}
_CHANNEL_FIGURES: Final[Mapping[str, Words]] = {
    "contacts": _("Contacts planned"),
    "gain": _("Gross profit it brings"),
    "saves": _("Part of the stake that it keeps"),
    "cost": _("Cost for one"),
}
_LIST_FIGURES: Final[Mapping[str, Words]] = {
    "method": _("method used"),
    "promised": _("chance given before the test"),
    "kept": _("what came"),
}
_ACTIONS: Final[Mapping[str, Words]] = {**CHANNEL_LABELS, **ACTION_LABELS}


def _pair(first: Words, second: Words) -> str:
    return gettext("%(what)s: %(figure)s") % {"what": first, "figure": second}


def _bound(name: str, side: str) -> str:
    words = gettext("%(figure)s, at least") if side == "low" else gettext("%(figure)s, at most")
    return words % {"figure": FIGURES[name]}


#: Names made of others: a pattern, and the words from its groups; KeyError where a part has none.
FAMILIES: Final[tuple[tuple[str, Callable[..., str]], ...]] = (
    (r"se_([a-z]+)", lambda symbol: gettext("Standard error of %(symbol)s") % {"symbol": symbol}),
    (r"calibration_(r|alpha|a|b|s|beta)", lambda symbol: gettext("%(symbol)s before the weeks kept back")
     % {"symbol": symbol}),
    (r"calibration_(log_likelihood)", lambda name: gettext("%(symbol)s before the weeks kept back")
     % {"symbol": FIGURES[name]}),
    (r"auc_(\w+)", lambda model: _pair(FIGURES["auc"], MODELS[model])),
    (r"validation_auc_(\w+)", lambda model: _pair(
        gettext("Pairs in the right order on the earlier day"), MODELS[model])),
    (r"(total|branch|department)_(\w+)", lambda what, figure: _pair(_SERIES[what], _SERIES_FIGURES[figure])),
    (r"branches_(\w+)", lambda kind: _pair(FIGURES["branches"], KIND_LABELS[kind][0])),
    (r"(vip|lost|reduced)_(\w+)", lambda question, figure: _pair(QUESTIONS[question], _RULE_FIGURES[figure])),
    (r"(contacts|gain|saves|cost)_(\w+)", lambda figure, way: _pair(_CHANNEL_FIGURES[figure], _ACTIONS[way])),
    (r"uplift_(\w+)_([a-z]+)", lambda stage, way: _pair(
        gettext("Assumed rise"), _pair(STAGE_LABELS[stage], _ACTIONS[way]))),
    (r"(new|any)_(\w+)", lambda kind, figure: _pair(_LISTS[kind], _LIST_FIGURES[figure])),
    (r"back_by_(\d+)", lambda days: gettext("Back within %(days)s days") % {"days": days}),
    (r"centre_(\d+)_(\w+)", lambda number, feature: _pair(
        gettext("Centre of group %(number)s") % {"number": number}, FEATURE_WORDS[feature][0])),
    (r"(\w+)_(low|high)", _bound),
    (r"(r|alpha|a|b|s|beta|p|q|v|theta)", lambda symbol: gettext("Parameter %(symbol)s") % {"symbol": symbol}),
)  # fmt: skip
_PERCENT_ENDINGS: Final = (
    "_auc", "auc_low", "auc_high", "error_share", "coverage_80", "coverage_95", "_promised", "_kept",
)  # fmt: skip
_PERCENT_BEGINNINGS: Final = ("auc_", "validation_auc_", "back_by_", "uplift_", "saves_")


def figure_name(model: str, name: str) -> str | None:
    """What a figure of a run of `model` is called; None for one without words."""
    known = FIGURES.get(f"{model}.{name}") or FIGURES.get(name)
    if known is not None:
        return str(known)
    for pattern, words in FAMILIES:
        found = re.fullmatch(pattern, name)
        if found is None:
            continue
        try:
            return words(*found.groups())
        except KeyError:
            continue
    return None


def setting_name(model: str, name: str) -> str | None:
    """What a setting of a run is called: as on the page of the settings, else as a figure of that name."""
    known = model_words.PARAMETERS.get(model, {}).get(name)
    return str(known) if known is not None else figure_name(model, name)


def written(name: str, value: object, *, currency: str) -> str:
    """The value of a figure or setting as people write it."""
    match value:
        case None | "":
            return formats.NO_VALUE
        case bool():
            return gettext("yes") if value else gettext("no")
        case str():
            return _text(value)
        case int() | float():
            return _number(name, value, currency)
    return str(value)


def _text(value: str) -> str:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return formats.day(date.fromisoformat(value))
    words = VALUES.get(value) or model_words.CHOICES.get(value)
    return str(words) if words is not None else value


def _number(name: str, value: float, currency: str) -> str:
    if name in MONEY:
        return formats.money(value, currency, places=0)
    if name in PRICE or name.startswith("cost_"):
        return formats.money(value, currency)
    if isinstance(value, int):
        return formats.count(value)
    if name in PERCENT or name.startswith(_PERCENT_BEGINNINGS) or name.endswith(_PERCENT_ENDINGS):
        return formats.percent(value)
    return measured(value)


def measured(value: float) -> str:
    """A number with about three telling figures."""
    size = abs(value)
    if float(value).is_integer():
        return formats.count(value)
    return formats.decimal(value, 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 10 else 3)
