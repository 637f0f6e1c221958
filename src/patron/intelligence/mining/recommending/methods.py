"""The candidates: each learns from what was known on a day, and then scores every product for a block of customers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Protocol, TypeAlias

import numpy as np

from patron.intelligence.mining.arrays import Real
from patron.intelligence.mining.recommending.dueness import Dueness, learn_dueness
from patron.intelligence.mining.recommending.history import (
    Events,
    Known,
    Matrix,
    Real32,
    buyers_of,
    known_at,
)

#: A dense product is faster than a sparse one when more of the left side is filled than this.
DENSE_FROM: Final = 0.03


@dataclass(frozen=True, slots=True)
class Settings:
    """What the methods are told. Days are whole days."""

    horizon_days: int
    half_life: float
    together_prior: float
    factors: int
    neighbours: int
    seed: int


#: From a slice of customers to one row for each and one column per product; higher is likelier.
Blocks: TypeAlias = Callable[[slice], Real32]


class Scorer(Protocol):
    """A method that has learned."""

    def over(self, known: Known) -> Blocks:
        """The scores of the customers of ``known``, block by block."""


@dataclass
class Course:
    """The lessons of one back-test. What was learned for one day is kept: the next window needs it again."""

    events: Events
    settings: Settings
    _lessons: dict[int, Lesson] = field(default_factory=dict)

    def on(self, day: int) -> Lesson:
        """What there is to learn from at the end of ``day``."""
        if day not in self._lessons:
            self._lessons[day] = Lesson(self, day)
        return self._lessons[day]


@dataclass(frozen=True)
class Lesson:
    """What the methods learn from: the events up to the day ``origin``."""

    course: Course
    origin: int

    @property
    def events(self) -> Events:
        return self.course.events

    @property
    def settings(self) -> Settings:
        return self.course.settings

    @cached_property
    def known(self) -> Known:
        settings = self.settings
        return known_at(self.events, self.origin, half_life=settings.half_life, recent_days=settings.horizon_days)

    def before(self, horizons: int = 1) -> Lesson:
        """The lesson of ``horizons`` × the horizon earlier."""
        return self.course.on(self.origin - horizons * self.settings.horizon_days)

    @cached_property
    def popularity(self) -> Real32:
        """Share of the customers known by then who had bought each product."""
        return (buyers_of(self.known) / max(int(self.known.present.sum()), 1)).astype(np.float32)

    @cached_property
    def together(self) -> Together:
        return count_together(self.known, prior=self.settings.together_prior)

    @cached_property
    def dueness(self) -> Dueness:
        return learn_dueness(self.events, self.before().known, horizon_days=self.settings.horizon_days)

    @cached_property
    def take_up(self) -> Real32:
        """Chance that a customer who came took up each product within a horizon, if they never had it."""
        return count_take_up(self, horizons=3)

    @cached_property
    def factors(self) -> Scorer:
        from patron.intelligence.mining.recommending.collaborative import learn_factors

        return learn_factors(self)


@dataclass(frozen=True, slots=True)
class Together:
    """How many customers had bought both products: ``both[i, j]``; ``buyers[i]`` bought i; ``customers`` in all.

    ``lift`` says how many times as often those with i have j as everybody does, drawn towards 1 where few are
    expected: ``(n_ij + s) / (n_i n_j / N + s)``.
    """

    both: Real32
    buyers: Real
    customers: int
    lift: Real32


def count_together(known: Known, *, prior: float) -> Together:
    bought = known.matrix(known.ones())
    both = np.asarray((bought.T @ bought).toarray(), dtype=np.float32)
    buyers, customers = np.diag(both).astype(np.float64), int(known.present.sum())
    expected = np.outer(buyers, buyers) / max(customers, 1)
    lift = ((both + prior) / (expected + prior)).astype(np.float32)
    np.fill_diagonal(lift, 1)
    return Together(both=both, buyers=buyers, customers=customers, lift=lift)


def count_take_up(lesson: Lesson, *, horizons: int) -> Real32:
    """Take-ups ÷ chances to take up over the last ``horizons`` periods, drawn a little towards 2 %."""
    new, chances = np.zeros(lesson.known.products), np.zeros(lesson.known.products)
    for back in range(1, horizons + 1):
        before, after = lesson.before(back).known, lesson.before(back - 1).known
        came = (after.visits > 0) & before.present
        first = (after.first > before.origin) & came[after.owner]
        new += np.bincount(after.product[first], minlength=len(new))
        chances += came.sum() - np.bincount(before.product[came[before.owner]], minlength=len(new))
    share: Real32 = ((new + 1) / (chances + 50)).astype(np.float32)
    return share


# -- popularity


@dataclass(frozen=True, slots=True)
class _SameForAll:
    """Every customer is offered the same."""

    score: Real32

    def over(self, known: Known) -> Blocks:  # noqa: ARG002 (the same whatever is known of a customer)
        return lambda rows: np.repeat(self.score[np.newaxis, :], rows.stop - rows.start, axis=0)


def popular(lesson: Lesson) -> Scorer:
    """The baseline: share of customers who have bought it."""
    return _SameForAll(lesson.popularity)


def popular_lately(lesson: Lesson) -> Scorer:
    """Purchases, with older days counting less."""
    weight = np.bincount(lesson.known.product, weights=lesson.known.weight, minlength=lesson.known.products)
    return _SameForAll((weight / max(weight.max(initial=0), 1e-9)).astype(np.float32))


def taken_up(lesson: Lesson) -> Scorer:
    """How many of those who never had it took it up in the last three horizons."""
    return _SameForAll(lesson.take_up)


# -- the customer's own habits


@dataclass(frozen=True, slots=True)
class _Repeat:
    """Chance that a product is bought again within the horizon; popularity orders what was never bought."""

    dueness: Dueness
    popularity: Real32
    horizon_days: int

    def over(self, known: Known) -> Blocks:
        chance = self.dueness.chances(known, horizon_days=self.horizon_days)
        never = -1 + self.popularity  # below every chance

        def block(rows: slice) -> Real32:
            scores = np.repeat(never[np.newaxis, :], rows.stop - rows.start, axis=0)
            part = known.part(rows)
            scores[known.owner[part] - rows.start, known.product[part]] = chance[part]
            return scores

        return block


def repeat(lesson: Lesson) -> Scorer:
    """The customer's own frequency × how due it is."""
    return _Repeat(lesson.dueness, lesson.popularity, lesson.settings.horizon_days)


