"""Who would respond to a voucher that was tried on some members: learned from who used it and who did not."""

from __future__ import annotations

from datetime import date
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.insights.analyses._newcomers import DEMOGRAPHY, FIRST_PURCHASES, early_features
from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings, Proof
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.mining.contract import ModelResult
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models.response import MODEL, ResponseParameters, responders_needed
from patron.intelligence.mining.rows import Rows
from patron.kernel.exports import ExportColumn

_KINDS: Final = 8
#: Fewer who used it, or who did not, teach nothing.
LEAST: Final = 10

TESTS = Mart(
    name="response_tests",
    meaning="Kinds of vouchers that members were given: how many were used, and whether that is enough to learn from.",
    columns=(
        ExportColumn("position", "int32", "The most uses first."),
        ExportColumn("definition", "string", "Code of the kind of voucher."),
        ExportColumn("tested", "int64", "Members who were given one."),
        ExportColumn("responded", "int64", "Of these, who used one."),
        ExportColumn("learned", "bool", "Whether a model could be learned."),
        ExportColumn("responders_needed", "int64", "Responders that are needed for a list one can rely on."),
        ExportColumn("test_size_needed", "int64", "Members to whom it must be given for that, at this response."),
        ExportColumn("auc", "float64", "Chance that who responded is ranked above who did not, held out."),
        ExportColumn("auc_low", "float64", "Lower end of its 95 % interval."),
        ExportColumn("auc_high", "float64", "Upper end."),
        ExportColumn("top_tenth_lift", "float64", "Response of the best tenth ÷ response of all, held out."),
        ExportColumn("note", "string", "What stands in the way, English; empty for nothing."),
    ),
    order="position",
)
CUSTOMERS = Mart(
    name="response_customers",
    meaning="Customers who were not given such a voucher, by their chance to use it.",
    columns=(
        ExportColumn("definition", "string", "Code of the kind of voucher."),
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch."),
        ExportColumn("rank", "int32", "Place, 1 is the likeliest."),
        ExportColumn("confidence", "float64", "Chance to use it, 0 to 1."),
        ExportColumn("times_average", "float64", "The same ÷ response of all who were given one."),
        ExportColumn("reason_code", "string", "alike or ordinary."),
        ExportColumn("reason", "string", "The reason in words, English."),
    ),
    order="definition, rank",
)


def find(context: Context) -> Findings:
    """Learn from each kind of voucher that can teach. Raises InputError while no voucher was given to a member."""
    parameters = context.parameters(ResponseParameters, of=MODEL.card.name)
    kinds = context.warehouse.rows(
        """
        SELECT v.definition, min(v.issued_at)::DATE, count(DISTINCT m.customer_id),
               count(DISTINCT m.customer_id) FILTER (WHERE v.status = 'used' OR v.uses_left < v.uses)
        FROM vouchers v JOIN memberships m USING (membership_id)
        WHERE v.status <> 'cancelled' AND v.issued_at::DATE <= ?
        GROUP BY v.definition ORDER BY 4 DESC, 3 DESC, 1 LIMIT ?
        """,
        [context.as_of, _KINDS],
    )
    if not kinds:
        raise InputError(
            "A response model needs a test: issue a voucher to some members and let them use it. None has been issued."
        )
    lines, lists = [], []
    for place, (definition, issued_on, tested, responded) in enumerate(kinds):
        line: dict[str, object] = {
            "position": place, "definition": definition, "tested": tested, "responded": responded, "learned": False,
            "responders_needed": responders_needed(
                len(DEMOGRAPHY) + len(FIRST_PURCHASES), each=parameters.responders_per_feature
            ),
        }  # fmt: skip
        if min(responded, tested - responded) < LEAST:
            note = f"{responded} of {tested} used it; at least {LEAST} who did and {LEAST} who did not are needed."
            lines.append({**line, "note": note})
            continue
        try:
            result, features = _learned(context, definition, issued_on, parameters)
        except InputError as error:
            lines.append({**line, "note": str(error)})
            continue
        told = result.report.metrics
        names = ("responders_needed", "test_size_needed", "auc", "auc_low", "auc_high", "top_tenth_lift")
        lines.append({**line, "learned": True, "note": " ".join(result.report.notes), **{n: told[n] for n in names}})
        lists.append(_list(definition, result, features))
    best = next((line for line in lines if line["learned"]), None)
    return Findings(
        tables={TESTS.name: _rows(TESTS, lines), CUSTOMERS.name: pa.concat_tables(lists) if lists else _empty()},
        parameters=parameters.as_dict(),
        metrics={"kinds": len(lines), "learned": sum(bool(line["learned"]) for line in lines)},
        proof=None
        if best is None
        else Proof("Area under the curve on held-out members", float(str(best["auc"])), 0.5, why="Chance is a half."),
        notes=() if best else ("No kind of voucher has been used often enough to learn from.",),
    )


def _learned(
    context: Context, definition: str, issued_on: date, parameters: ResponseParameters
) -> tuple[ModelResult, pa.Table]:
    """Features as known when the first of them was issued, so that using it cannot explain itself."""
    features = early_features(context, seen_by=issued_on)
    answers = context.warehouse.arrow(
        f"""
        SELECT m.customer_id, max((v.status = 'used' OR v.uses_left < v.uses)::TINYINT) AS outcome
        FROM vouchers v JOIN memberships m USING (membership_id)
        WHERE v.definition = '{definition.replace("'", "''")}' AND v.status <> 'cancelled' GROUP BY m.customer_id
        """  # noqa: S608 (a code, quoted)
    )
    used = (*DEMOGRAPHY, *FIRST_PURCHASES)
    place = pc.index_in(features["customer_id"], answers["customer_id"].combine_chunks())
    rows = features.select(["customer_id", *used]).rename_columns(["customer", *used])
    rows = rows.append_column("outcome", answers["outcome"].combine_chunks().take(place.combine_chunks()))
    return MODEL.run(Rows.of(rows, features=used), as_of=context.as_of, parameters=parameters), features


def _list(definition: str, result: ModelResult, features: pa.Table) -> pa.Table:
    table = result.table
    branch = features["branch_id"].take(pc.index_in(table["customer"], features["customer_id"]))
    return pa.table(
        {
            "definition": pa.repeat(pa.scalar(definition), table.num_rows),
            "customer_id": table["customer"],
            "branch_id": branch,
            **{
                name: table[name].cast(pa.string()) if name.startswith("reason") else table[name]
                for name in ("rank", "confidence", "times_average", "reason_code", "reason")
            },
        }
    )


def _empty() -> pa.Table:
    return _rows(CUSTOMERS, [])


def _rows(mart: Mart, rows: list[dict[str, object]]) -> pa.Table:
    types = {"string": pa.string(), "int32": pa.int32(), "int64": pa.int64(), "float64": pa.float64(),
             "bool": pa.bool_()}  # fmt: skip
    return pa.Table.from_pylist(rows, schema=pa.schema([(column.name, types[column.type]) for column in mart.columns]))


ANALYSIS: Final = Analysis(name="response", title="Response model", marts=(TESTS, CUSTOMERS), find=find)
