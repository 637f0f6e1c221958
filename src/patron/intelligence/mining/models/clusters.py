"""Clusters: which groups of customers are alike, what does each bring, and how should it be treated?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Real, Whole, counts, decimals, half_up, labels
from patron.intelligence.mining.clustering.choice import Trials
from patron.intelligence.mining.clustering.groupings import Fitting
from patron.intelligence.mining.clustering.matrix import Treatment, complete_rows
from patron.intelligence.mining.clustering.portraits import readable
from patron.intelligence.mining.clustering.profit_table import TreatmentRules
from patron.intelligence.mining.clustering.segmentation import Money, Plan, Segmentation, moves, segment
from patron.intelligence.mining.contract import Metric, Model, ModelCard, Outcome, Parameters, Point, parameter
from patron.intelligence.mining.errors import InputError, ParameterError
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.sentences import Piece, sentences
from patron.intelligence.mining.transactions import Role

if TYPE_CHECKING:
    from patron.intelligence.mining.sentences import Template

CUSTOMER: Final = Role("customer", "who the row tells of, each once; without it rows are numbered from 1")
FEATURES: Final = Role(
    "features", "what customers are compared by, one number each", required=True, kind="number", many=True
)
EARLIER: Final = Role(
    "earlier",
    "the same features at an earlier date, in the same order: says who moved from group to group",
    kind="number",
    many=True,
)
REVENUE: Final = Role("revenue", "money the customer brought, for the profit table", kind="number")
UNITS: Final = Role("units", "how many products the customer bought, for the product index", kind="number")
TENURE: Final = Role("tenure", "months since the customer came first", kind="number")
PROFIT: Final = Role("profit", "profit with the customer", kind="number")

REASON_CODES: Final = ("typical", "member", "border")
#: Below this confidence a customer could as well be in the next group; from the other on it is typical of its own.
BORDER: Final = 0.2
TYPICAL: Final = 0.5


@dataclass(frozen=True)
class ClusterParameters(Parameters):
    """How groups are made, and how they are judged."""

    k: int = parameter(0, "number of groups; 0 = choose between k_min and k_max", minimum=0, maximum=100)
    k_min: int = parameter(2, "fewest groups to try", minimum=2, maximum=100)
    k_max: int = parameter(10, "most groups to try", minimum=2, maximum=100)
    method: str = parameter("kmeans", "how groups are found", choices=("kmeans", "mixture", "ward"))
    standardise: str = parameter("z", "how features get the same weight", choices=("z", "range", "none"))
    winsorise: float = parameter(0.01, "share of values at each end pulled in; 0 = none", minimum=0, maximum=0.25)
    log: str = parameter(
        "auto", "features taken as logarithms: the skewed ones, none, all", choices=("auto", "none", "all")
    )
    log_skewness: float = parameter(1.0, "auto: skewness from which a feature counts as skewed", minimum=0)
    missing: str = parameter(
        "median", "a missing value takes the median, or its row is left out", choices=("median", "leave_out")
    )
    restarts: int = parameter(10, "starts of k-means, of which the best goes on", minimum=1, maximum=100)
    sample: int = parameter(20_000, "rows for the starts of k-means and for the mixture", minimum=100)
    micro_clusters: int = parameter(
        1000, "Ward: more rows than this are first put into so many small groups", minimum=10, maximum=5000
    )
    trial_rows: int = parameter(5000, "rows on which numbers of groups are tried", minimum=100, maximum=20_000)
    resamples: int = parameter(
        10, "bootstrap samples for the stability of each number; 0 = do not ask", minimum=0, maximum=200
    )
    min_stability: float = parameter(
        0.75, "adjusted Rand index from which groups count as stable", minimum=0, maximum=1
    )
    retain_leverage: float = parameter(1.5, "retain: revenue share ÷ customer share of at least this", minimum=0)
    grow_leverage: float = parameter(1.0, "cross- or up-sell: leverage of at least this", minimum=0)
    grow_product_index: float = parameter(0.9, "cross- or up-sell as well: product index of at least this", minimum=0)
    observe_months: float = parameter(12.0, "observe: younger than this, in months", minimum=0)
    abandon_leverage: float = parameter(0.1, "abandon: leverage below this", minimum=0)
    seed: int = parameter(1, "start of the random numbers", minimum=0, maximum=2**32 - 1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.k_max < self.k_min:
            raise ParameterError(f"k_max is {self.k_max}; it must be at least k_min ({self.k_min}).")

    def plan(self) -> Plan:
        """The same in the words of the segmentation."""
        return Plan(
            k=self.k,
            k_min=self.k_min,
            k_max=self.k_max,
            treatment=Treatment(
                winsorise=self.winsorise,
                logs=self.log,  # type: ignore[arg-type]  # checked against the choices
                skewness=self.log_skewness,
                standard=self.standardise,  # type: ignore[arg-type]
            ),
            fitting=Fitting(
                method=self.method,  # type: ignore[arg-type]
                restarts=self.restarts,
                sample=self.sample,
                micro_clusters=self.micro_clusters,
                seed=self.seed,
            ),
            trials=Trials(
                rows=self.trial_rows,
                silhouette_rows=min(self.trial_rows, 3000),
                resamples=self.resamples,
                min_stability=self.min_stability if self.resamples else 0.0,
            ),
            rules=TreatmentRules(
                retain_leverage=self.retain_leverage,
                grow_leverage=self.grow_leverage,
                grow_product_index=self.grow_product_index,
                observe_months=self.observe_months,
                abandon_leverage=self.abandon_leverage,
            ),
        )


def compute(rows: Rows, _as_of: dt.date, parameters: ClusterParameters) -> Outcome:
    """One row per row of the input that has a customer, by customer; see ``docs/algorithms/clusters.md``."""
    source = _source(rows)
    if not source.customers or not len(source.customers):
        return Outcome(table=_no_rows(source), metrics={"customers": 0, "k": 0})
    notes = list(source.notes)
    if parameters.missing == "leave_out":
        source, left = _complete(source)
        if left:
            notes.append(f"Rows left out because a feature is missing: {left}.")
        if not len(source.customers):
            raise InputError("Every row lacks a feature; give complete rows, or let missing values take the median.")
    found = segment(source.features, source.money, parameters.plan())
    return described(source, found, parameters, notes=tuple(notes))


def described(
    source: Source, found: Segmentation, parameters: ClusterParameters, *, notes: tuple[str, ...] = ()
) -> Outcome:
    """Groups that were found, as the model's result; for whoever needs the groups themselves as well."""
    earlier = _earlier(source, found)
    return Outcome(
        table=_table(source, found, earlier),
        metrics=_metrics(found, earlier),
        series=_series(found),
        fitted=_fitted(found, parameters),
        notes=(*notes, *found.notes),
    )


