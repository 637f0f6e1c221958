"""From purchases to each customer's next products: compare the methods by date, let the best one offer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from patron.intelligence.mining.arrays import Real, counts, dates, day_number
from patron.intelligence.mining.recommending.backtest import (
    Figures,
    Window,
    champion,
    chances_by_rank,
    run_window,
    visit_band,
)
from patron.intelligence.mining.recommending.history import Events, Known, fetch_events, known_at
from patron.intelligence.mining.recommending.lists import ANY, LISTS, NEW, Offers, best_offers
from patron.intelligence.mining.recommending.methods import BASELINE, METHODS, Course, Lesson, Settings
from patron.intelligence.mining.recommending.parameters import NextProductParameters
from patron.intelligence.mining.recommending.reasons import CODES, anchors, codes_of, place_offers, reasons
from patron.intelligence.mining.transactions import Purchases

#: What is used while there is too little history to compare.
FALLBACK: Mapping[str, str] = {NEW: BASELINE, ANY: "repeat"}
VALIDATION, TEST = "validation", "test"
#: Offers are put into words for so many customers at a time: half a gigabyte.
SLICE_CUSTOMERS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """One line of the back-test table. ``window`` is validation or test, ``kind`` new or any."""

    window: str
    kind: str
    method: str
    chosen: bool
    figures: Figures


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The offers, as numbers. ``methods`` by list.

    ``promised`` and ``kept`` are, by list, the mean chance that the validation gave the offers of the test window, and
    the share of them that was bought.
    """

    offered: Offered
    customers: int
    products: int
    methods: Mapping[str, str]
    comparisons: tuple[Comparison, ...]
    promised: Mapping[str, float]
    kept: Mapping[str, float]

    @property
    def table(self) -> pa.Table:
        """All offers in words, by customer, list and rank: see the card of the model."""
        return pa.concat_tables(self.slices())

    def slices(self, customers: int = SLICE_CUSTOMERS) -> Iterator[pa.Table]:
        """The same for so many customers at a time: a million of them have ten million sentences."""
        everybody = self.offered.known.customers
        for first in range(0, max(everybody, 1), customers):
            yield self.offered.told(slice(first, min(first + customers, everybody)))

    def figures(self, kind: str, method: str, window: str = TEST) -> Figures | None:
        """The figures of one method, where the history was long enough."""
        for each in self.comparisons:
            if (each.window, each.kind, each.method) == (window, kind, method):
                return each.figures
        return None


def recommend(purchases: Purchases, as_of: dt.date, parameters: NextProductParameters) -> Recommendation:
    """The next products of everybody who has bought by ``as_of``."""
    events = fetch_events(purchases, min_customers=parameters.min_customers, max_products=parameters.max_products)
    today, horizon = day_number(as_of), parameters.horizon_days
    course = Course(_spread(events, parameters.sample_customers), _settings(parameters))
    windows = {}
    for name, back in ((VALIDATION, 2), (TEST, 1)):
        window = None if _too_short(events, today - back * horizon) else run_window(
            course.on(today - back * horizon), length=parameters.top, names=_compared(parameters)
        )  # fmt: skip
        if window is not None:
            windows[name] = window
    methods = {kind: _chosen(windows, kind, parameters) for kind in LISTS}
    known = known_at(events, today, half_life=parameters.half_life_days, recent_days=horizon)
    lesson = course.on(today)
    offered = Offered(
        events=events,
        known=known,
        lesson=lesson,
        methods=methods,
        offers={kind: _offers(lesson, known, kind, method, parameters.top) for kind, method in methods.items()},
        chances={kind: _chances(windows.values(), kind, method, parameters.top) for kind, method in methods.items()},
    )
    checks = {kind: _calibration(windows, kind, method, parameters.top) for kind, method in methods.items()}
    return Recommendation(
        offered=offered,
        customers=int(known.present.sum()),
        products=len(events.products),
        methods=methods,
        comparisons=tuple(
            Comparison(name, kind, method, method == methods[kind], figures)
            for name, window in windows.items()
            for (kind, method), figures in window.figures.items()
        ),
        promised={kind: check[0] for kind, check in checks.items() if check},
        kept={kind: check[1] for kind, check in checks.items() if check},
    )


def _settings(parameters: NextProductParameters) -> Settings:
    return Settings(
        horizon_days=parameters.horizon_days,
        half_life=parameters.half_life_days,
        together_prior=parameters.together_prior,
        factors=parameters.factors,
        neighbours=parameters.neighbours,
        seed=parameters.seed,
    )


