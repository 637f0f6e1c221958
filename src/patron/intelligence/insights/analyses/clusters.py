"""Groups of customers who are alike, what each brings, how to treat it, and who moved between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings, Proof
from patron.intelligence.insights.customer_features import YEAR, customer_features, first_day
from patron.intelligence.insights.marts.clusters import CHOICE, CUSTOMERS, GROUPS, MOVES, TRAITS
from patron.intelligence.insights.marts.contract import ALL_BRANCHES
from patron.intelligence.mining.arrays import Flags, Real, Whole
from patron.intelligence.mining.clustering.portraits import Trait
from patron.intelligence.mining.clustering.profit_table import SegmentRow, segment_profit_table, segment_sums
from patron.intelligence.mining.clustering.segmentation import Money, Plan, Segmentation, segment
from patron.intelligence.mining.contract import Metric, parameter
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models.clusters import ClusterParameters, Source, described

#: Spend is left out, for it is visits times basket; so is tenure, which would cut every group in two.
FEATURES: Final = ("recency_days", "visits", "basket", "discount_share", "categories")
EARLIER_DAYS: Final = 91
#: Fewer customers make no groups worth a treatment; fewer than so many days of history foretell nothing.
LEAST_CUSTOMERS: Final = 50
LEAST_DAYS: Final = 120


@dataclass(frozen=True)
class HouseClusterParameters(ClusterParameters):
    """Two or three groups are too few to treat customers differently by."""

    k_min: int = parameter(4, "fewest groups to try", minimum=2, maximum=100)
    k_max: int = parameter(8, "most groups to try", minimum=2, maximum=100)


#: What a house says of a feature that is high, and of one that is low.
WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "recency_days": ("long away", "here lately"),
    "visits": ("come often", "come rarely"),
    "basket": ("large baskets", "small baskets"),
    "discount_share": ("buy on offer", "rarely on offer"),
    "categories": ("buy across the range", "few kinds of goods"),
}


def find(context: Context) -> Findings:
    """The five marts, and the group of each customer as an insight. Refuses a house with fewer than 50 customers."""
    parameters = context.parameters(HouseClusterParameters)
    now = customer_features(context.warehouse, as_of=context.until, currency=context.currency)
    if now.num_rows < LEAST_CUSTOMERS:
        raise InputError(
            f"Groups need {LEAST_CUSTOMERS} customers with a purchase in the last year; there are {now.num_rows}."
        )
    before, days = _before(context)
    source = _source(now, before)
    found = segment(source.features, source.money, parameters.plan())
    outcome = described(source, found, parameters)
    members = outcome.table.append_column("branch_id", now["branch"]).append_column("customer_id", now["customer"])
    if before is None:
        members = members.append_column("earlier_cluster", pa.nulls(now.num_rows, pa.int32()))
    for name in (*FEATURES, "spend", "products", "tenure_months"):
        members = members.append_column(name, now[name])
    proof, figures = _proof(context, before, found, parameters.plan())
    return Findings(
        tables={
            GROUPS.name: _groups(found, now),
            TRAITS.name: _traits(found),
            CUSTOMERS.name: members,
            MOVES.name: _moves(members, now, before, found),
            CHOICE.name: _choice(found),
        },
        parameters={**parameters.as_dict(), **outcome.fitted},
        metrics={**_headline(outcome.metrics), **figures, "window_days": YEAR},
        insights=_insights(members, found),
        proof=proof,
        notes=(*outcome.notes, *_remarks(days)),
    )


def _before(context: Context) -> tuple[pa.Table | None, int]:
    """Features as of 13 weeks ago, with visits of a shorter history drawn out to a year; and its days. Or nothing."""
    then = context.until - timedelta(EARLIER_DAYS)
    first = first_day(context.warehouse, context.currency)
    days = 0 if first is None else min((then - first).days + 1, YEAR)
    if days < LEAST_DAYS:
        return None, days
    before = customer_features(context.warehouse, as_of=then, currency=context.currency)
    if before.num_rows < LEAST_CUSTOMERS:
        return None, days
    visits = pc.multiply(before["visits"].cast(pa.float64()), YEAR / days)
    return before.set_column(before.column_names.index("visits"), "visits", visits), days


def _source(now: pa.Table, before: pa.Table | None) -> Source:
    """Today's features with those of 13 weeks ago beside them, not a number for who was not here then."""
    earlier: Mapping[str, Real] = {}
    if before is not None:
        place = pc.index_in(now["customer"].combine_chunks(), value_set=before["customer"].combine_chunks())
        known = place.fill_null(before.num_rows).to_numpy()
        earlier = {name: np.append(values, np.nan)[known] for name, values in _features(before).items()}
    return Source(
        customers=now["customer"].combine_chunks(), features=_features(now), earlier=earlier, money=_money(now)
    )


