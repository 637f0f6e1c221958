"""How customers behaved up to a day, as numbers: nothing dated later is looked at.

Visits and money are prefix-summed once over all customers; a window of any cut-off is then a difference of two places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from patron.intelligence.mining.arrays import Flags, Real, Whole, prefix_sums
from patron.intelligence.mining.churning.baskets import Baskets, baskets_of, recent_and_before
from patron.intelligence.mining.churning.schedule import ChurnParameters, Schedule
from patron.intelligence.mining.rhythm import MICRO, Visits, population_log, typical_gap, visits_of
from patron.intelligence.mining.transactions import MONEY_UNITS, Purchases

Matrix = npt.NDArray[np.float32]
YEAR: Final = 365


@dataclass(frozen=True, slots=True)
class Feature:
    """A figure about a customer at a cut-off: what it is, and of which reason it is part."""

    name: str
    meaning: str
    group: str
    skewed: bool = True


#: ``recent`` is the last horizon, ``before`` the one before it, ``latest`` the last half horizon.
FEATURES: Final = (
    Feature("silence_days", "days since the last visit", "silent"),
    Feature("silence_ratio", "silence in typical gaps of the customer's own", "silent"),
    Feature("silence_vs_longest", "silence as a part of the customer's longest gap", "silent"),
    Feature("visits_latest", "visits in the latest half horizon", "visits_falling"),
    Feature("visits_recent", "visits in the last horizon", "visits_falling"),
    Feature("visits_before", "visits in the horizon before", "visits_falling"),
    Feature("visits_change", "logarithm of recent visits by those before", "visits_falling", skewed=False),
    Feature("spend_recent", "money spent in the last horizon", "spend_falling"),
    Feature("spend_before", "money spent in the horizon before", "spend_falling"),
    Feature("spend_change", "logarithm of recent money by that before", "spend_falling", skewed=False),
    Feature("basket", "money per visit in the last horizon", "basket_shrinking"),
    Feature("basket_change", "logarithm of the recent basket by the usual one", "basket_shrinking", skewed=False),
    Feature("kinds_recent", "kinds of goods bought in the last horizon", "range_narrowing"),
    Feature("kinds_before", "kinds of goods bought in the horizon before", "range_narrowing"),
    Feature("kinds_change", "logarithm of recent kinds by those before", "range_narrowing", skewed=False),
    Feature("visits", "visits in the whole time looked back to", "rare"),
    Feature("typical_gap_days", "the customer's typical gap between visits", "rare"),
    Feature("gap_spread", "standard deviation of the logarithms of the gaps", "irregular", skewed=False),
    Feature("tenure_days", "days since the first visit, as far as looked back to", "new"),
    Feature("weekend_share", "share of visits on Saturday or Sunday", "habits", skewed=False),
    Feature("discount_share", "share of the full price that was taken off, recently", "habits", skewed=False),
    Feature("return_days", "days with nothing but returns", "habits"),
)
BY_NAME: Final = {feature.name: feature for feature in FEATURES}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The customers at risk at a cut-off: ``who`` are their places, ``matrix`` has a row for each, a column per name.

    ``left``: no visit within the horizon after the cut-off; None where that is not over yet. ``money_per_year`` is net
    money, in units, of the 365 days up to the cut-off.
    """

    cutoff: int
    who: Whole
    names: tuple[str, ...]
    matrix: Matrix
    money_per_year: Whole
    left: Flags | None

    def column(self, name: str) -> Real:
        """The figures of one feature, a customer each."""
        return self.matrix[:, self.names.index(name)].astype(np.float64)

    def labels(self) -> Flags:
        """Who left. Raises ``ValueError`` for a cut-off whose leavers are not known yet."""
        if self.left is None:
            raise ValueError("Who leaves after this cut-off is not known yet.")
        return self.left