# -- from product to product


@dataclass(frozen=True, slots=True)
class _FromProducts:
    """Sum of ``weights`` from each product of the customer to each other, plus ``bias`` for all."""

    weights: Real32
    bias: Real32
    values: Callable[[Known], Real32]

    def over(self, known: Known) -> Blocks:
        values = self.values(known)

        def block(rows: slice) -> Real32:
            scores: Real32 = times_dense(known.matrix(values, rows=rows), self.weights) + self.bias
            return scores

        return block


def times_dense(left: Matrix, right: Real32) -> Real32:
    """``left`` (sparse) × ``right``, in the way that is faster for how full ``left`` is."""
    cells = left.shape[0] * left.shape[1]
    full = left.nnz > DENSE_FROM * cells
    product: Real32 = np.asarray((left.toarray() if full else left) @ right, dtype=np.float32)
    return product


def mean_of_products(known: Known) -> Real32:
    """Each customer's products count the same and sum to 1."""
    held = np.maximum(np.diff(known.starts), 1)
    return (1 / held[known.owner]).astype(np.float32)


def root_of_products(known: Known) -> Real32:
    """Each customer's products count the same; a customer with more of them is known better."""
    return np.sqrt(mean_of_products(known))


def alike(lesson: Lesson) -> Scorer:
    """Products bought by the same customers: cosine of their columns."""
    together = lesson.together
    norm = np.sqrt(np.maximum(together.buyers, 1))
    cosine = (together.both / np.outer(norm, norm)).astype(np.float32)
    np.fill_diagonal(cosine, 1)
    return _FromProducts(cosine, np.zeros(len(norm), dtype=np.float32), mean_of_products)


def correlated(lesson: Lesson) -> Scorer:
    """As :func:`alike`, with what everybody buys taken out: correlation of the columns, beside the take-up."""
    together = lesson.together
    share = together.buyers / max(together.customers, 1)
    spread = np.sqrt(np.maximum(share * (1 - share), 1e-6))
    correlation = (together.both / max(together.customers, 1) - np.outer(share, share)) / np.outer(spread, spread)
    np.fill_diagonal(correlation, 0)
    return _FromProducts(correlation.astype(np.float32), np.log(lesson.take_up), root_of_products)


def rules(lesson: Lesson) -> Scorer:
    """Association rules: the popularity times the (geometric) mean of the lifts of the customer's products."""
    gain = np.log(lesson.together.lift)
    return _FromProducts(gain, np.log(lesson.popularity + 1e-6), mean_of_products)


def sequences(lesson: Lesson) -> Scorer:
    """A, then B for the first time: of those who bought A in one period, how many took up B in the next?"""
    prior, products = lesson.settings.together_prior, lesson.known.products
    pairs = np.zeros((products, products), dtype=np.float32)
    had = np.zeros(products)
    for back in (1, 2, 3):
        before, after = lesson.before(back).known, lesson.before(back - 1).known
        recent = before.matrix((before.last > before.origin - lesson.settings.horizon_days).astype(np.float32))
        new = after.matrix((after.first > before.origin).astype(np.float32))
        for each in (recent, new):
            each.eliminate_zeros()
        pairs += np.asarray((recent.T @ new).toarray(), dtype=np.float32)
        had += np.asarray(recent.sum(axis=0)).ravel()
    lift = (pairs + prior) / (np.outer(had, lesson.take_up) + prior)
    return _FromProducts(np.log(lift).astype(np.float32), np.log(lesson.take_up), _mean_of_recent)


def _mean_of_recent(known: Known) -> Real32:
    """The products bought within one half-life, each customer's summing to 1."""
    recent = known.last > known.origin - known.half_life
    held = np.maximum(np.bincount(known.owner[recent], minlength=known.customers), 1)
    return np.where(recent, 1 / held[known.owner], 0).astype(np.float32)


Learner: TypeAlias = Callable[[Lesson], Scorer]


def _neighbours(lesson: Lesson) -> Scorer:
    from patron.intelligence.mining.recommending.collaborative import neighbours

    return neighbours(lesson)


def _factors(lesson: Lesson) -> Scorer:
    return lesson.factors


def _blend(lesson: Lesson) -> Scorer:
    from patron.intelligence.mining.recommending.blending import blend

    return blend(lesson)


#: The candidates; the first is the baseline.
METHODS: Final[Mapping[str, Learner]] = {
    "popular": popular,
    "popular_lately": popular_lately,
    "taken_up": taken_up,
    "repeat": repeat,
    "alike": alike,
    "correlated": correlated,
    "rules": rules,
    "sequences": sequences,
    "neighbours": _neighbours,
    "factors": _factors,
    "blend": _blend,
}
BASELINE: Final = "popular"