def _features(table: pa.Table) -> Mapping[str, Real]:
    return {name: table[name].cast(pa.float64()).to_numpy() for name in FEATURES}


def _money(table: pa.Table) -> Money:
    covered = table["covered"].to_numpy()
    return Money(
        revenue=table["spend"].to_numpy(),
        units=table["products"].cast(pa.float64()).to_numpy(),
        tenure_months=table["tenure_months"].to_numpy(),
        profit=table["profit"].to_numpy() if covered.any() else None,
    )


def _groups(found: Segmentation, now: pa.Table) -> pa.Table:
    """The profit table of the organisation and of each home branch, with the organisation's names and treatments."""
    money, cluster = _money(now), found.members.cluster
    branch = now["branch"].fill_null(-1).to_numpy()
    rows = [(ALL_BRANCHES, row) for row in found.table]
    for one in np.unique(branch[branch >= 0]):
        inside = np.flatnonzero(branch == one)
        own = money.taken(inside)
        sums = segment_sums(
            cluster[inside],
            found.k,
            revenue=own.revenue,
            units=own.units,
            tenure_months=own.tenure_months,
            profit=own.profit,
        )
        rows += [(int(one), row) for row in segment_profit_table(sums)]
    return pa.Table.from_pylist([_group(scope, row, found) for scope, row in rows])


def _group(scope: int, row: SegmentRow, found: Segmentation) -> dict[str, object]:
    house, portrait = found.table[row.cluster - 1], found.portraits[row.cluster - 1]
    return {
        "branch_id": scope,
        "cluster": row.cluster,
        "name": house_name(portrait.traits),
        "portrait": portrait.sentence,
        "customers": int(row.customers),
        "customer_share": row.customer_share,
        "revenue": row.revenue,
        "revenue_share": row.revenue_share,
        "product_index": row.product_index,
        "leverage": row.leverage,
        "tenure_months": row.tenure_months,
        "profit": row.profit,
        "profit_share": row.profit_share,
        "treatment": house.treatment,
        "why": house.why,
    }


def house_name(traits: Sequence[Trait]) -> str:
    """What sets a group apart most, in up to two of the house's phrases."""
    said = [WORDS[trait.feature][0 if trait.z > 0 else 1] for trait in traits if trait.level != "usual"]
    name = ", ".join(said[:2]) or "like everybody"
    return f"{name[0].upper()}{name[1:]}"


def _traits(found: Segmentation) -> pa.Table:
    rows = [
        {
            "cluster": portrait.cluster,
            "position": place,
            "feature": trait.feature,
            "level": trait.level,
            "mean": trait.mean,
            "overall": trait.overall,
            "ratio": trait.ratio,
            "z": trait.z,
        }
        for portrait in found.portraits
        for place, trait in enumerate(portrait.traits, start=1)
    ]
    schema = [("cluster", pa.int32()), ("position", pa.int32()), ("feature", pa.string()), ("level", pa.string())]
    return pa.Table.from_pylist(
        rows, schema=pa.schema([*schema, *((name, pa.float64()) for name in ("mean", "overall", "ratio", "z"))])
    )


def _moves(members: pa.Table, now: pa.Table, before: pa.Table | None, found: Segmentation) -> pa.Table:
    """Counted flows; also of those who had bought in the year before and no longer have."""
    empty = {name: pa.array([], pa.int64()) for name in ("branch_id", "from_cluster", "to_cluster", "customers")}
    if before is None:
        return pa.table(empty)
    stayed = pa.table(
        {
            "branch_id": now["branch"],
            "from_cluster": members["earlier_cluster"].fill_null(0).cast(pa.int64()),
            "to_cluster": members["cluster"].cast(pa.int64()),
        }
    )
    gone = before.filter(pc.invert(pc.is_in(before["customer"], value_set=now["customer"].combine_chunks())))
    then = found.members_of(_features(gone)).cluster + 1
    left = pa.table(
        {
            "branch_id": gone["branch"],
            "from_cluster": pa.array(then, pa.int64()),
            "to_cluster": pa.array(np.zeros(len(then), dtype=np.int64)),
        }
    )
    keys = ["branch_id", "from_cluster", "to_cluster"]
    counted = pa.concat_tables([stayed, left]).group_by(keys).aggregate([([], "count_all")])
    return counted.rename_columns([*keys, "customers"])


def _choice(found: Segmentation) -> pa.Table:
    return pa.table(
        {
            "k": pa.array([each.k for each in found.tried], pa.int32()),
            "silhouette": pa.array([each.silhouette for each in found.tried], pa.float64()),
            "stability": pa.array([each.stability for each in found.tried], pa.float64()),
            "within": pa.array([each.within for each in found.tried], pa.float64()),
            "chosen": pa.array([each.k == found.k for each in found.tried], pa.bool_()),
        }
    )


