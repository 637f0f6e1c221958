"""Until which day the trade is whole: a till that has not sent its week must not make everybody look late."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from patron.intelligence.warehouse.reader import Warehouse

#: So many days tell what is usual.
_LOOK_BACK_DAYS: Final = 84
#: A tail longer than this is the house's silence, not the tills'.
_TAIL_DAYS: Final = 28
#: An empty tail says something when so many customers were to be expected in it.
_EXPECTED: Final = 20


def last_whole_day(warehouse: Warehouse, *, as_of: date, currency: str) -> date:
    """The last day with customers as usual, at most four weeks before `as_of`; `as_of` where the tail may be chance.

    A day is whole as `patron.intelligence.mining.trading.whole_until` has it, counted in customers.
    """
    from patron.intelligence.mining.trading import whole_until

    opened = as_of - timedelta(_LOOK_BACK_DAYS - 1)
    counted = warehouse.rows(
        """
        SELECT date_diff('day', ?::DATE, occurred_on), count(DISTINCT customer_id) FROM purchases
        WHERE NOT is_voided AND customer_id IS NOT NULL AND currency = ? AND occurred_on BETWEEN ? AND ?
        GROUP BY ALL
        """,
        [opened, currency, opened, as_of],
    )
    customers = np.zeros(_LOOK_BACK_DAYS, dtype=np.int64)
    for place, count in counted:
        customers[place] = count
    tail = _LOOK_BACK_DAYS - 1 - whole_until(customers)
    before = np.trim_zeros(customers[: _LOOK_BACK_DAYS - tail], "f")
    missing = tail <= _TAIL_DAYS and len(before) and before.mean() * tail >= _EXPECTED
    return as_of - timedelta(tail) if missing else as_of
