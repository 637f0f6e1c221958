"""Who looks like the customers we want more of: VIPs, class A, a group; tested on who became a VIP since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.insights.analyses._newcomers import DEMOGRAPHY, FIRST_PURCHASES, early_features
from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings, Proof
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.mining.contract import Metric, ModelResult
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models.lookalikes import MODEL, LookalikesParameters
from patron.intelligence.mining.rows import Rows
from patron.kernel.exports import ExportColumn

#: Days whose spending makes a VIP in the test, and how long ago it was made.
TEST_DAYS: Final = 180
_CLUSTERS: Final = 5
_VIP_SHARE: Final = 0.2
_CLASS_A: Final = 0.8

CUSTOMERS = Mart(
    name="lookalikes_customers",
    meaning="Customers outside a segment (prospects, where there are any) by how much they look like its members.",
    columns=(
        ExportColumn("segment", "string", "vip, class_a or cluster:number."),
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch."),
        ExportColumn("rank", "int32", "Place, 1 is the most alike."),
        ExportColumn("confidence", "float64", "Chance of being one of the segment by these features, 0 to 1."),
        ExportColumn("times_average", "float64", "The same ÷ share of the segment among all."),
        ExportColumn("newer", "bool", "First bought within the last half year."),
        ExportColumn("prospect", "bool", "Kind or status is prospect."),
        ExportColumn("reason_code", "string", "alike or ordinary."),
        ExportColumn("reason", "string", "The reason in words, English."),
    ),
    order="segment, rank",
)
SEGMENTS = Mart(
    name="lookalikes_segments",
    meaning="How well members of each segment can be told from others, and what became of those found half a year ago.",
    columns=(
        ExportColumn("position", "int32", "VIPs first."),
        ExportColumn("segment", "string", "vip, class_a or cluster:number."),
        ExportColumn("name", "string", "Name of the group, English; empty for vip and class_a."),
        ExportColumn("members", "int64", "Members."),
        ExportColumn("learned", "int64", "Customers that taught."),
        ExportColumn("auc", "float64", "Chance that a member is ranked above another, on held-out customers."),
        ExportColumn("auc_low", "float64", "Lower end of its 95 % interval."),
        ExportColumn("auc_high", "float64", "Upper end."),
        ExportColumn("top_tenth_lift", "float64", "Share of members among the best tenth ÷ among all."),
        ExportColumn("tested", "int64", "Non-members scored half a year ago; empty where not tested."),
        ExportColumn("base_rate", "float64", "Share of them who are members now."),
        ExportColumn("top_rate", "float64", "Share of the best tenth who are members now."),
    ),
    order="position",
)
SIGNS = Mart(
    name="lookalikes_signs",
    meaning="What sets the members of a segment apart.",
    columns=(
        ExportColumn("segment", "string", "Segment."),
        ExportColumn("position", "int32", "The strongest first."),
        ExportColumn("feature", "string", "Feature."),
        ExportColumn("band", "string", "Its value or range."),
        ExportColumn("odds", "float64", "How many times the odds of the feature's average."),
    ),
    order="segment, position",
)


@dataclass(frozen=True, slots=True)
class _Segment:
    key: str
    name: str
    members: pa.Array


def find(context: Context) -> Findings:
    """Learn each segment, list who looks like it, test the VIPs by date. Raises InputError with too few customers."""
    parameters = context.parameters(LookalikesParameters, of=MODEL.card.name)
    features = early_features(context, seen_by=context.until)
    prospects = bool(pc.any(features["prospect"]).as_py())
    used = DEMOGRAPHY if prospects else (*DEMOGRAPHY, *FIRST_PURCHASES)
    lists: list[pa.Table] = []
    lines: list[dict[str, Any]] = []
    signs: list[dict[str, Any]] = []
    metrics: dict[str, Metric] = {}
    refused = ""
    for segment in _segments(context):
        try:
            result = _learned(features, segment.members, used, context.until, parameters)
        except InputError as error:
            refused = str(error)
            continue
        lists.append(_list(segment.key, features, result, context.until))
        signs += _signs(segment.key, result)
        test = _tested(context, parameters, prospects=prospects) if segment.key == "vip" else None
        told = result.report.metrics
        lines.append({
            "position": len(lines), "segment": segment.key, "name": segment.name,
            **{name: told[name] for name in ("members", "learned", "auc", "auc_low", "auc_high", "top_tenth_lift")},
            "tested": test and test[0], "base_rate": test and test[1], "top_rate": test and test[2],
        })  # fmt: skip
    if not lists:
        raise InputError(refused or "Look-alikes need customers with purchases: there are none yet.")
    first = lines[0]
    metrics |= {"prospects": int(pc.sum(features["prospect"]).as_py() or 0), "features": ", ".join(used),
                "auc": first["auc"], "tested": first["tested"]}  # fmt: skip
    if first["tested"]:
        proof = Proof(
            "Share of the best tenth who became VIPs", first["top_rate"], first["base_rate"],
            why="The baseline is the share of all who were no VIPs half a year ago.",
        )  # fmt: skip
    else:
        proof = Proof("Area under the curve on held-out customers", first["auc"], 0.5, why="The baseline is chance.")
    return Findings(
        tables={
            CUSTOMERS.name: pa.concat_tables(lists),
            SEGMENTS.name: _rows(SEGMENTS, lines),
            SIGNS.name: _rows(SIGNS, signs),
        },
        parameters=parameters.as_dict(),
        metrics=metrics,
        insights=_insights(lists[0]),
        proof=proof,
        notes=() if first["tested"] else ("The history is too short to test who became a VIP.",),
    )


def _spending(context: Context, after: date, until: date) -> pa.Table:
    """Customers by what they spent in the days ``after`` < day ≤ ``until``, the best first."""
    return context.warehouse.arrow(
        f"""
        SELECT customer_id, sum(net_amount)::DOUBLE AS spent FROM purchases
        WHERE NOT is_voided AND customer_id IS NOT NULL AND currency = '{context.currency}'
          AND occurred_on > DATE '{after}' AND occurred_on <= DATE '{until}'
        GROUP BY customer_id HAVING sum(net_amount) > 0 ORDER BY spent DESC, customer_id
        """  # noqa: S608 (a currency code, days)
    )


def _vips(spending: pa.Table) -> pa.Array:
    return spending["customer_id"].combine_chunks().slice(0, int(np.ceil(_VIP_SHARE * spending.num_rows)))


def _segments(context: Context) -> list[_Segment]:
    spending = _spending(context, context.until - timedelta(365), context.until)
    spent = spending["spent"].to_numpy()
    count = int(np.searchsorted(np.cumsum(spent), _CLASS_A * spent.sum())) + 1 if len(spent) else 0
    found = [
        _Segment("vip", "", _vips(spending)),
        _Segment("class_a", "", spending["customer_id"].combine_chunks().slice(0, count)),
    ]
    if not context.warehouse.rows("SELECT 1 FROM information_schema.tables WHERE table_name = 'clusters_customers'"):
        return found
    named = context.warehouse.rows(
        "SELECT cluster, any_value(name) FROM clusters_groups WHERE branch_id = 0 GROUP BY cluster ORDER BY cluster"
    )
    for cluster, name in named[:_CLUSTERS]:
        members = context.warehouse.arrow(
            f"SELECT customer_id FROM clusters_customers WHERE cluster = {int(cluster)} ORDER BY customer_id"  # noqa: S608
        )
        found.append(_Segment(f"cluster:{cluster}", name, members["customer_id"].combine_chunks()))
    return found


def _learned(
    features: pa.Table, members: pa.Array, used: Sequence[str], as_of: date, parameters: LookalikesParameters
) -> ModelResult:
    bought = features["first_on"].is_valid()
    table = features.filter(pc.or_(bought, features["prospect"]))
    member = pc.is_in(table["customer_id"], members)
    rows = table.select(["customer_id", "prospect", *used]).rename_columns(["customer", "prospect", *used])
    rows = rows.append_column("member", pc.cast(member, pa.int8()))
    rows = rows.set_column(1, "prospect", pc.cast(table["prospect"], pa.int8()))
    return MODEL.run(Rows.of(rows, features=used), as_of=as_of, parameters=parameters)


def _list(segment: str, features: pa.Table, result: ModelResult, as_of: date) -> pa.Table:
    table = result.table
    own = features.take(pc.index_in(table["customer"], features["customer_id"]))
    newer = pc.fill_null(pc.greater(own["first_on"], pa.scalar(as_of - timedelta(TEST_DAYS))), False)
    return pa.table(
        {
            "segment": pa.repeat(pa.scalar(segment), table.num_rows),
            "customer_id": table["customer"],
            "branch_id": own["branch_id"],
            "rank": table["rank"],
            "confidence": table["confidence"],
            "times_average": table["times_average"],
            "newer": newer,
            "prospect": own["prospect"],
            "reason_code": table["reason_code"],
            "reason": table["reason"],
        }
    )


def _signs(segment: str, result: ModelResult) -> list[dict[str, Any]]:
    """The ten bands that raise the odds the most."""
    weights = [
        (name.partition("="), float(weight))
        for name, weight in result.report.parameters.items()
        if "=" in name and isinstance(weight, float)
    ]
    best = sorted(weights, key=lambda each: (-each[1], each[0]))[:10]
    return [
        {"segment": segment, "position": place, "feature": name[0], "band": name[2], "odds": float(np.exp(weight))}
        for place, (name, weight) in enumerate(best)
        if weight > 0
    ]


def _tested(context: Context, parameters: LookalikesParameters, *, prospects: bool) -> tuple[int, float, float] | None:
    """Score those who were no VIPs half a year ago by what was known then; who of them is a VIP now?"""
    then = context.until - timedelta(TEST_DAYS)
    before = _vips(_spending(context, then - timedelta(TEST_DAYS), then))
    now = _vips(_spending(context, then, context.until))
    features = early_features(context, seen_by=then)
    features = features.set_column(
        features.column_names.index("prospect"), "prospect", pa.repeat(pa.scalar(False), features.num_rows)
    )
    used = DEMOGRAPHY if prospects else (*DEMOGRAPHY, *FIRST_PURCHASES)
    try:
        listed = _learned(features, before, used, then, parameters).table["customer"]
    except InputError:
        return None
    became = pc.is_in(listed, now).to_numpy()
    if len(became) < 50:
        return None
    return len(became), float(became.mean()), float(became[: len(became) // 10].mean())


def _insights(listed: pa.Table) -> pa.Table:
    """Of everybody on the list of the VIPs: vip_like for the best tenth, ordinary for the others."""
    like = pc.less_equal(listed["rank"], max(listed.num_rows // 10, 1))
    chance = pc.round(listed["confidence"], 4)
    facts = pc.binary_join_element_wise(
        '{"chance": ', chance.cast(pa.string()), ', "times_average": ',
        pc.round(listed["times_average"], 2).cast(pa.string()), "}", "",
    )  # fmt: skip
    return pa.table(
        {
            "customer_id": listed["customer_id"],
            "label": pc.if_else(like, "vip_like", "ordinary"),
            "score": chance,
            "rank": listed["rank"].cast(pa.int64()),
            "reason_code": listed["reason_code"],
            "reason": listed["reason"],
            "facts": facts,
        }
    ).sort_by("customer_id")


def _rows(mart: Mart, rows: list[dict[str, Any]]) -> pa.Table:
    types = {"string": pa.string(), "int32": pa.int32(), "int64": pa.int64(), "float64": pa.float64()}
    return pa.Table.from_pylist(rows, schema=pa.schema([(column.name, types[column.type]) for column in mart.columns]))


ANALYSIS: Final = Analysis(
    name="lookalikes", title="Look-alikes", marts=(CUSTOMERS, SEGMENTS, SIGNS), find=find, needs=("clusters",)
)
