"""What each customer will buy next, and what that they never bought: by the method that did best on past weeks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa

from patron.intelligence.insights.analyses.contract import INSIGHTS, Analysis, Context, Findings, Proof
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models.next_product import MODEL
from patron.intelligence.mining.recommending.parameters import NextProductParameters
from patron.kernel.exports import ExportColumn

if TYPE_CHECKING:
    from patron.intelligence.mining.recommending.recommend import Recommendation

PRODUCTS = Mart(
    name="next_products",
    meaning="The product types to offer each customer: those new to them, and those they are likeliest to buy at all.",
    columns=(
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch."),
        ExportColumn("list", "string", "new: not bought before; any: whatever is likeliest, refills included."),
        ExportColumn("rank", "int32", "Place in the list, 1 is the best."),
        ExportColumn("product", "string", "Product type: the third level of the category, else the second."),
        ExportColumn("product_id", "int64", "A product of that type: the customer's usual one, else the best seller."),
        ExportColumn("product_name", "string", "Its name."),
        ExportColumn("score", "float64", "Score of the method; comes from one method, so comparable in a list."),
        ExportColumn("method", "string", "The method that offers it."),
        ExportColumn("times_bought", "int32", "On how many days the customer bought it."),
        ExportColumn("last_on", "date", "When last; empty for a new one."),
        ExportColumn("because", "string", "The customer's product that points to it; empty for other reasons."),
        ExportColumn("lift", "float64", "How many times as often those who buy that buy this."),
        ExportColumn("confidence", "float64", "Share of such offers that were bought within the horizon, 0 to 1."),
        ExportColumn("reason_code", "string", "due, habit, once, together or popular."),
        ExportColumn("reason", "string", "The reason in words, English."),
    ),
    order="list, rank, confidence DESC NULLS LAST, score DESC, customer_id",
)
METHODS = Mart(
    name="next_product_methods",
    meaning="How each method did on past weeks that it had not seen; test comes after validation, which chose.",
    columns=(
        ExportColumn("window", "string", "validation or test."),
        ExportColumn("list", "string", "new or any."),
        ExportColumn("position", "int32", "Place in the table; the simplest first."),
        ExportColumn("method", "string", "Name of the method; popular is the baseline."),
        ExportColumn("chosen", "bool", "Whether it makes the offers of this list."),
        ExportColumn("customers", "int64", "Customers who came in the window."),
        ExportColumn("precision", "float64", "Share of the offers that were bought."),
        ExportColumn("hit_rate", "float64", "Share of the customers who bought at least one of theirs."),
        ExportColumn("hit_rate_low", "float64", "Lower end of its 95 % interval."),
        ExportColumn("hit_rate_high", "float64", "Upper end."),
        ExportColumn("recall", "float64", "Mean share of a customer's purchases of the list's kind that was offered."),
        ExportColumn("coverage", "float64", "Share of all products that were offered to somebody."),
        ExportColumn("novelty", "float64", "Mean of −log2 of the popularity of what was offered."),
    ),
    order='list, "window", position',
)
#: Temporary tables that the offers and the insights are put into.
_MADE: Final = "next_products_made"
_TOLD: Final = "next_product_told"
#: The offers with home branch and a product of the type: the customer's most frequent, else the best seller.
_WITH_PRODUCTS: Final = """
    WITH own AS (
        SELECT customer, product, arg_max(product_id, (days, -product_id)) AS product_id FROM (
            SELECT customer, product, product_id, count(*) AS days FROM typed_lines
            SEMI JOIN offers USING (customer, product)
            WHERE customer BETWEEN (SELECT min(customer) FROM offers) AND (SELECT max(customer) FROM offers)
            GROUP BY ALL
        ) GROUP BY ALL
    )
    SELECT o.customer AS customer_id, c.home_branch_id AS branch_id, o.list, o.rank, o.product,
           coalesce(own.product_id, best.product_id) AS product_id, p.name AS product_name, o.score, o.method,
           o.times_bought, o.last_on, o.because, o.lift, o.confidence, o.reason_code, o.reason
    FROM offers o LEFT JOIN customers c ON c.customer_id = o.customer
    LEFT JOIN own ON own.customer = o.customer AND own.product = o.product
    LEFT JOIN best_sellers best ON best.product = o.product
    LEFT JOIN products p ON p.product_id = coalesce(own.product_id, best.product_id)
"""
#: Label: the best new product, else the likeliest one; facts: the best three of both lists, the new ones first.
_INSIGHTS: Final = """
    SELECT customer_id, arg_min(product, (list = 'any', rank)) AS label,
           arg_min(coalesce(confidence, 0), (list = 'any', rank))::DOUBLE AS score, NULL::BIGINT AS rank,
           arg_min(reason_code, (list = 'any', rank)) AS reason_code,
           arg_min(reason, (list = 'any', rank)) AS reason,
           to_json({'offers': list({
               'list': list, 'product': product, 'product_id': product_id, 'product_name': product_name,
               'confidence': round(confidence, 4), 'reason_code': reason_code, 'because': because,
               'lift': round(lift, 2), 'times_bought': times_bought, 'last_on': last_on
           } ORDER BY list = 'any', rank)})::VARCHAR AS facts
    FROM made WHERE rank <= 3 GROUP BY customer_id ORDER BY customer_id
