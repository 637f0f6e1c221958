"""What customers buy after what, counted by the engine that holds the lines (Spark); see `sequences_counting`.

A then B within n days is a join of a customer's visits with the later ones. It is not what MLlib's PrefixSpan finds:
that knows the order of visits and not their days, so it can neither say "within 14 days" nor how many days later, and
it counts customers and not occasions. Paths have days too, and are found by joins as well (`paths_on_engine`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from patron.intelligence.insights.paths_on_engine import paths_on_engine
from patron.intelligence.insights.shopping import Level
from patron.intelligence.insights.shopping_on_engine import EngineShopping, wanted
from patron.intelligence.mining.arrays import Real, Whole, day_number
from patron.intelligence.mining.patterns.following import Following
from patron.intelligence.mining.patterns.gaps import Gaps

_VISITS, _OCCASIONS, _LATER = "shop_visits", "shop_occasions", "shop_later"


class EngineVisits:
    """Over :class:`EngineShopping`; keeps visits in the engine until `close`."""

    def __init__(self, shopping: EngineShopping) -> None:
        self._shopping = shopping
        self._engine = shopping.engine
        self._kept: tuple[str, int, int | None, int] | None = None

    @property
    def levels(self) -> Mapping[str, Level]:
        return self._shopping.levels

    @property
    def baskets(self) -> int:
        return self._shopping.size

    @property
    def customers(self) -> int:
        return self._shopping.customers

    @property
    def first(self) -> int:
        return self._shopping.first

    @property
    def until(self) -> int:
        return day_number(self._shopping.until)

    def close(self) -> None:
        """Let go of what the engine keeps, the shopping too."""
        self._let_go()
        self._shopping.close()

    def sequences(self, level: str) -> int:
        ((found,),) = self._engine.rows(
            "SELECT count(DISTINCT customer) FROM shop_lines "  # noqa: S608 (our own names)
            f"WHERE customer <= (SELECT max(customer) FROM {self._shopping.items(level)})"
        )
        return int(found)

    def following(self, level: str, *, within: int, least: int, until: int, since: int | None = None) -> Following:
        self._use(level, within, since, until)
        figures, last = self._shopping.figures, until - within
        size = len(self.levels[level].names)
        what, item, n = figures(
            f"""
            SELECT 0 AS what, item, count(*) AS n FROM {_VISITS} WHERE day <= {last} GROUP BY item
            UNION ALL SELECT 1 AS what, item, count(*) AS n FROM {_LATER} GROUP BY item
            UNION ALL SELECT 2 AS what, 0 AS item, count(*) AS n FROM {_OCCASIONS}
            """  # noqa: S608
        )
        occasions, usual, every = np.zeros((3, size), dtype=np.int64)
        for place, counts in enumerate((occasions, usual, every)):
            counts[item[what == place]] = n[what == place]
        one, other, followed, sequences = figures(
            f"""
            WITH each AS (
                SELECT v.customer, v.item AS one, l.item AS other, count(*) AS n
                FROM {_VISITS} v JOIN {_LATER} l ON l.customer = v.customer AND l.day = v.day AND l.item <> v.item
                GROUP BY v.customer, v.item, l.item
            )
            SELECT one, other, CAST(sum(n) AS BIGINT) AS followed, count(*) AS customers FROM each
            GROUP BY one, other HAVING count(*) >= {least} ORDER BY one, other
            """  # noqa: S608
        )
        return Following(
            first=one,
            then=other,
            occasions=occasions[one],
            followed=followed,
            usual=usual[other] / max(int(every[0]), 1),
            expected=self._expected(one, other, last),
            sequences=sequences,
        )

    def moments(self, level: str, first: Whole, then: Whole, *, within: int) -> tuple[Real, Whole]:
        self._use(level, within, None, self.until)
        self._engine.register("shop_pairs", wanted({"place": range(len(first)), "one": first, "other": then}))
        gaps = self._shopping.figures(
            f"""
            SELECT k.place, l.gap, count(*) AS n FROM {_VISITS} v
            JOIN shop_pairs k ON k.one = v.item
            JOIN {_LATER} l ON l.customer = v.customer AND l.day = v.day AND l.item = k.other
            GROUP BY k.place, l.gap
            """  # noqa: S608
        )
        place, n = self._shopping.figures(
            f"""
            WITH latest AS (SELECT customer, item, max(day) AS day FROM {_VISITS} GROUP BY customer, item)
            SELECT k.place, count(*) AS n FROM shop_pairs k
            JOIN latest a ON a.item = k.one AND a.day > {self.until - within}
            LEFT JOIN latest b ON b.customer = a.customer AND b.item = k.other
            WHERE b.day IS NULL OR b.day <= a.day GROUP BY k.place
            """  # noqa: S608
        )
        self._engine.unregister("shop_pairs")
        due = np.zeros(len(first), dtype=np.int64)
        due[place] = n
        return medians(*gaps, size=len(first)), due

    def paths(self, level: str, *, least: int, max_length: int, max_step: int, gaps: Gaps) -> pa.Table:
        return paths_on_engine(
            self._shopping,
            level,
            size=self.sequences(level),
            min_count=least,
            max_length=max_length,
            max_step=max_step,
            gaps=gaps,
        )

    def _expected(self, one: Whole, other: Whole, last: int) -> Real:
        """How often each second item would follow if it followed every occasion of a customer equally often.

        Whole numbers are added up by the engine, for customers with equally many occasions; fractions only here, in a
        fixed order.
        """
        self._engine.register("shop_pairs", wanted({"place": range(len(one)), "one": one, "other": other}))
        place, occasions, times = self._shopping.figures(
            f"""
            WITH own AS (SELECT customer, count(*) AS n FROM {_OCCASIONS} GROUP BY customer),
            before AS (SELECT customer, item, count(*) AS n FROM {_VISITS} WHERE day <= {last} GROUP BY customer, item),
            after AS (SELECT customer, item, count(*) AS n FROM {_LATER} GROUP BY customer, item)
            SELECT k.place, o.n AS occasions, CAST(sum(a.n * b.n) AS BIGINT) AS times FROM before a
            JOIN shop_pairs k ON k.one = a.item
            JOIN after b ON b.customer = a.customer AND b.item = k.other
            JOIN own o ON o.customer = a.customer
            GROUP BY k.place, o.n ORDER BY k.place, occasions
            """  # noqa: S608
        )
        self._engine.unregister("shop_pairs")
        expected: Real = np.zeros(len(one))
        np.add.at(expected, place, times / occasions)
        return expected

    def _use(self, level: str, within: int, since: int | None, until: int) -> None:
        """Keep the visits of these days, those of which it is known what followed, and what followed in time."""
        asked = (level, within, since, until)
        if asked == self._kept:
            return
        self._let_go()
        after = "" if since is None else f"AND day >= {since}"
        self._engine.keep(
            _VISITS,
            f"SELECT DISTINCT customer, day, item FROM {self._shopping.items(level)} WHERE day <= {until} {after}",  # noqa: S608
        )
        self._engine.keep(
            _OCCASIONS,
            f"SELECT DISTINCT customer, day FROM {_VISITS} WHERE day <= {until - within}",  # noqa: S608
        )
        self._engine.keep(
            _LATER,
            f"SELECT o.customer, o.day, v.item, min(v.day - o.day) AS gap FROM {_OCCASIONS} o "  # noqa: S608
            f"JOIN {_VISITS} v ON v.customer = o.customer AND v.day > o.day AND v.day <= o.day + {within} "
            "GROUP BY o.customer, o.day, v.item",
        )
        self._kept = asked

    def _let_go(self) -> None:
        for name in (_LATER, _OCCASIONS, _VISITS) if self._kept else ():
            self._engine.unregister(name)
        self._kept = None


def medians(place: Whole, value: Whole, n: Whole, *, size: int) -> Real:
    """The median of the values of each place, of which there are ``n`` each; NaN for a place without any."""
    order = np.lexsort((value, place))
    place, value, until = place[order], value[order].astype(np.float64), np.cumsum(n[order])
    totals = np.bincount(place, weights=n[order], minlength=size).astype(np.int64)
    starts = np.cumsum(totals) - totals
    there = np.flatnonzero(totals)
    found = np.full(size, np.nan)
    low, high = (starts + (totals - 1) // 2)[there], (starts + totals // 2)[there]
    middle = [value[np.searchsorted(until, each, side="right")] for each in (low, high)]
    found[there] = (middle[0] + middle[1]) / 2
    return found