@dataclass(frozen=True, slots=True)
class Source:
    """The input in memory, by customer; each array has one value for each of ``customers``.

    ``earlier`` has the names of ``features``; it is empty where nothing is known of an earlier date.
    """

    customers: pa.Array
    features: Mapping[str, Real]
    earlier: Mapping[str, Real]
    money: Money
    notes: tuple[str, ...] = ()


def _source(rows: Rows) -> Source:
    names, before = rows.columns_of("features"), rows.columns_of("earlier")
    if not names:
        raise InputError("There are no features; name the columns that customers are compared by.")
    if len(set(names)) < len(names):
        raise InputError(f"A feature is named twice in {', '.join(names)}; name each once.")
    if before and len(before) != len(names):
        raise InputError(
            f"There are {len(names)} features and {len(before)} earlier ones; give one earlier column for each feature."
        )
    roles = [role.name for role in (REVENUE, UNITS, TENURE, PROFIT) if rows.has(role.name)]
    identity = [CUSTOMER.name] if rows.has(CUSTOMER.name) else []
    table = rows.arrow(*dict.fromkeys([*identity, *names, *before, *roles])).combine_chunks()
    customers, order, notes = _customers(table)
    columns = {name: _numbers(table, name, order) for name in dict.fromkeys([*names, *before, *roles])}
    return Source(
        customers=customers,
        features={name: columns[name] for name in names},
        earlier={name: columns[old] for name, old in zip(names, before, strict=False)},
        money=Money(*(columns.get(role.name) for role in (REVENUE, UNITS, TENURE, PROFIT))),
        notes=notes,
    )


def _customers(table: pa.Table) -> tuple[pa.Array, Whole, tuple[str, ...]]:
    """Who the rows are of, the order of the rows that makes them ascend, and remarks."""
    if CUSTOMER.name not in table.column_names:
        return pa.array(np.arange(1, table.num_rows + 1)), np.arange(table.num_rows), ()
    column = table[CUSTOMER.name].combine_chunks()
    known = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
    named = column.take(pa.array(known))
    order = pc.array_sort_indices(named)
    customers = named.take(order)
    repeated = pc.filter(customers[1:], pc.equal(customers[1:], customers[:-1])) if len(customers) > 1 else []
    if len(repeated):
        raise InputError(
            f"The customer {repeated[0].as_py()} has more than one row; add up to one row for each customer first."
        )
    without = len(column) - len(known)
    notes = (f"Rows left out because they have no customer: {without}.",) if without else ()
    return customers, known[order.to_numpy()], notes