def _spread(events: Events, most: int) -> Events:
    """At most so many customers, evenly spread over all."""
    count = len(events.customers)
    if count <= most:
        return events
    return events.of_customers(np.linspace(0, count - 1, most).astype(np.int64))


def _too_short(events: Events, origin: int) -> bool:
    """Nothing was known on that day."""
    return not len(events.day) or int(events.day.min()) > origin


def _compared(parameters: NextProductParameters) -> tuple[str, ...]:
    return tuple(METHODS) if parameters.method == "best" else tuple(dict.fromkeys((BASELINE, parameters.method)))


def _chosen(windows: Mapping[str, Window], kind: str, parameters: NextProductParameters) -> str:
    if parameters.method != "best":
        return parameters.method
    return champion(windows[VALIDATION], kind) if VALIDATION in windows else FALLBACK[kind]


def _chances(windows: object, kind: str, method: str, length: int) -> Real | None:
    """Calibrated chances by band of visits and rank, from all windows; none without a back-test."""
    seen = [
        (window.known, window.hits[kind, method])
        for window in windows  # type: ignore[attr-defined]
        if (kind, method) in window.hits
    ]
    return chances_by_rank(seen, length=length) if seen else None


def _calibration(windows: Mapping[str, Window], kind: str, method: str, length: int) -> tuple[float, float] | None:
    """What the validation promised for the offers of the test window, and what became of them."""
    if VALIDATION not in windows or TEST not in windows or (kind, method) not in windows[TEST].hits:
        return None
    promised = _chances([windows[VALIDATION]], kind, method, length)
    test = windows[TEST]
    hits = test.hits[kind, method][test.known.present]
    if promised is None or not hits.size:
        return None
    given = promised[visit_band(test.known)[test.known.present], : hits.shape[1]]
    return float(given.mean()), float(hits.mean())


def _offers(lesson: Lesson, known: Known, kind: str, method: str, length: int) -> Offers:
    if not known.products:
        return Offers(np.zeros((known.customers, 0), np.int32), np.zeros((known.customers, 0), np.float32))
    return best_offers(METHODS[method](lesson), known, length=length, lists=(kind,))[kind]


@dataclass(frozen=True, slots=True)
class Offered:
    """The offers of everybody by list, and what is needed to say them in words."""

    events: Events
    known: Known
    lesson: Lesson
    methods: Mapping[str, str]
    offers: Mapping[str, Offers]
    chances: Mapping[str, Real | None]

    def told(self, rows: slice) -> pa.Table:
        """The offers of the customers at the places ``rows``, by customer, list and rank."""
        order = [("customer", "ascending"), ("list", "ascending"), ("rank", "ascending")]
        return pa.concat_tables(self._of(kind, rows) for kind in self.methods).sort_by(order)

    def _of(self, kind: str, rows: slice) -> pa.Table:
        events, known, offers = self.events, self.known, self.offers[kind]
        there = (offers.product[rows] >= 0) & known.present[rows, np.newaxis]
        customer, rank = np.nonzero(there)
        customer += rows.start
        product = offers.product[rows][there].astype(np.int64)
        offer = place_offers(known, customer, product)
        anchor = anchors(known, offer, self.lesson.together.lift)
        codes = codes_of(known, offer, anchor)
        again = offer.element >= 0
        element = np.maximum(offer.element, 0) if len(known.times) else np.zeros(0, dtype=np.int64)
        told = codes == CODES.index("together")
        chances = self.chances[kind]
        confidence = None if chances is None else chances[visit_band(known)[customer], rank]
        words = reasons(known, offer, anchor, codes, products=events.products, popularity=self.lesson.popularity)
        return pa.table(
            {
                "customer": events.customers.take(pa.array(customer)),
                "list": pa.repeat(pa.scalar(kind), len(customer)),
                "rank": counts(rank + 1),
                "product": events.products.take(pa.array(product)),
                "score": pa.array(offers.score[rows][there].astype(np.float64)),
                "method": pa.repeat(pa.scalar(self.methods[kind]), len(customer)),
                "times_bought": counts(np.where(again, known.times[element], 0)),
                "last_on": dates(known.last[element], known=again),
                "because": events.products.take(pa.array(anchor.product, mask=~told)),
                "lift": pa.array(anchor.lift.astype(np.float64), mask=~told),
                "confidence": pa.nulls(len(customer), pa.float64()) if confidence is None else pa.array(confidence),
                "reason_code": pa.array(np.array(CODES, dtype=object)[codes], pa.string()),
                "reason": words,
            }
        )
