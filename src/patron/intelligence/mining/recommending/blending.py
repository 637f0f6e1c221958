"""The blend: a logistic regression of whether a product was taken up, on what the single methods say of it.

Learned one horizon earlier: the methods learn from what was known then, the regression from what was bought since. Its
negatives are a sample, and its intercept is corrected for that (G. King and L. Zeng, Logistic regression in rare
events data, Political Analysis 9, 2001), so that scores are chances and can be compared with those of refills.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Real, Whole
from patron.intelligence.mining.recommending.history import (
    Events,
    Known,
    Real32,
    among,
    ascending,
    bought_between,
    known_at,
)
from patron.intelligence.mining.recommending.lists import blocks
from patron.intelligence.mining.recommending.methods import Blocks, Lesson, Scorer, correlated, count_take_up

#: At most so many customers teach the weights; they are spread evenly over all.
_TEACHERS: Final = 1000
_NEGATIVES: Final = 5
_RIDGE: Final = 1.0
_STEPS: Final = 25


@dataclass(frozen=True, slots=True)
class _Blend:
    lesson: Lesson
    weights: Real

    def over(self, known: Known) -> Blocks:
        signs = _signs(self.lesson, known)
        chance = self.lesson.dueness.chances(known, horizon_days=self.lesson.settings.horizon_days)
        weights = self.weights.astype(np.float32)

        def block(rows: slice) -> Real32:
            logit = np.float32(weights[0]) + sum(
                weight * sign for weight, sign in zip(weights[1:], signs(rows), strict=True)
            )
            scores: Real32 = 1 / (1 + np.exp(-logit))
            part = known.part(rows)
            scores[known.owner[part] - rows.start, known.product[part]] = chance[part]
            return scores

        return block


def blend(lesson: Lesson) -> Scorer:
    """Chances of products never bought by the regression, of others by :mod:`dueness`."""
    return _Blend(lesson, _learn(lesson.before()))


def _signs(lesson: Lesson, known: Known) -> _SignBlocks:
    return _SignBlocks(
        same=tuple(
            np.log(each)
            for each in (
                count_take_up(lesson, horizons=1),
                lesson.take_up,
                count_take_up(lesson, horizons=6),
                lesson.popularity + np.float32(1e-6),
            )
        ),
        own=(correlated(lesson).over(known), lesson.factors.over(known)),
    )


@dataclass(frozen=True, slots=True)
class _SignBlocks:
    """What the regression sees: signs that are the same for everybody, and those of each customer."""

    same: tuple[Real32, ...]
    own: tuple[Blocks, ...]

    def __call__(self, rows: slice) -> list[Real32]:
        return [*(each[np.newaxis, :] for each in self.same), *(block(rows) for block in self.own)]


def _learn(lesson: Lesson) -> Real:
    """Intercept, then one weight per sign. Without a take-up to learn from: the take-up of all alone."""
    taught = _teachers(lesson)
    truth = bought_between(taught, lesson.origin, lesson.origin + lesson.settings.horizon_days)
    known = known_at(
        taught, lesson.origin, half_life=lesson.settings.half_life, recent_days=lesson.settings.horizon_days
    )
    positives = truth[~among(truth, known.pairs)]
    if not len(positives):
        return np.array([0.0, 0, 1, 0, 0, 0, 0])
    negatives, sampled = _negatives(known, truth, count=_NEGATIVES * len(positives), seed=lesson.settings.seed)
    pairs = np.sort(np.concatenate((positives, negatives)))
    weights = _logistic(_signs_of(lesson, known, pairs), among(pairs, positives).astype(np.float64))
    weights[0] += np.log(max(sampled, 1e-9))
    return weights


def _teachers(lesson: Lesson) -> Events:
    """The events of customers who were known and came in the horizon after the lesson's day."""
    truth = bought_between(lesson.events, lesson.origin, lesson.origin + lesson.settings.horizon_days)
    came = np.zeros(lesson.known.customers, dtype=np.bool_)
    came[truth // max(lesson.known.products, 1)] = True
    teachers = np.flatnonzero(came & lesson.known.present)
    if len(teachers) > _TEACHERS:
        teachers = teachers[np.linspace(0, len(teachers) - 1, _TEACHERS).astype(np.int64)]
    return lesson.events.of_customers(teachers)


def _negatives(known: Known, truth: Whole, *, count: int, seed: int) -> tuple[Whole, float]:
    """Pairs of a customer and a product neither had nor taken up, and which share of all such pairs they are."""
    cells = known.customers * known.products
    drawn = ascending(np.random.default_rng(seed).integers(cells, size=count))
    drawn = drawn[~among(drawn, known.pairs) & ~among(drawn, truth)]
    taken = len(known.pairs) + int((~among(truth, known.pairs)).sum())
    return drawn, len(drawn) / max(cells - taken, 1)


def _signs_of(lesson: Lesson, known: Known, pairs: Whole) -> Real:
    """One row per pair (ascending), one column per sign."""
    signs = _signs(lesson, known)
    customer, product = pairs // known.products, pairs % known.products
    rows = []
    for part in blocks(known):
        first, end = np.searchsorted(customer, (part.start, part.stop))
        inside = (customer[first:end] - part.start, product[first:end])
        size = (part.stop - part.start, known.products)
        rows.append(np.stack([np.broadcast_to(each, size)[inside] for each in signs(part)], axis=1))
    return np.concatenate(rows).astype(np.float64)


def _logistic(signs: Real, taken: Real) -> Real:
    """Weights by Newton's method with a ridge on standardised signs; intercept first."""
    middle, spread = signs.mean(axis=0), signs.std(axis=0)
    spread[spread < 1e-9] = 1
    design = np.column_stack((np.ones(len(signs)), (signs - middle) / spread))
    ridge = np.diag([0.0] + [_RIDGE] * signs.shape[1])
    weights = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (taken - chance) - ridge @ weights
        curve = (design * (chance * (1 - chance))[:, np.newaxis]).T @ design + ridge
        step = np.linalg.solve(curve + 1e-9 * np.eye(len(weights)), slope)
        weights += step
        if np.abs(step).max() < 1e-8:
            break
    own = weights[1:] / spread
    return np.concatenate(([weights[0] - own @ middle], own))