def _numbers(table: pa.Table, name: str, order: Whole) -> Real:
    """A column as real numbers in that order; not a number where a value is missing or infinite."""
    try:
        column = table[name].combine_chunks().cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(f"The column {name} must be numbers; it is {table.schema.field(name).type}.") from error
    values: Real = column.to_numpy(zero_copy_only=False)[order]
    return values if np.isfinite(values).all() else np.where(np.isfinite(values), values, np.nan)


def _complete(source: Source) -> tuple[Source, int]:
    whole = np.flatnonzero(complete_rows(list(source.features.values())))
    left = len(source.customers) - len(whole)
    if not left:
        return source, 0
    chosen = Source(
        customers=source.customers.take(pa.array(whole)),
        features={name: values[whole] for name, values in source.features.items()},
        earlier={name: values[whole] for name, values in source.earlier.items()},
        money=source.money.taken(whole),
    )
    return chosen, left


def _earlier(source: Source, found: Segmentation) -> Whole | None:
    """The group each row would have been in by its earlier features; −1 where none of them is known."""
    if not source.earlier:
        return None
    known = np.zeros(len(source.customers), dtype=np.bool_)
    for values in source.earlier.values():
        known |= np.isfinite(values)
    groups: Whole = np.where(known, found.members_of(source.earlier).cluster, -1)
    return groups


def _table(source: Source, found: Segmentation, earlier: Whole | None) -> pa.Table:
    members = found.members
    codes = np.where(members.confidence >= TYPICAL, 0, np.where(members.confidence >= BORDER, 1, 2)).astype(np.int8)
    if found.k == 1:
        codes[:] = 0
    names = pa.array([portrait.name for portrait in found.portraits], pa.string())
    columns: dict[str, pa.Array] = {
        "customer": source.customers,
        "cluster": counts(members.cluster + 1),
        "cluster_name": names.take(pa.array(members.cluster)),
        "confidence": pa.array(np.round(members.confidence, 6)),
        "next_cluster": counts(members.other + 1, known=np.full(len(codes), found.k > 1)),
        "distance": pa.array(np.round(members.distance, 6)),
    }
    if earlier is not None:
        columns["earlier_cluster"] = counts(earlier + 1, known=earlier >= 0)
    columns["reason_code"] = labels(codes, REASON_CODES).cast(pa.string())
    columns["reason"] = _reasons(source, found, codes)
    return pa.table(columns)


def _reasons(source: Source, found: Segmentation, codes: np.ndarray) -> pa.Array:
    """For each group and code a sentence with the value of what sets the group apart most."""
    templates = {
        place * len(REASON_CODES) + code: _template(source, found, place, name)
        for place in range(found.k)
        for code, name in enumerate(REASON_CODES)
    }
    keys = found.members.cluster.astype(np.int16) * len(REASON_CODES) + codes
    return sentences(keys, templates)


def _template(source: Source, found: Segmentation, place: int, code: str) -> Template:
    portrait = found.portraits[place]
    if found.k == 1:
        return lambda _rows: ["There is one group, for nothing tells customers apart enough to make more."]
    trait = portrait.traits[0]

    def template(rows: Whole) -> list[Piece]:
        values = half_up(np.nan_to_num(source.features[trait.feature][rows]) * 100)
        pieces: list[Piece] = [
            f"Group {place + 1} of {found.k}, {portrait.name}: {readable(trait.feature)} ",
            decimals(values, scale=2),
            f", where the group has {trait.mean:.2f} and everybody {trait.overall:.2f} on average.",
        ]
        if code == "border":
            pieces += [" Close to the border with group ", counts(found.members.other[rows] + 1), "."]
        return pieces

    return template


