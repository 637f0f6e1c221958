"""How often what is bought together, counted by the engine that holds the lines (Spark); see `baskets_counting`.

Pairs are counted for all parts at once, by a join of each basket with itself: MLlib's FP-growth would have to be run
for each part, cannot stop at two items, and a run costs seconds however few the baskets. Longer itemsets, looked for
among all baskets only, are FP-growth's (`mining.patterns.on_spark`): there it shares the prefixes of the baskets
instead of writing out every combination.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from patron.intelligence.insights.baskets_counting import CLASSES, Bought, Counted, Part, Sides, busiest, quarters
from patron.intelligence.insights.shopping import Level
from patron.intelligence.insights.shopping_on_engine import EngineShopping, wanted
from patron.intelligence.mining.arrays import Whole
from patron.intelligence.mining.patterns.itemsets import Itemsets


class EngineCounting:
    """Over :class:`EngineShopping`; keeps the parts of each basket in the engine until `close`."""

    def __init__(self, shopping: EngineShopping, *, with_value: bool) -> None:
        self._shopping = shopping
        self._with_value = with_value
        self._engine = shopping.engine
        self._kept_parts: list[Part] = []
        of_value = "v.value_class" if with_value else "NULL::VARCHAR"
        value = "LEFT JOIN customer_value v ON v.customer_id = b.customer" if with_value else ""
        self._engine.keep(
            "shop_baskets",
            f"""
            SELECT b.basket, b.customer, b.branch, b.day, {of_value} AS value_class
            FROM (
                SELECT basket, min(customer) AS customer, coalesce(min(branch), -1) AS branch, min(day) AS day
                FROM shop_lines GROUP BY basket
            ) b {value}
            """,  # noqa: S608 (our own SQL)
        )

    @property
    def levels(self) -> Mapping[str, Level]:
        return self._shopping.levels

    @property
    def size(self) -> int:
        return self._shopping.size

    @property
    def customer_count(self) -> int:
        return self._shopping.customers

    @property
    def days(self) -> tuple[int, int]:
        return self._shopping.first, self._shopping.last

    def close(self) -> None:
        """Let go of what the engine keeps, the shopping too."""
        for name in ("shop_parts", "shop_keys") if self._kept_parts else ():
            self._engine.unregister(name)
        self._engine.unregister("shop_baskets")
        self._shopping.close()

    def parts(self) -> list[Part]:
        days = self.days
        chosen = [("all", "", days)]
        if self._with_value:
            chosen += [("value", each, days) for each in CLASSES]
        branches, baskets = self._shopping.figures(
            "SELECT branch, count(*) AS baskets FROM shop_baskets WHERE branch >= 0 GROUP BY branch ORDER BY branch"
        )
        chosen += [("branch", str(each), days) for each in busiest(branches, baskets)]
        chosen += [("season", name, own) for name, own in quarters(*days).items()]
        return self._sized([Part(part, key, 0, 0, own) for part, key, own in chosen])

    def within(self, first: int, last: int) -> Part:
        return self._sized([Part("days", "", 0, 0, (first, last))])[0]

    def counted(
        self, level: str, parts: Sequence[Part], *, least: Sequence[int], longest: Sequence[int]
    ) -> list[Counted]:
        self._use(parts)
        names, items = self.levels[level].names, self._shopping.items(level)
        self._engine.register("shop_least", wanted({"part": range(len(parts)), "least": least}))
        found = self._shopping.figures(
            f"""
            SELECT p.part, i.item AS one, -1 AS other, count(*) AS n FROM {items} i
            JOIN shop_parts p ON p.basket = i.basket GROUP BY p.part, i.item
            UNION ALL
            SELECT p.part, a.item AS one, b.item AS other, count(*) AS n
            FROM {items} a JOIN {items} b ON b.basket = a.basket AND b.item > a.item
            JOIN shop_parts p ON p.basket = a.basket JOIN shop_least k ON k.part = p.part
            GROUP BY p.part, a.item, b.item, k.least HAVING count(*) >= k.least
            """  # noqa: S608 (our own SQL)
        )
        self._engine.unregister("shop_least")
        single = [column[found[2] < 0] for column in found]
        pair = [column[found[2] >= 0] for column in found]
        made = []
        for place, part in enumerate(parts):
            counts = np.zeros(len(names), dtype=np.int64)
            own = single[0] == place
            counts[single[1][own]] = single[3][own]
            frequent = np.flatnonzero(counts >= least[place])
            levels = [(frequent[:, None], counts[frequent])]
            own = pair[0] == place
            if longest[place] != 1 and own.any():
                levels.append((np.column_stack((pair[1][own], pair[2][own])), pair[3][own]))
            if longest[place] not in (1, 2) and len(levels) > 1:
                levels += self._longer(level, part, least=least[place], longest=longest[place])
            made.append(Counted(Itemsets.of_codes(names, part.baskets, levels), counts))
        return made

    def together(self, level: str, part: Part, one: Whole, other: Whole) -> tuple[Whole, Whole]:
        self._use([part])
        items = self._shopping.items(level)
        self._engine.register("shop_pairs", wanted({"place": range(len(one)), "one": one, "other": other}))
        what, place, n = self._shopping.figures(
            f"""
            SELECT 0 AS what, i.item AS place, count(*) AS n FROM {items} i
            JOIN shop_parts p ON p.basket = i.basket GROUP BY i.item
            UNION ALL
            SELECT 1 AS what, k.place, count(*) AS n FROM {items} a
            JOIN shop_parts p ON p.basket = a.basket
            JOIN shop_pairs k ON k.one = a.item
            JOIN {items} b ON b.basket = a.basket AND b.item = k.other GROUP BY k.place
            """  # noqa: S608 (our own SQL)
        )
        self._engine.unregister("shop_pairs")
        counts = np.zeros(len(self.levels[level].names), dtype=np.int64)
        counts[place[what == 0]] = n[what == 0]
        both = np.zeros(len(one), dtype=np.int64)
        both[place[what == 1]] = n[what == 1]
        return both, counts

    def bought(self, level: str, parts: Sequence[Part], sides: Sequence[Sides]) -> list[Bought]:
        self._use(parts)
        self._engine.keep(
            "shop_buyers",
            f"SELECT DISTINCT p.part, i.customer, i.item FROM {self._shopping.items(level)} i "  # noqa: S608
            "JOIN shop_parts p ON p.basket = i.basket",
        )
        item_part, item, buyers = self._shopping.figures(
            "SELECT part, item, count(*) AS n FROM shop_buyers GROUP BY part, item"
        )
        starts = np.cumsum([0, *(len(each.one) for each in sides)])
        self._engine.register(
            "shop_rules",
            wanted({
                "rule": range(int(starts[-1])),
                "part": np.repeat(np.arange(len(sides)), np.diff(starts)),
                "one": np.concatenate([each.one for each in sides]),
                "two": np.concatenate([each.two for each in sides]),
                "consequent": np.concatenate([each.then for each in sides]),
            }),
        )  # fmt: skip
        rule, left, missing = self._shopping.figures(
            """
            WITH left_side AS (
                SELECT r.rule, r.part, r.consequent, a.customer FROM shop_rules r
                JOIN shop_buyers a ON a.part = r.part AND a.item = r.one WHERE r.two < 0
                UNION ALL
                SELECT r.rule, r.part, r.consequent, a.customer FROM shop_rules r
                JOIN shop_buyers a ON a.part = r.part AND a.item = r.one
                JOIN shop_buyers b ON b.part = r.part AND b.item = r.two AND b.customer = a.customer WHERE r.two >= 0
            )
            SELECT l.rule, count(*) AS bought, count(*) - count(t.customer) AS missing FROM left_side l
            LEFT JOIN shop_buyers t ON t.part = l.part AND t.customer = l.customer AND t.item = l.consequent
            GROUP BY l.rule
            """
        )
        for name in ("shop_rules", "shop_buyers"):
            self._engine.unregister(name)
        all_left, all_missing = np.zeros((2, int(starts[-1])), dtype=np.int64)
        all_left[rule], all_missing[rule] = left, missing
        made = []
        for place in range(len(parts)):
            counts = np.zeros(len(self.levels[level].names), dtype=np.int64)
            own = item_part == place
            counts[item[own]] = buyers[own]
            rows = slice(starts[place], starts[place + 1])
            made.append(Bought(counts, all_left[rows], all_missing[rows]))
        return made

    def _longer(self, level: str, part: Part, *, least: int, longest: int) -> list[tuple[Whole, Whole]]:
        """The itemsets of three items and more, by FP-growth."""
        from patron.intelligence.mining.patterns.on_spark import frequent_codes_on_spark

        rows = self._engine.backend.table(self._shopping.items(level))
        if part.part != "all":
            own = self._engine.backend.table("shop_parts")
            rows = rows.semi_join(own.filter(own.part == self._kept_parts.index(part)), "basket")
        return frequent_codes_on_spark(rows, min_count=least, min_length=3, max_length=longest)

    def _sized(self, parts: Sequence[Part]) -> list[Part]:
        self._use(parts)
        rows = self._engine.rows(
            "SELECT part, count(*) AS baskets, count(DISTINCT customer) AS customers FROM shop_parts GROUP BY part"
        )
        sizes = {part: (baskets, customers) for part, baskets, customers in rows}
        made = []
        for place, part in enumerate(parts):
            baskets, customers = sizes.get(place, (0, 0))
            made.append(replace(part, baskets=int(baskets), customers=int(customers)))
        self._kept_parts = made
        return made

    def _use(self, parts: Sequence[Part]) -> None:
        """Keep which baskets are in which part: they are numbered as they come."""
        if list(parts) == self._kept_parts:
            return
        if self._kept_parts:
            for name in ("shop_parts", "shop_keys"):
                self._engine.unregister(name)
        keys = pa.table({
            "part": pa.array(range(len(parts)), pa.int64()),
            "value_class": pa.array([each.key if each.part == "value" else None for each in parts], pa.string()),
            "branch": pa.array([int(each.key) if each.part == "branch" else None for each in parts], pa.int64()),
            "first_day": pa.array([each.days[0] for each in parts], pa.int64()),
            "last_day": pa.array([each.days[1] for each in parts], pa.int64()),
        })  # fmt: skip
        self._engine.register("shop_keys", keys)
        self._engine.keep(
            "shop_parts",
            "SELECT b.basket, b.customer, k.part FROM shop_baskets b JOIN shop_keys k "
            "ON b.day BETWEEN k.first_day AND k.last_day AND (k.branch IS NULL OR k.branch = b.branch) "
            "AND (k.value_class IS NULL OR k.value_class = b.value_class)",
        )
        self._kept_parts = list(parts)