class Behaviour:
    """Figures of all customers at any cut-off of a schedule."""

    def __init__(self, purchases: Purchases, plan: Schedule, parameters: ChurnParameters) -> None:
        """``purchases`` end on the schedule's as-of day."""
        self._days, self._plan, self._parameters = purchases.days, plan, parameters
        self._visits = visits_of(purchases.days)
        self._amounts = prefix_sums(purchases.days.amount)
        self._returns = prefix_sums(purchases.days.purchases == 0)
        squares = (np.log(np.maximum(self._visits.gap, 1)) ** 2 * MICRO).astype(np.int64)
        self._square_sums = prefix_sums(squares)
        # Day 0 was a Thursday; (day + 3) % 7 is 5 and 6 on Saturday and Sunday.
        self._weekends = prefix_sums((self._visits.day + 3) % 7 >= 5)
        self._baskets: Baskets = baskets_of(purchases, plan)

    @property
    def visits(self) -> Visits:
        """The purchase days behind the figures."""
        return self._visits

    @property
    def baskets(self) -> Baskets:
        """What was bought in each period."""
        return self._baskets

    def at(self, cutoff: int) -> Snapshot:
        """Everybody at risk at the end of the day ``cutoff``."""
        plan = self._plan
        seen = self._visits.seen_until(cutoff)
        who = np.flatnonzero(seen - self._visits.seen_until(cutoff - plan.active))
        left = None
        if cutoff + plan.horizon <= plan.as_of:
            left = (self._visits.seen_until(cutoff + plan.horizon) == seen)[who]
        figures = self._figures(cutoff, who, seen[who])
        money = self._money(cutoff, who)
        return Snapshot(
            cutoff=cutoff,
            who=who,
            names=tuple(figures),
            matrix=np.column_stack([column.astype(np.float32) for column in figures.values()]),
            money_per_year=money[0] - self._money(cutoff - YEAR, who)[0],
            left=left,
        )

    def _figures(self, cutoff: int, who: Whole, seen: Whole) -> dict[str, Real]:
        horizon, lookback = self._plan.horizon, self._plan.lookback
        begin = self._visits.seen_until(cutoff - lookback)[who]
        one, two = (self._seen(max(cutoff - back, cutoff - lookback), who) for back in (horizon, 2 * horizon))
        visits, recent, before = seen - begin, seen - one, one - two
        money, returns = self._money(cutoff, who)
        money_one, _ = self._money(max(cutoff - horizon, cutoff - lookback), who)
        money_two, _ = self._money(max(cutoff - 2 * horizon, cutoff - lookback), who)
        money_begin, returns_begin = self._money(cutoff - lookback, who)
        spend_recent, spend_before = ((a - b) / MONEY_UNITS for a, b in ((money, money_one), (money_one, money_two)))
        spend = (money - money_begin) / MONEY_UNITS
        basket, usual_basket = _ratio(spend_recent, recent), _ratio(spend, visits)
        rhythm = self._rhythm(cutoff, who, begin, seen)
        figures: dict[str, Real | Whole] = {
            **rhythm,
            "visits_latest": seen - self._seen(cutoff - (horizon + 1) // 2, who),
            "visits_recent": recent,
            "visits_before": before,
            "visits_change": _change(recent, before),
            "spend_recent": spend_recent,
            "spend_before": spend_before,
            "spend_change": _change(spend_recent, spend_before),
            "basket": basket,
            "basket_change": _change(basket, usual_basket),
            "visits": visits,
            "weekend_share": self._weekend_share(who, begin, seen),
            "return_days": returns - returns_begin,
            **self._basket_figures(cutoff, who),
        }
        there = [feature.name for feature in FEATURES if feature.name in figures]
        return {name: figures[name].astype(np.float64) for name in there}

    def _rhythm(self, cutoff: int, who: Whole, begin: Whole, seen: Whole) -> dict[str, Real]:
        """The rhythm of the visits from place ``begin`` up to ``seen`` of each customer; each has at least one."""
        visits, p = self._visits, self._parameters
        first, last = visits.starts[who] + begin, visits.starts[who] + seen - 1
        gaps = np.minimum(seen - begin - 1, p.rhythm_gaps)
        logs = visits.recent_logs(last, gaps)
        population = population_log(logs, gaps, fallback_days=p.fallback_gap_days)
        typical = typical_gap(logs, gaps, population, prior_gaps=p.prior_gaps)
        silence = (cutoff - visits.day[last]).astype(np.float64)
        mean = _ratio(logs / MICRO, gaps)
        squares = (self._square_sums[last + 1] - self._square_sums[last + 1 - gaps]) / MICRO
        # Logarithms are kept to millionths: equal gaps must have no spread at all.
        spread = np.sqrt(np.maximum(np.round(_ratio(squares, gaps) - mean**2, 5), 0))
        longest = _longest_gap(visits, first, last)
        return {
            "silence_days": silence,
            "silence_ratio": silence / typical,
            # Who came once only has no gap: the typical one stands in.
            "silence_vs_longest": silence / np.where(longest > 0, longest, typical),
            "typical_gap_days": typical,
            "gap_spread": spread,
            "tenure_days": (cutoff - visits.day[first]).astype(np.float64),
        }

    def _weekend_share(self, who: Whole, begin: Whole, seen: Whole) -> Real:
        starts = self._visits.starts[who]
        return _ratio(self._weekends[starts + seen] - self._weekends[starts + begin], seen - begin)

    def _basket_figures(self, cutoff: int, who: Whole) -> dict[str, Real]:
        figures = {}
        if self._baskets.kinds is not None:
            recent, before = (each[who] for each in recent_and_before(self._baskets.kinds, self._plan, cutoff))
            figures = {"kinds_recent": recent, "kinds_before": before, "kinds_change": _change(recent, before)}
        if self._baskets.discount_share is not None:
            figures["discount_share"] = recent_and_before(self._baskets.discount_share, self._plan, cutoff)[0][who]
        return figures

    def _seen(self, day: int, who: Whole) -> Whole:
        seen: Whole = self._visits.seen_until(day)[who]
        return seen

    def _money(self, day: int, who: Whole) -> tuple[Whole, Whole]:
        """Net money (units) and days with nothing but returns, of everything up to ``day``."""
        ends, begins = self._days.rows_until(day)[who], self._days.starts[who]
        return self._amounts[ends] - self._amounts[begins], self._returns[ends] - self._returns[begins]


def _longest_gap(visits: Visits, first: Whole, last: Whole) -> Real:
    """Days of the longest gap between the visits at the places ``first`` and ``last``; 0 where they are the same."""
    longest = np.zeros(len(first))
    several = last > first
    if several.any():
        # Every second slice runs from the second visit up to the last; those in between are not wanted.
        edges = np.column_stack((first[several] + 1, last[several] + 1)).ravel()
        padded = np.append(visits.gap, 0)
        longest[several] = np.maximum.reduceat(padded, edges)[::2]
    return longest


def _ratio(above: Real | Whole, below: Real | Whole) -> Real:
    result: Real = np.divide(above, below, out=np.zeros(len(above)), where=below > 0)
    return result


def _change(now: Real | Whole, then: Real | Whole) -> Real:
    """How much more (above 0) or less; one is added to both, so that nothing at all is no infinity."""
    result: Real = np.log((np.maximum(now, 0) + 1) / (np.maximum(then, 0) + 1))
    return result
