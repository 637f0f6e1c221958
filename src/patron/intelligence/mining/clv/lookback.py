"""How far to look back: customers' paces drift, so the last months may foretell more than all years.

Chosen by a back-test of its own that ends before the hold-out begins, so that the hold-out still judges fairly.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from patron.intelligence.mining.clv.backtest import WEEK, back_test
from patron.intelligence.mining.clv.counting import CountModel
from patron.intelligence.mining.transactions import Days

#: Weeks that are tried; 0 is everything.
TRIED: Final = (0, 13, 26, 52, 104)


def best_lookback(
    model: CountModel, bought: Days, *, until: dt.date, length: int, unit_days: float, penalizer: float
) -> int:
    """The weeks whose forecast of the ``length`` days up to ``until`` was best; 0 where too little was seen to tell."""
    if not len(bought.day):
        return 0
    cut_on = until - dt.timedelta(days=length)
    first = dt.date(1970, 1, 1) + dt.timedelta(days=int(bought.day.min()))
    errors = {}
    for weeks in TRIED:
        if (cut_on - first).days < max(weeks * WEEK, length):
            continue
        test = back_test(
            model,
            bought,
            cut_on=cut_on,
            until=until,
            unit_days=unit_days,
            penalizer=penalizer,
            coverage=0.8,
            lookback_days=weeks * WEEK,
        )
        if test is not None:
            errors[weeks] = test.forecasts.rmse(test.forecasts.model)
    return min(errors, key=lambda weeks: (errors[weeks], weeks), default=0)
