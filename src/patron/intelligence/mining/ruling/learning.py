"""Rules learned from cases: each with what it says, whom it covers, and what it was worth on rows kept back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from patron.intelligence.mining.arrays import Real, Whole
from patron.intelligence.mining.churning.judging import Area, area, wilson
from patron.intelligence.mining.contract import Parameters, parameter
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.ruling.cases import Cases, Numeric, cases_of
from patron.intelligence.mining.ruling.conditions import Condition, joined
from patron.intelligence.mining.ruling.growing import Grown, grow

_SURE = 0.999
_MANY = 50


@dataclass(frozen=True)
class RulesParameters(Parameters):
    """How fine the rules may be, and how they are judged."""

    max_depth: int = parameter(4, "at most so many questions per rule", minimum=1, maximum=10)
    min_share: float = parameter(0.02, "a rule covers at least this share of the rows", minimum=0.0001, maximum=0.5)
    min_rows: int = parameter(10, "a rule covers at least so many rows", minimum=2)
    interest: str = parameter("", "the class that matters (empty: of two classes the rarer)")
    kept_back: float = parameter(0.3, "share of the rows kept back to test", minimum=0.05, maximum=0.9)
    target_ranges: int = parameter(3, "a target that is a number is cut into so many ranges", minimum=2, maximum=10)
    max_rows: int = parameter(50_000, "learn from a random sample of at most so many rows", minimum=100)
    seed: int = parameter(1, "the random numbers of samples and folds", minimum=0, maximum=2**32 - 1)


@dataclass(frozen=True, slots=True)
class Told:
    """A share among the rows kept back that a rule covers, with its 95 % interval and its ratio to the share of all."""

    share: float | None
    low: float
    high: float
    lift: float | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``support`` and ``coverage`` are of all rows, ``tested`` is how many of those kept back it covers.

    ``accuracy``: how often the prediction was right; ``interest``: how often the class that matters came, and
    ``learned`` the same among the rows learned from.
    """

    number: int
    node: int
    conditions: tuple[Condition, ...]
    prediction: str
    support: int
    coverage: float
    tested: int
    accuracy: Told
    interest: Told | None
    learned: float

    def words(self) -> str:
        """What must hold, in plain words."""
        return " and ".join(condition.words() for condition in self.conditions) or "everybody"


@dataclass(frozen=True, slots=True)
class Step:
    """A node of the tree as a picture shows it; ``share`` is of the class that matters, or of the prediction."""

    node: int
    parent: int | None
    condition: Condition | None
    support: int
    coverage: float
    share: float
    prediction: str
    rule: int | None


@dataclass(frozen=True, slots=True)
class Ruling:
    """All that was learned; the rules, the surest of the class that matters first, cover every row exactly once."""

    cases: Cases
    grown: Grown
    interest: str
    rules: tuple[Rule, ...]
    steps: tuple[Step, ...]
    tested: int
    accuracy: float
    majority_accuracy: float
    log_loss: float
    base_log_loss: float
    area: Area | None
    notes: tuple[str, ...]

    def numbers(self, table: pa.Table) -> Whole:
        """The number of the rule that covers each row of ``table`` (the features by their names)."""
        number = np.zeros(len(self.grown.nodes), dtype=np.int64)
        for rule in self.rules:
            number[rule.node] = rule.number
        return number[self.grown.leaf_of(self.cases.matrix(table))]


def learn(table: pa.Table, names: Sequence[str], parameters: RulesParameters) -> Ruling:
    """Rules for the column ``target`` from the features ``names``.

    A column ``holdout`` marks the rows that only test. Raises :class:`InputError` for input rules cannot be made of.
    """
    least = max(parameters.min_rows, 2)
    cases = cases_of(
        table,
        names,
        target_ranges=parameters.target_ranges,
        kept_share=parameters.kept_back,
        least=least,
        seed=parameters.seed,
    )
    interest = _interest(cases, parameters.interest)
    matrix = cases.matrix(table.take(pa.array(cases.rows)))
    learned, notes = _sample(cases, parameters)
    if len(np.unique(cases.target[learned])) < 2:
        raise InputError("All rows to learn from have the same target: keep back others, or bring in more rows.")
    grown = grow(
        matrix[learned],
        cases.target[learned],
        depth=parameters.max_depth,
        least=max(least, round(parameters.min_share * len(learned))),
        classes=len(cases.classes),
        seed=parameters.seed,
    )
    return _judged(cases, grown, interest, leaf=grown.leaf_of(matrix), learned=learned, notes=(*cases.notes, *notes))


def _interest(cases: Cases, wanted: str) -> str:
    if wanted and wanted not in cases.classes:
        raise InputError(f"interest is {wanted!r}; the target has: {', '.join(cases.classes)}.")
    if wanted or len(cases.classes) > 2:
        return wanted
    return cases.classes[int(np.bincount(cases.target[~cases.kept_back], minlength=2).argmin())]


def _sample(cases: Cases, parameters: RulesParameters) -> tuple[Whole, tuple[str, ...]]:
    learned = np.flatnonzero(~cases.kept_back)
    if len(learned) <= parameters.max_rows:
        return learned, ()
    picked = np.random.default_rng(parameters.seed).choice(learned, parameters.max_rows, replace=False)
    return np.sort(picked), (f"Learned from a random sample of {parameters.max_rows:,} of {len(learned):,} rows.",)


