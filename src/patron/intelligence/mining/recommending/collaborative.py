"""Collaborative filtering by the library ``implicit``: loaded only when it is used, single results for a seed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from patron.intelligence.mining.recommending.history import Known, Matrix, Real32

if TYPE_CHECKING:
    from patron.intelligence.mining.recommending.methods import Blocks, Lesson, Scorer

THREADS: Final = 1
ITERATIONS: Final = 6
REGULARISATION: Final = 0.05
ALPHA: Final = 4.0


@dataclass(frozen=True, slots=True)
class _Neighbours:
    similar: Matrix

    def over(self, known: Known) -> Blocks:
        values = np.sqrt(known.times).astype(np.float32)
        return lambda rows: np.asarray((known.matrix(values, rows=rows) @ self.similar).toarray(), dtype=np.float32)


def neighbours(lesson: Lesson) -> Scorer:
    """Nearest products by BM25 weights (S. Robertson and H. Zaragoza, The probabilistic relevance framework, 2009)."""
    known = lesson.known
    with _quietly():
        from implicit.nearest_neighbours import BM25Recommender

        model = BM25Recommender(K=lesson.settings.neighbours, num_threads=THREADS)
        model.fit(known.matrix(np.sqrt(known.times).astype(np.float32)).tocsr(), show_progress=False)
    return _Neighbours(model.similarity.tocsr().astype(np.float32))


@dataclass(frozen=True, slots=True)
class _Factors:
    model: Any

    def over(self, known: Known) -> Blocks:
        confidences, items = _confidences(known), self.model.item_factors

        def block(rows: slice) -> Real32:
            with _quietly():
                users = self.model.recalculate_user(
                    np.arange(rows.stop - rows.start), known.matrix(confidences, rows=rows)
                )
            return np.asarray(users @ items.T, dtype=np.float32)

        return block


def learn_factors(lesson: Lesson) -> Scorer:
    """Alternating least squares (Hu, Koren and Volinsky, Collaborative filtering for implicit feedback, ICDM 2008)."""
    known, settings = lesson.known, lesson.settings
    with _quietly():
        from implicit.cpu.als import AlternatingLeastSquares

        model = AlternatingLeastSquares(
            factors=min(settings.factors, max(known.products - 1, 1)),
            regularization=REGULARISATION,
            iterations=ITERATIONS,
            num_threads=THREADS,
            random_state=settings.seed,
        )
        model.fit(known.matrix(_confidences(known)), show_progress=False)
    return _Factors(model)


def _confidences(known: Known) -> Real32:
    return (1 + ALPHA * np.log1p(known.weight)).astype(np.float32)


@contextmanager
def _quietly() -> Iterator[None]:
    """One thread for BLAS: several of them spin against each other here, for the same result in twice the time.

    ``implicit`` warns about conversions of its own.
    """
    from threadpoolctl import threadpool_limits

    with warnings.catch_warnings(), threadpool_limits(1, "blas"):
        warnings.simplefilter("ignore", RuntimeWarning)
        from implicit.utils import ParameterWarning

        warnings.simplefilter("ignore", ParameterWarning)
        yield