def _metrics(found: Segmentation, earlier: Whole | None) -> dict[str, Metric]:
    quality = found.quality
    metrics: dict[str, Metric] = {
        "customers": len(found.members.cluster),
        "k": found.k,
        "silhouette": None if quality is None else round(quality.silhouette, 6),
        "stability": None if quality is None else round(quality.stability, 6),
        "inertia": round(_inertia(found), 6),
        "smallest_cluster": min(int(row.customers) for row in found.table),
        "on_a_border": int(np.count_nonzero(found.members.confidence < BORDER)),
    }
    if earlier is not None:
        known = earlier >= 0
        metrics["moved"] = int(np.count_nonzero(earlier[known] != found.members.cluster[known]))
        flows = moves(earlier[known], found.members.cluster[known].astype(np.int64), found.k)
        metrics.update(
            {f"moved_{i + 1}_to_{j + 1}": int(flows[i, j]) for i in range(found.k) for j in range(found.k) if i != j}
        )
    for row, portrait in zip(found.table, found.portraits, strict=True):
        figures: dict[str, Metric] = {
            "name": portrait.name,
            "portrait": portrait.sentence,
            "customers": int(row.customers),
            "customer_share": _rounded(row.customer_share),
            "revenue": _rounded(row.revenue),
            "revenue_share": _rounded(row.revenue_share),
            "product_index": _rounded(row.product_index),
            "leverage": _rounded(row.leverage),
            "tenure_months": _rounded(row.tenure_months),
            "profit": _rounded(row.profit),
            "profit_share": _rounded(row.profit_share),
            "treatment": row.treatment,
            "why": row.why,
        }
        metrics.update({f"cluster_{row.cluster}_{name}": figure for name, figure in figures.items()})
    return metrics


def _inertia(found: Segmentation) -> float:
    """The sum of squared distances to the own centre, in standardised features."""
    return float(np.square(found.members.distance).sum())


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _series(found: Segmentation) -> dict[str, tuple[Point, ...]]:
    def curve(values: Sequence[tuple[float, float]]) -> tuple[Point, ...]:
        return tuple((float(x), round(float(y), 6)) for x, y in values)

    return {
        "silhouette_by_k": curve([(each.k, each.silhouette) for each in found.tried]),
        "stability_by_k": curve([(each.k, each.stability) for each in found.tried]),
        "inertia_by_k": curve([(each.k, each.within) for each in found.tried]),
    }


def _fitted(found: Segmentation, parameters: ClusterParameters) -> dict[str, Metric]:
    """The centres in the features' own units (means of the groups), and the number of groups."""
    fitted: dict[str, Metric] = {"k": found.k} if not parameters.k else {}
    for portrait in found.portraits:
        for trait in portrait.traits:
            if np.isfinite(trait.mean):
                fitted[f"centre_{portrait.cluster}_{trait.feature}"] = round(trait.mean, 6)
    return fitted


def _no_rows(source: Source) -> pa.Table:
    columns = {
        "customer": source.customers,
        "cluster": pa.array([], pa.int32()),
        "cluster_name": pa.array([], pa.string()),
        "confidence": pa.array([], pa.float64()),
        "next_cluster": pa.array([], pa.int32()),
        "distance": pa.array([], pa.float64()),
    }
    if source.earlier:
        columns["earlier_cluster"] = pa.array([], pa.int32())
    return pa.table({**columns, "reason_code": pa.array([], pa.string()), "reason": pa.array([], pa.string())})


MODEL: Final = Model(
    card=ModelCard(
        name="clusters",
        title="Groups of customers",
        question="Which groups of customers are alike, what does each of them bring, and how should it be treated?",
        roles=(CUSTOMER, FEATURES, EARLIER, REVENUE, UNITS, TENURE, PROFIT),
        method=(
            "Makes features comparable (outliers pulled in, skewed ones as logarithms, standardised), finds groups by "
            "k-means, a Gaussian mixture or Ward's method, takes the number of groups that stand apart and come back "
            "when customers are drawn again, names each by what sets it apart, and compares what it brings with how "
            "many it is. Confidence: 0 on the border, 1 in the middle; for a mixture the probability of the group."
        ),
        source=(
            "k-means: S. Lloyd (1982). Mixture: A. Dempster et al. (1977). Ward: J. Ward (1963), F. Murtagh and P. "
            "Legendre (2014). Silhouette: P. Rousseeuw (1987). Stability: Y. Fang and J. Wang (2012). "
            "Profit table: the frequent-flyer form of airline studies."
        ),
        limits=(
            "Groups are a way of looking: other features give other groups.",
            "Numbers of groups are tried on a sample (trial_rows), and the mixture is fitted on one (sample).",
            "With more rows than micro_clusters, Ward's method joins small groups found by k-means on a sample.",
            "Treatments follow rules with thresholds that are yours to set; they are advice, not proof.",
            "A customer near a border may change group without having changed much: look at the confidence.",
        ),
        reads="table",
    ),
    parameters=ClusterParameters,
    compute=compute,
)