"""
_TYPE: Final = "coalesce(nullif(category_3, ''), nullif(category_2, ''), product_name)"


def find(context: Context) -> Findings:
    """Compare the methods, make the offers. Raises InputError while nothing was bought whose product is known."""
    from patron.intelligence.mining.recommending.recommend import recommend
    from patron.intelligence.mining.transactions import prepare

    parameters = context.parameters(NextProductParameters, of=MODEL.card.name)
    context.lines()
    duck = context.warehouse.connection
    duck.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE typed_lines AS
        SELECT customer, date, {_TYPE} AS product, product AS product_id, sum(amount)::DECIMAL(18,4) AS amount
        FROM lines_counted WHERE kind = 'sale' AND amount > 0 AND product IS NOT NULL GROUP BY ALL
        """  # noqa: S608 (our own SQL)
    )
    duck.execute(
        "CREATE OR REPLACE TEMP VIEW typed_sales AS SELECT customer, date, product, amount FROM typed_lines "
        "WHERE product IS NOT NULL"
    )
    found = recommend(prepare(context.warehouse.backend.table("typed_sales")), context.until, parameters)
    if not found.products:
        raise InputError(
            f"Next products need product types that at least {parameters.min_customers} customers bought: "
            "there are none yet."
        )
    _tell(context, found)
    metrics: dict[str, int | float | str | None] = {
        "customers": found.customers,
        "products": found.products,
    }
    for kind, method in found.methods.items():
        metrics |= {f"{kind}_method": method, f"{kind}_promised": found.promised.get(kind),
                    f"{kind}_kept": found.kept.get(kind)}  # fmt: skip
    tested, baseline = found.figures("new", found.methods["new"]), found.figures("new", "popular")
    proof = None
    if tested is not None and baseline is not None:
        proof = Proof(
            "Share of offers of new products that were bought", tested.precision, baseline.precision,
            why="The baseline offers everybody the most popular products they do not have.",
        )  # fmt: skip
    methods = [
        {
            "window": each.window, "list": each.kind, "position": place, "method": each.method, "chosen": each.chosen,
            **{name: getattr(each.figures, name) for name in (
                "customers", "precision", "hit_rate", "hit_rate_low", "hit_rate_high", "recall", "coverage", "novelty",
            )},
        }
        for place, each in enumerate(found.comparisons)
    ]  # fmt: skip
    return Findings(
        tables={METHODS.name: _rows(METHODS, methods)},
        parameters=parameters.as_dict(),
        metrics=metrics,
        proof=proof,
        notes=_notes(found, parameters) if baseline else ("The history is too short to compare the methods.",),
        large={PRODUCTS.name: _MADE, INSIGHTS: _TOLD},
    )


def _notes(found: Recommendation, parameters: NextProductParameters) -> tuple[str, ...]:
    most, customers = parameters.sample_customers, found.customers
    told = f"The methods were compared on {most:,} of {customers:,} customers, spread evenly over all."
    return (told,) if customers > most else ()


def _tell(context: Context, found: Recommendation) -> None:
    """The mart and the insights into temporary tables, some customers at a time: of a million they are gigabytes."""
    duck = context.warehouse.connection
    duck.execute(
        """
        CREATE OR REPLACE TEMP TABLE best_sellers AS
        SELECT product, arg_max(product_id, (buyers, -product_id)) AS product_id FROM (
            SELECT product, product_id, count(DISTINCT customer) AS buyers FROM typed_lines
            WHERE date > (SELECT max(date) FROM typed_lines) - INTERVAL 84 DAY GROUP BY ALL
        ) GROUP BY ALL
        """
    )
    for place, offers in enumerate(found.slices()):
        duck.register("offers", offers)
        duck.register("made", context.warehouse.arrow(_WITH_PRODUCTS))
        for name, query in ((_MADE, "SELECT * FROM made"), (_TOLD, _INSIGHTS)):
            begin = f"INSERT INTO {name}" if place else f"CREATE OR REPLACE TEMP TABLE {name} AS"
            duck.execute(f"{begin} {query}")
        for name in ("offers", "made"):
            duck.unregister(name)
    for name in ("typed_lines", "best_sellers"):
        duck.execute(f"DROP TABLE {name}")


def _rows(mart: Mart, rows: list[dict[str, object]]) -> pa.Table:
    types = {"string": pa.string(), "int32": pa.int32(), "int64": pa.int64(), "float64": pa.float64(),
             "bool": pa.bool_()}  # fmt: skip
    return pa.Table.from_pylist(rows, schema=pa.schema([(column.name, types[column.type]) for column in mart.columns]))


ANALYSIS: Final = Analysis(name="next_product", title="Next best product", marts=(PRODUCTS, METHODS), find=find)
