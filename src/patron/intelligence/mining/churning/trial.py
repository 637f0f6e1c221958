"""The trial: learn on the earliest cut-offs, choose and calibrate on a later one, test on the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Flags, Real
from patron.intelligence.mining.churning.features import Snapshot
from patron.intelligence.mining.churning.fitting import (
    Scaling,
    Scorer,
    fit_boosting,
    fit_logistic,
    fit_scaling,
    log_odds,
    training_rows,
)
from patron.intelligence.mining.churning.judging import (
    Area,
    Band,
    Quality,
    area,
    area_gain,
    auc,
    bands,
    log_loss,
    quality,
)
from patron.intelligence.mining.churning.reasons import Explainer
from patron.intelligence.mining.churning.schedule import ChurnParameters

#: Boosting must be better by so much on the validation day; otherwise the simpler model is taken.
_WORTH_TREES: Final = 0.002
#: Simple rules that anybody could follow: who has been silent for longest is called first.
BASELINES: Final = ("silence_ratio", "silence_days")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model in the contest: its area and loss on the validation day, which choose, and its area on the test day."""

    kind: str
    validation_auc: float
    validation_log_loss: float
    test: Area


@dataclass(frozen=True, slots=True)
class Learned:
    """A model with its scaling, and what explains it."""

    explainer: Explainer
    scaling: Scaling

    def scores(self, snapshot: Snapshot) -> Real:
        """Before scaling; one per customer at risk."""
        chosen = [snapshot.names.index(name) for name in self.explainer.names]
        whole = len(chosen) == len(snapshot.names)
        return log_odds(self.explainer.scorer, snapshot.matrix if whole else snapshot.matrix[:, chosen])

    def probability(self, snapshot: Snapshot) -> Real:
        """Of leaving within the horizon."""
        return self.scaling.probability(self.scores(snapshot))


@dataclass(frozen=True, slots=True)
class Trial:
    """The chosen model and what it was worth on the test day, beside the simple rules.

    ``baseline`` is the better of the simple rules on that day, ``gain`` by how much larger the model's area is.
    """

    champion: str
    candidates: tuple[Candidate, ...]
    quality: Quality
    baseline: str
    baselines: dict[str, Area]
    gain: Area
    bands: tuple[Band, ...]


def fit(
    kind: str, training: Sequence[Snapshot], calibration: Snapshot, names: Sequence[str], parameters: ChurnParameters
) -> Learned:
    """Learn on ``training``, scale on ``calibration``, both with known leavers."""
    from threadpoolctl import threadpool_limits

    matrix, left = training_rows(training, names, parameters)
    # One thread: threads that wait for each other cost four times as much as soon as the machine has other work.
    with threadpool_limits(1):
        scorer: Scorer = (
            fit_logistic(matrix, left, names) if kind == "logistic" else fit_boosting(matrix, left, parameters)
        )
    typical = np.median(matrix[~left], axis=0).astype(np.float64)
    unscaled = Learned(Explainer(scorer, tuple(names), typical), Scaling(0.0, 1.0, np.zeros((2, 2))))
    return Learned(unscaled.explainer, fit_scaling(unscaled.scores(calibration), calibration.labels()))


def hold(
    training: Sequence[Snapshot],
    validation: Snapshot,
    test: Snapshot,
    names: Sequence[str],
    parameters: ChurnParameters,
) -> Trial:
    """Both models in the contest, the better one tested."""
    learned = {kind: fit(kind, training, validation, names, parameters) for kind in ("logistic", "boosting")}
    known, left = validation.labels(), test.labels()
    on_test = {kind: model.scores(test) for kind, model in learned.items()}
    candidates = []
    for kind, model in learned.items():
        scores = model.scores(validation)
        candidates.append(
            Candidate(
                kind=kind,
                validation_auc=auc(scores, known),
                validation_log_loss=log_loss(model.scaling.probability(scores), known),
                test=area(on_test[kind], left),
            )
        )
    plain, trees = candidates
    champion = "boosting" if trees.validation_auc >= plain.validation_auc + _WORTH_TREES else "logistic"
    probability = learned[champion].scaling.probability(on_test[champion])
    rules = {name: area(test.column(name), left) for name in BASELINES}
    baseline = max(rules, key=lambda name: rules[name].value)
    return Trial(
        champion=champion,
        candidates=tuple(candidates),
        quality=quality(probability, left),
        baseline=baseline,
        baselines=rules,
        gain=area_gain(probability, test.column(baseline), left),
        bands=bands(probability, test.column(baseline), left),
    )


def enough(labels: Flags, least: int) -> bool:
    """Whether so many left and so many stayed."""
    return bool(labels.sum() >= least and (~labels).sum() >= least)
