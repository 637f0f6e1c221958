"""From purchase days to the fitted models and the value of every customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Real, Whole
from patron.intelligence.mining.clv.bgnbd import BG_NBD
from patron.intelligence.mining.clv.counting import CountModel, fit_counts
from patron.intelligence.mining.clv.fitting import Fit
from patron.intelligence.mining.clv.forecasting import prospects, purchase_range
from patron.intelligence.mining.clv.gammagamma import expected_spend, fit_spend
from patron.intelligence.mining.clv.mbgnbd import MBG_NBD
from patron.intelligence.mining.clv.pareto import PARETO_NBD
from patron.intelligence.mining.clv.summaries import YEAR_DAYS, Cells, Summaries, cells_of, places_of

COUNT_MODELS: Final = {model.name: model for model in (BG_NBD, MBG_NBD, PARETO_NBD)}


@dataclass(frozen=True, slots=True)
class Fitted:
    """The model of purchases and, where there is money to learn from, the model of spending.

    ``places``: where among all customers those of ``cells`` are; of the others nothing is expected any more.
    """

    counts: CountModel
    fit: Fit
    spend: Fit | None
    cells: Cells
    average: float
    places: Whole


@dataclass(frozen=True, slots=True)
class Values:
    """Per customer, over the horizon: purchases with their range, spending per purchase, value with its range."""

    p_alive: Real
    expected_purchases: Real
    purchases_low: Real
    purchases_high: Real
    expected_value: Real
    clv: Real
    low: Real
    high: Real


def fitted(
    known: Summaries,
    *,
    model: str,
    unit_days: float,
    penalizer: float,
    average: float,
    recent: Summaries | None = None,
) -> Fitted:
    """Both models, by maximum likelihood. ``average`` amount stands in where spending cannot be learnt.

    ``recent``: those of the customers who bought in the time looked back to, as seen in it; purchases are learnt from
    them, spending from all that is known. Raises :class:`ValueError` when none of them has a repeat purchase.
    """
    seen = known if recent is None else recent
    cells = cells_of(seen.frequency, seen.recency, seen.age, unit_days=unit_days)
    counts = COUNT_MODELS[model]
    fit = fit_counts(counts, cells, penalizer=penalizer)
    paid = bool((known.repeating & (known.monetary > 0)).any())
    spend = fit_spend(known.frequency, known.monetary, penalizer=penalizer) if paid else None
    return Fitted(counts, fit, spend, cells, average, places_of(seen, known))


def valued(
    known: Summaries, found: Fitted, *, horizon: float, yearly_discount: float, unit_days: float, coverage: float,
    margin: float,
) -> Values:  # fmt: skip
    """``horizon`` in units of time; money that comes u years from now counts 1 / (1 + ``yearly_discount``)^u.

    ``margin`` turns sales into what is valued. The range of the value is that of the number of purchases, each worth
    the expected amount.
    """
    values = found.fit.values
    discount = float(np.log1p(yearly_discount)) * unit_days / YEAR_DAYS
    ahead = prospects(found.counts, values, found.cells, horizon=horizon, discount=discount)
    low, high = purchase_range(found.counts, values, ahead, horizon=horizon, coverage=coverage)

    def for_all(some: Real) -> Real:
        whole = np.zeros(len(known))
        whole[found.places] = some
        return whole

    low, high, discounted = for_all(low), for_all(high), for_all(ahead.discounted)
    expected = for_all(ahead.expected)
    if found.spend is None:
        spend = np.full(len(known), found.average)
    else:
        spend = expected_spend(found.spend.values, known.frequency, known.monetary, otherwise=found.average)
    now = np.where(expected > 0, discounted / np.maximum(expected, 1e-300), 1.0)
    worth = spend * margin
    return Values(
        p_alive=for_all(ahead.p_alive),
        expected_purchases=expected,
        purchases_low=low,
        purchases_high=high,
        expected_value=spend,
        clv=discounted * worth,
        low=low * now * worth,
        high=high * now * worth,
    )


def correlation(known: Summaries) -> float | None:
    """Between number of repeat purchases and their mean amount: gamma-gamma takes it to be none. None if undefined."""
    used = known.repeating & (known.monetary > 0)
    x, money = known.frequency[used], known.monetary[used]
    if len(x) < 3 or x.min() == x.max() or money.min() == money.max():
        return None
    return float(np.corrcoef(x, money)[0, 1])
