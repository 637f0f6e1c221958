"""Who is ready for the next better product: the ladder of each category, who climbs it, what that would bring."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings, Proof
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models.upsell import MODEL, Climbing, UpsellParameters, climb
from patron.intelligence.mining.rows import Rows
from patron.kernel.exports import ExportColumn

_RUNGS: Final = ("entry", "middle", "premium")

CANDIDATES = Mart(
    name="upsell_candidates",
    meaning="Customers who are ready for the next rung of a category, and what it would bring.",
    columns=(
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch."),
        ExportColumn("rank", "int32", "Place by money to gain, 1 is the most."),
        ExportColumn("category", "string", "Product type."),
        ExportColumn("rung", "string", "Where the customer mostly buys: entry or middle."),
        ExportColumn("next_rung", "string", "The rung above."),
        ExportColumn("purchases", "int32", "Days with a purchase in the latest period."),
        ExportColumn("unit_price", "float64", "What the customer pays per unit."),
        ExportColumn("next_unit_price", "float64", "What a unit of the next rung costs."),
        ExportColumn("product_id", "int64", "The best seller of the next rung."),
        ExportColumn("product_name", "string", "Its name."),
        ExportColumn("confidence", "float64", "Share of such customers who climb, 0 to 1."),
        ExportColumn("extra_per_year", "decimal(18,2)", "Chance × units a year × difference in price."),
        ExportColumn("reason_code", "string", "tasted or like_others."),
        ExportColumn("reason", "string", "The reason in words, English."),
    ),
    order="rank",
)
LADDERS = Mart(
    name="upsell_ladders",
    meaning="The rungs of each category, and where their customers stood a period later.",
    columns=(
        ExportColumn("category", "string", "Product type."),
        ExportColumn("position", "int32", "0 entry, 1 middle, 2 premium."),
        ExportColumn("rung", "string", "entry, middle or premium."),
        ExportColumn("price", "float64", "Amount ÷ units of its products."),
        ExportColumn("products", "int64", "How many products."),
        ExportColumn("sales", "float64", "What they sold."),
        ExportColumn("customers", "int64", "Customers on the rung in the period before the last."),
        ExportColumn("to_entry", "int64", "Of these, on the entry rung in the last period."),
        ExportColumn("to_middle", "int64", "On the middle rung."),
        ExportColumn("to_premium", "int64", "On the premium rung."),
        ExportColumn("to_none", "int64", "Did not buy the category."),
    ),
    order="category, position",
)


def find(context: Context) -> Findings:
    """Ladders, moves and candidates. Raises InputError while no category has products of enough different prices."""
    parameters = context.parameters(UpsellParameters, of=MODEL.card.name)
    context.lines()
    context.warehouse.connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE ladder_lines AS
        SELECT customer, date, coalesce(nullif(category_3, ''), nullif(category_2, '')) AS category, product,
               sum(amount) AS amount, sum(quantity) AS quantity
        FROM lines_counted WHERE kind = 'sale' AND quantity > 0 GROUP BY ALL
        """
    )
    found = climb(Rows(context.warehouse.backend.table("ladder_lines"), {}), context.until, parameters)
    context.warehouse.connection.execute("DROP TABLE ladder_lines")
    if not len(found.ladders.categories):
        raise InputError(
            f"A ladder needs a category with {parameters.min_products} products of clearly different prices: "
            "there is none yet."
        )
    candidates = _candidates(context, found.table)
    metrics: dict[str, int | float | str | None] = {
        "ladders": len(found.ladders.categories),
        "judged": found.candidates,
    }
    proof = None
    if found.test is not None:
        test = found.test
        metrics |= {"tested": test.candidates, "climb_rate": test.rate, "climb_rate_best_fifth": test.top_rate,
                    "promised": test.promised}  # fmt: skip
        proof = Proof(
            "Share of the best fifth that climbed", test.top_rate, test.rate,
            why="The baseline is the share of all who could climb.",
        )  # fmt: skip
    return Findings(
        tables={CANDIDATES.name: candidates, LADDERS.name: _ladders(found)},
        parameters=parameters.as_dict(),
        metrics=metrics,
        insights=_insights(context, candidates),
        proof=proof,
        notes=() if proof else ("The history is too short to test who climbs.",),
    )


def _candidates(context: Context, table: pa.Table) -> pa.Table:
    duck = context.warehouse.connection
    duck.register("told", table)
    made = context.warehouse.arrow(
        """
        SELECT t.customer AS customer_id, c.home_branch_id AS branch_id,
               row_number() OVER (ORDER BY t.extra_per_year DESC, t.customer, t.category)::INTEGER AS rank,
               t.category, t.rung, t.next_rung, t.purchases, t.unit_price, t.next_unit_price,
               t.suggestion AS product_id, p.name AS product_name, t.confidence,
               t.extra_per_year::DECIMAL(18,2) AS extra_per_year, t.reason_code, t.reason
        FROM told t LEFT JOIN customers c ON c.customer_id = t.customer
        LEFT JOIN products p ON p.product_id = t.suggestion ORDER BY rank
        """
    )
    duck.unregister("told")
    return made


def _ladders(found: Climbing) -> pa.Table:
    ladders, moves = found.ladders, found.moves
    rows = [
        {
            "category": category, "position": rung, "rung": _RUNGS[rung], "price": float(ladders.price[place, rung]),
            "products": int(ladders.products[place, rung]), "sales": float(ladders.sales[place, rung]),
            "customers": int(moves[place, rung].sum()),
            **{f"to_{to}": int(moves[place, rung, index]) for index, to in enumerate((*_RUNGS, "none"))},
        }
        for place, category in enumerate(ladders.categories.to_pylist())
        for rung in range(len(_RUNGS))
    ]  # fmt: skip
    types = {"string": pa.string(), "int32": pa.int32(), "int64": pa.int64(), "float64": pa.float64()}
    return pa.Table.from_pylist(rows, schema=pa.schema([(each.name, types[each.type]) for each in LADDERS.columns]))


def _insights(context: Context, candidates: pa.Table) -> pa.Table:
    """Label: the category with the most to gain; score: all that could be gained a year."""
    duck = context.warehouse.connection
    duck.register("told", candidates)
    made = context.warehouse.arrow(
        """
        SELECT customer_id, arg_min(category, rank) AS label, sum(extra_per_year)::DOUBLE AS score,
               NULL::BIGINT AS rank, arg_min(reason_code, rank) AS reason_code, arg_min(reason, rank) AS reason,
               to_json({'steps': list({
                   'category': category, 'rung': rung, 'next_rung': next_rung, 'product_id': product_id,
                   'product_name': product_name, 'confidence': round(confidence, 4),
                   'extra_per_year': extra_per_year, 'unit_price': round(unit_price, 2),
                   'next_unit_price': round(next_unit_price, 2), 'reason': reason
               } ORDER BY rank)})::VARCHAR AS facts
        FROM told GROUP BY customer_id ORDER BY customer_id
        """
    )
    duck.unregister("told")
    return made


ANALYSIS: Final = Analysis(name="upsell", title="Up-sell ladder", marts=(CANDIDATES, LADDERS), find=find)