def _judged(
    cases: Cases, grown: Grown, interest: str, *, leaf: Whole, learned: Whole, notes: tuple[str, ...]
) -> Ruling:
    count, classes = len(grown.nodes), len(cases.classes)
    held = np.flatnonzero(cases.kept_back)
    of_learned = _counted(leaf[learned], cases.target[learned], count, classes)
    of_held = _counted(leaf[held], cases.target[held], count, classes)
    support = np.bincount(leaf, minlength=count)
    paths = _paths(cases, grown)
    wanted = cases.classes.index(interest) if interest else -1

    def order(node: int) -> tuple[float, int, int]:
        place = wanted if wanted >= 0 else int(of_learned[node].argmax())
        return (-of_learned[node, place] / max(of_learned[node].sum(), 1), -int(support[node]), node)

    leaves = sorted((node for node in range(count) if grown.nodes[node].column < 0), key=order)
    base_held = of_held.sum(axis=0) / max(len(held), 1)
    rules = []
    for number, node in enumerate(leaves, start=1):
        predicted = int(of_learned[node].argmax())
        place = wanted if wanted >= 0 else predicted
        rules.append(
            Rule(
                number=number,
                node=node,
                conditions=paths[node],
                prediction=cases.classes[predicted],
                support=int(support[node]),
                coverage=float(support[node] / len(leaf)),
                tested=int(of_held[node].sum()),
                accuracy=_told(of_held[node], predicted, base_held),
                interest=_told(of_held[node], wanted, base_held) if wanted >= 0 else None,
                learned=float(of_learned[node, place] / of_learned[node].sum()),
            )
        )
    shares = (of_learned + 0.5) / (of_learned.sum(axis=1, keepdims=True) + 0.5 * classes)
    base = np.bincount(cases.target[learned], minlength=classes) / len(learned)
    truth = cases.target[held]
    accuracy = float((of_learned[leaf[held]].argmax(axis=1) == truth).mean())
    return Ruling(
        cases=cases,
        grown=grown,
        interest=interest,
        rules=tuple(rules),
        steps=_steps(cases, grown, of_learned, support, wanted, {rule.node: rule.number for rule in rules}),
        tested=len(held),
        accuracy=accuracy,
        majority_accuracy=float((truth == int(base.argmax())).mean()),
        log_loss=float(-np.log(shares[leaf[held], truth]).mean()),
        base_log_loss=float(-np.log(np.maximum(base[truth], 1e-9)).mean()),
        area=area(shares[leaf[held], wanted], truth == wanted) if wanted >= 0 else None,
        notes=(*notes, *_doubts(grown, accuracy, len(leaf))),
    )


def _doubts(grown: Grown, accuracy: float, rows: int) -> tuple[str, ...]:
    if len(grown.nodes) == 1:
        return ("No feature tells the classes apart beyond chance: there is one rule for everybody.",)
    if accuracy >= _SURE and rows >= _MANY:
        return ("The rules are right nearly always: look whether a feature was known only after the target.",)
    return ()


def _counted(leaf: Whole, target: Whole, nodes: int, classes: int) -> Real:
    counts = np.zeros((nodes, classes))
    np.add.at(counts, (leaf, target), 1)
    return counts


def _told(counts: Real, place: int, base: Real) -> Told:
    rows, hits = int(counts.sum()), int(counts[place])
    low, high = wilson(hits, rows)
    share = hits / rows if rows else None
    lift = None if share is None or base[place] == 0 else float(share / base[place])
    return Told(share, float(low), float(high), lift)


def _paths(cases: Cases, grown: Grown) -> dict[int, tuple[Condition, ...]]:
    """What must hold on the way to each node, merged by feature."""
    paths: dict[int, tuple[Condition, ...]] = {0: ()}
    for place, node in enumerate(grown.nodes):
        if node.column >= 0:
            below, above = _split(cases, node.column, node.threshold)
            paths[node.below] = joined(paths[place], below)
            paths[node.above] = joined(paths[place], above)
    return paths


def _split(cases: Cases, column: int, threshold: float) -> tuple[Condition, Condition]:
    """What a split on a coded column means: for those who go below, and for those who go above."""
    for feature in cases.features:
        width = 1 if isinstance(feature, Numeric) else len(feature.categories)
        if column < width:
            if isinstance(feature, Numeric):
                cut = float(feature.cuts[int(np.floor(threshold))])
                return Condition(feature.name, high=cut), Condition(feature.name, low=cut)
            text = (feature.categories[column],)
            return Condition(feature.name, not_among=text), Condition(feature.name, among=text)
        column -= width
    raise IndexError("a tree splits on a column that no feature has")


def _steps(
    cases: Cases, grown: Grown, of_learned: Real, support: Whole, wanted: int, numbers: dict[int, int]
) -> tuple[Step, ...]:
    counts, rows = of_learned.copy(), support.astype(np.float64)
    parents: dict[int, tuple[int, Condition]] = {}
    # Children follow their parents, so going backwards every node is summed before it is added to its parent.
    for place in range(len(grown.nodes) - 1, -1, -1):
        node = grown.nodes[place]
        if node.column >= 0:
            counts[place] = counts[node.below] + counts[node.above]
            rows[place] = rows[node.below] + rows[node.above]
            below, above = _split(cases, node.column, node.threshold)
            parents[node.below], parents[node.above] = (place, below), (place, above)
    steps = []
    for place in range(len(grown.nodes)):
        predicted = int(counts[place].argmax())
        parent, condition = parents.get(place, (None, None))
        steps.append(
            Step(
                node=place,
                parent=parent,
                condition=condition,
                support=int(rows[place]),
                coverage=float(rows[place] / rows[0]),
                share=float(counts[place, wanted if wanted >= 0 else predicted] / max(counts[place].sum(), 1)),
                prediction=cases.classes[predicted],
                rule=numbers.get(place),
            )
        )
    return tuple(steps)