def _proof(
    context: Context, before: pa.Table | None, found: Segmentation, plan: Plan
) -> tuple[Proof | None, dict[str, Metric]]:
    """Groups made 13 weeks ago: how much do they tell of the spending since, of customers they had not seen?"""
    if before is None:
        return None, {}
    since = context.until - timedelta(EARLIER_DAYS)
    spent = _spent(context, before, since)
    features = _features(before)
    learnt = np.arange(before.num_rows) % 2 == 0
    taught = {name: values[learnt] for name, values in features.items()}
    then = segment(taught, Money(), _again(plan, found.k))
    cluster = then.members_of(features).cluster.astype(np.int64)
    told = _explained(spent, cluster, learnt)
    fifths = np.searchsorted(
        np.quantile(before["spend"].to_numpy()[learnt], (0.2, 0.4, 0.6, 0.8)), before["spend"].to_numpy()
    )
    figures: dict[str, Metric] = {
        "explained_next_13_weeks": round(told, 4),
        "explained_by_fifths_of_spend": round(_explained(spent, fifths.astype(np.int64), learnt), 4),
        "proof_customers": int(np.count_nonzero(~learnt)),
        "proof_from": since.isoformat(),
    }
    return (
        Proof(
            metric="share of the variance of the next 13 weeks' spending that the group tells",
            value=told,
            baseline=0.0,
            why=(
                f"Groups were made of every other customer as of {since}, and asked about the others; the baseline is "
                "everybody's average, which tells nothing."
            ),
        ),
        figures,
    )


def _again(plan: Plan, k: int) -> Plan:
    """The same groups without asking again how many."""
    return replace(plan, k=k, trials=replace(plan.trials, resamples=0, rows=500, silhouette_rows=500))


def _spent(context: Context, before: pa.Table, since: date) -> Real:
    later = context.warehouse.arrow(
        """
        SELECT customer_id AS customer, sum(net_amount)::DOUBLE AS spent FROM purchases
        WHERE NOT is_voided AND customer_id IS NOT NULL AND currency = ? AND occurred_on > ? AND occurred_on <= ?
        GROUP BY customer_id
        """,
        [context.currency, since, context.until],
    )
    place = pc.index_in(before["customer"].combine_chunks(), value_set=later["customer"].combine_chunks())
    spent: Real = later["spent"].combine_chunks().take(place).fill_null(0.0).to_numpy()
    return spent


def _explained(spent: Real, group: Whole, learnt: Flags) -> float:
    """R² on the customers that were not learnt from, of the mean of their group among those that were."""
    counts = np.bincount(group[learnt], minlength=int(group.max()) + 1)
    sums = np.bincount(group[learnt], weights=spent[learnt], minlength=len(counts))
    mean = float(spent[learnt].mean())
    guess = np.divide(sums, counts, out=np.full(len(counts), mean), where=counts > 0)[group[~learnt]]
    actual = spent[~learnt]
    spread = float(np.square(actual - mean).sum())
    return 1 - float(np.square(actual - guess).sum()) / spread if spread else 0.0


def _insights(members: pa.Table, found: Segmentation) -> pa.Table:
    cluster = members["cluster"].combine_chunks()
    names = pa.array([house_name(portrait.traits) for portrait in found.portraits], pa.string())
    facts = [
        f'{{"cluster": {row.cluster}, "groups": {found.k}, "treatment": "{row.treatment}", "next": '
        for row in found.table
    ]
    start = pa.array(facts).take(pc.subtract(cluster, 1))
    after = pc.fill_null(members["next_cluster"].combine_chunks().cast(pa.string()), "null")
    return pa.table(
        {
            "customer_id": members["customer_id"],
            "label": names.take(pc.subtract(cluster, 1)),
            "score": members["confidence"],
            "rank": cluster.cast(pa.int64()),
            "reason_code": members["reason_code"],
            "reason": members["reason"],
            "facts": pc.binary_join_element_wise(start, after, "}", ""),
        }
    )


def _headline(metrics: Mapping[str, Metric]) -> dict[str, Metric]:
    """The figures of the whole; those of each group are in the mart."""
    return {name: value for name, value in metrics.items() if not name.startswith(("cluster_", "moved_"))}


def _remarks(days: int) -> tuple[str, ...]:
    if days < LEAST_DAYS:
        wanted = f"{LEAST_DAYS} days of purchases before the last {EARLIER_DAYS}"
        return (f"Movement and proof need {wanted}; there are {max(days, 0)}.",)
    if days < YEAR:
        return (f"13 weeks ago there were {days} days of history: visits were drawn out to a year for the movement.",)
    return ()


ANALYSIS: Final = Analysis(
    name="clusters",
    title="Groups of customers",
    marts=(GROUPS, TRAITS, CUSTOMERS, MOVES, CHOICE),
    find=find,
    parameters=HouseClusterParameters,
)
