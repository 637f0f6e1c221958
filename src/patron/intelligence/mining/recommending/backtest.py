"""Which method would have been right? Learned up to a day, tested on the purchases of the days after it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from patron.intelligence.mining.arrays import Flags, Real, Whole
from patron.intelligence.mining.recommending.history import Known, among, bought_between
from patron.intelligence.mining.recommending.lists import LISTS, NEW, Offers, best_offers
from patron.intelligence.mining.recommending.methods import METHODS, Lesson

#: A method further down the table (more complicated) must be better by this to be chosen.
_CLOSE = 0.99
#: 97.5th percentile of the normal distribution.
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Figures:
    """How well one method did on one list in one window; shares are 0 to 1.

    ``customers`` came within the window and were known before it. ``precision``: share of the offers that were bought;
    ``hit_rate``: share of the customers who bought at least one of their offers, with a 95 % interval (Wilson);
    ``recall``: mean share of what a customer bought (of the list's kind) that had been offered; ``coverage``: share of
    the products that were offered to anybody; ``novelty``: mean of −log2 of the offered products' popularity.
    """

    customers: int
    precision: float
    hit_rate: float
    hit_rate_low: float
    hit_rate_high: float
    recall: float
    coverage: float
    novelty: float


@dataclass(frozen=True, slots=True)
class Window:
    """One window of the back-test: what came after ``origin``, and how each method did, by (list, method).

    ``hits`` says for each method which offers were bought: one row per customer of ``known``.
    """

    known: Known
    came: Flags
    figures: Mapping[tuple[str, str], Figures]
    hits: Mapping[tuple[str, str], Flags]


def run_window(lesson: Lesson, *, length: int, names: tuple[str, ...] = tuple(METHODS)) -> Window | None:
    """Learn what was known at the end of the lesson's day, and test on the next ``horizon_days``.

    None where nobody known then came in that time.
    """
    events, known = lesson.events, lesson.known
    truth = bought_between(events, lesson.origin, lesson.origin + lesson.settings.horizon_days)
    products = max(len(events.products), 1)
    came = np.zeros(known.customers, dtype=np.bool_)
    came[truth // products] = True
    came &= known.present
    if not came.any():
        return None
    bought = _bought(known, truth, products)
    figures, hits = {}, {}
    for name in names:
        for kind, offers in best_offers(METHODS[name](lesson), known, length=length).items():
            hit = hits_of(offers, truth, products)
            hits[kind, name] = hit
            figures[kind, name] = _figures(offers, hit, came, bought[kind], lesson)
    return Window(known=known, came=came, figures=figures, hits=hits)


def champion(window: Window, kind: str) -> str:
    """The method with the highest precision on the list ``kind``; the earlier in the table if it comes within 1 %."""
    precision = {name: figures.precision for (each, name), figures in window.figures.items() if each == kind}
    enough = _CLOSE * max(precision.values())
    return next(name for name, share in precision.items() if share >= enough)


def hits_of(offers: Offers, truth: Whole, products: int) -> Flags:
    """Which offers are among the pairs ``truth`` (ascending), shaped as the offers."""
    return among(offers.keys(products), truth)


def _bought(known: Known, truth: Whole, products: int) -> dict[str, Whole]:
    """How many products each customer bought within the window, by list."""
    fresh = truth[~among(truth, known.pairs)]
    return {
        kind: np.bincount((fresh if kind == NEW else truth) // products, minlength=known.customers) for kind in LISTS
    }


def _figures(offers: Offers, hit: Flags, came: Flags, bought: Whole, lesson: Lesson) -> Figures:
    offered = offers.product[came]
    shown = offered >= 0
    right = hit[came].sum(axis=1)
    customers = int(came.sum())
    successes = int((right > 0).sum())
    low, high = wilson(successes, customers)
    buying = bought[came] > 0
    popularity = np.maximum(lesson.popularity[offered[shown]], 1e-6)
    return Figures(
        customers=customers,
        precision=float(right.sum() / max(int(shown.sum()), 1)),
        hit_rate=successes / customers,
        hit_rate_low=low,
        hit_rate_high=high,
        recall=float(np.mean(right[buying] / bought[came][buying])) if buying.any() else 0.0,
        coverage=len(np.unique(offered[shown])) / max(len(lesson.events.products), 1),
        novelty=float(-np.log2(popularity).mean()) if shown.any() else 0.0,
    )


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """95 % interval of a share (E. B. Wilson, JASA 22, 1927); 0 to 1 without trials."""
    if trials == 0:
        return 0.0, 1.0
    share, spread = successes / trials, _Z * _Z / trials
    middle = (share + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    return max(middle - half, 0.0), min(middle + half, 1.0)


#: Upper bounds of the bands of visits in the last horizon, within which chances are told apart.
VISIT_BANDS = (0, 2, 5)
#: Offers that count as evidence for the chance of the rank alone.
_PRIOR_OFFERS = 50.0


def chances_by_rank(windows: list[tuple[Known, Flags]], *, length: int) -> Real:
    """Chance that an offer is bought within the horizon: one row per band of visits, one column per rank.

    ``windows`` are what was known, and which offers were bought; all customers known then count, also those who did
    not come. Bands with few customers are drawn towards everybody's chance at that rank.
    """
    bands = len(VISIT_BANDS) + 1
    offered, bought = np.zeros((bands, length)), np.zeros((bands, length))
    for known, hits in windows:
        band = visit_band(known)[known.present]
        width = hits.shape[1]
        for place in range(bands):
            offered[place] += int((band == place).sum())
            bought[place, :width] += hits[known.present][band == place].sum(axis=0)
    overall = bought.sum(axis=0) / np.maximum(offered.sum(axis=0), 1)
    chances: Real = (bought + _PRIOR_OFFERS * overall) / (offered + _PRIOR_OFFERS)
    return chances


def visit_band(known: Known) -> Whole:
    """In which band of visits each customer is."""
    return np.searchsorted(VISIT_BANDS, known.visits, side="left").astype(np.int64)
