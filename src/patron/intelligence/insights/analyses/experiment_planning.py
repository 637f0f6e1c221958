"""What an experiment can see in this house: base rates and spread by segment, and a placebo on its own customers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa

from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings, Proof
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.mining.arrays import Real, day_number
from patron.intelligence.mining.contract import Metric
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.experimenting import means
from patron.intelligence.mining.experimenting.placebo import Placebo, placebo, sample
from patron.kernel.exports import ExportColumn

WINDOW_DAYS: Final = 28
BEFORE_DAYS: Final = 84
SPLITS: Final = 1000
#: Fewer customers cannot be split into halves that tell anything.
LEAST_CUSTOMERS: Final = 20

CUSTOMERS = Mart(
    name="experiment_customers",
    meaning=(
        "Each customer who had bought before the last 28 whole days: where they stood then, and what they did in these "
        "days and in the 84 days before. What an experiment would have measured had nothing been tried."
    ),
    columns=(
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch."),
        ExportColumn("stage", "string", "Life-cycle stage on the day before the window."),
        ExportColumn("value_class", "string", "A, B or C on that day; empty for who had left the value window."),
        ExportColumn("tier", "string", "Code of the tier on that day; empty for none."),
        ExportColumn("returned", "bool", "Whether the customer bought in the window."),
        ExportColumn("spend", "float64", "Spent in the window, net of returns."),
        ExportColumn("margin", "float64", "Gross profit in the window; empty where no cost is known."),
        ExportColumn("spend_before", "float64", "Spent in 28 days on average over the 84 days before the window."),
    ),
    order="branch_id, customer_id",
)

PLACEBO = Mart(
    name="experiment_placebo",
    meaning="Experiments in which nothing was tried: how often the method finds an effect all the same.",
    columns=(
        ExportColumn("measure", "string", "return, spend, or spend_cuped (with what was known before taken out)."),
        ExportColumn("opened_on", "date", "First day of the window."),
        ExportColumn("closed_on", "date", "Last day of the window: the last whole day of the data."),
        ExportColumn("customers", "int64", "Customers who were split into halves."),
        ExportColumn("splits", "int64", "How often."),
        ExportColumn("alarms", "float64", "Share of splits with an effect at 95 %."),
        ExportColumn("error", "float64", "How far luck moves that share (one standard error)."),
        ExportColumn("keeps_level", "bool", "Whether luck explains the alarms."),
        ExportColumn("width", "float64", "Mean width of the interval."),
        ExportColumn("explained", "float64", "Share of variance taken out by what was known before."),
    ),
    order="measure",
)

PLACEBO_P = Mart(
    name="experiment_placebo_p",
    meaning="p-values of the placebo in twentieths: even if the method keeps its level.",
    columns=(
        ExportColumn("measure", "string", "return, spend or spend_cuped."),
        ExportColumn("position", "int32", "Twentieth, from 1 (p below 0.05)."),
        ExportColumn("share", "float64", "Share of splits."),
    ),
    order="measure, position",
)

TREATMENTS = Mart(
    name="experiment_treatments",
    meaning=(
        "Kinds of vouchers that some customers were given and others not, and how unlike the two were before: why the "
        "difference after is no proof."
    ),
    columns=(
        ExportColumn("definition", "string", "Code of the kind of voucher."),
        ExportColumn("occasion", "string", "Why it was issued."),
        ExportColumn("first_on", "date", "First day of issue."),
        ExportColumn("holders", "int64", "Customers who were given one."),
        ExportColumn("others", "int64", "Customers of the same day who were not."),
        ExportColumn("holders_before", "float64", "Mean spend of the holders in the 84 days before."),
        ExportColumn("others_before", "float64", "Mean spend of the others in these days."),
        ExportColumn("apart", "float64", "The difference in standard deviations; above 0.1 groups are unlike."),
    ),
    order="holders DESC, definition",
)


def find(context: Context) -> Findings:
    """The four marts; refuses a house with fewer than 20 customers or less than 112 days of data."""
    opened, closed = _window(context)
    customers = _customers(context, opened, closed)
    if customers.num_rows < LEAST_CUSTOMERS:
        raise InputError(
            f"Planning needs {LEAST_CUSTOMERS} customers who bought before {opened}; there are {customers.num_rows}."
        )
    tests, explained = _placebos(customers, context.seed)
    narrower = tests["spend_cuped"].width / tests["spend"].width if tests["spend"].width else 1.0
    metrics: dict[str, Metric] = {
        "customers": customers.num_rows,
        "return_rate": float(np.mean(customers["returned"].to_numpy())),
        "spend_mean": float(np.mean(customers["spend"].to_numpy())),
        "explained": explained,
        **{f"false_alarms_{name}": each.alarms for name, each in tests.items()},
    }
    return Findings(
        tables={
            CUSTOMERS.name: customers,
            PLACEBO.name: _placebo_table(tests, explained, opened, closed),
            PLACEBO_P.name: _p_table(tests),
            TREATMENTS.name: _treatments(context),
        },
        parameters={"window_days": WINDOW_DAYS, "before_days": BEFORE_DAYS, "splits": SPLITS},
        metrics=metrics,
        proof=Proof(
            metric="width of the interval on spend, with what was known before ÷ without",
            value=narrower,
            baseline=1.0,
            higher_is_better=False,
            why="Both on the same splits of customers who were treated alike.",
        ),
        notes=(f"The window is {opened} to {closed}, the last {WINDOW_DAYS} whole days of the data.",),
    )


def _window(context: Context) -> tuple[date, date]:
    """First and last day of the last 28 whole days."""
    days = context.purchases().days
    came = days.day[days.purchases > 0]
    if not len(came):
        raise InputError("Planning needs purchases of identified customers; there are none yet.")
    closed = context.until
    there = day_number(closed) - int(came.min()) + 1
    if there < WINDOW_DAYS + BEFORE_DAYS:
        raise InputError(f"Planning needs {WINDOW_DAYS + BEFORE_DAYS} days of purchases; there are {there} so far.")
    return closed - timedelta(WINDOW_DAYS - 1), closed


def _customers(context: Context, opened: date, closed: date) -> pa.Table:
    from patron.intelligence.mining.registry import model_named
    from patron.intelligence.mining.stages import LifecycleParameters, stages_over_time

    standing_on = opened - timedelta(1)
    purchases = context.purchases().until(standing_on)
    stages = stages_over_time(purchases, [standing_on], context.parameters(LifecycleParameters, of="lifecycle"))
    model = model_named("value")
    value = model.run(
        purchases, as_of=standing_on, parameters=context.parameters(model.parameters, of="value")
    ).table.select(["customer", "value_class"])
    duck = context.warehouse.connection
    duck.register("planned_stages", stages)
    duck.register("planned_value", value)
    profit = "profit" if purchases.days.profit is not None else "NULL"
    tiers = """
        SELECT m.customer_id AS customer, arg_max(t."after", (t.effective_at, t.tier_change_id)) AS tier
        FROM tier_changes t JOIN memberships m USING (membership_id)
        WHERE t.effective_on <= $standing GROUP BY 1
    """
    table: pa.Table = duck.sql(
        f"""
        WITH tiers AS ({tiers}),
        sums AS (
            SELECT customer, coalesce(bool_or(amount >= 0) FILTER (date >= $opened), false) AS returned,
                   coalesce(sum(amount) FILTER (date >= $opened), 0)::DOUBLE AS spend,
                   sum({profit}) FILTER (date >= $opened)::DOUBLE AS margin,
                   coalesce(sum(amount) FILTER (date BETWEEN $before AND $standing), 0)::DOUBLE * $share AS spend_before
            FROM purchases_counted WHERE date <= $closed GROUP BY customer
        )
        SELECT s.customer AS customer_id, c.home_branch_id AS branch_id, s.stage::VARCHAR AS stage,
               coalesce(v.value_class::VARCHAR, '') AS value_class, coalesce(t.tier, '') AS tier,
               b.returned, b.spend, b.margin, b.spend_before
        FROM planned_stages s JOIN sums b USING (customer)
        LEFT JOIN planned_value v USING (customer) LEFT JOIN tiers t USING (customer)
        LEFT JOIN customers c ON c.customer_id = s.customer
        ORDER BY customer_id
        """,  # noqa: S608 (our own SQL)
        params={
            "opened": opened,
            "closed": closed,
            "standing": standing_on,
            "before": opened - timedelta(BEFORE_DAYS),
            "share": WINDOW_DAYS / BEFORE_DAYS,
        },
    ).to_arrow_table()
    for name in ("planned_stages", "planned_value"):
        duck.unregister(name)
    return table


def _placebos(customers: pa.Table, seed: int) -> tuple[dict[str, Placebo], float]:
    """The three placebos, and the share of variance that what was known before takes out."""
    chosen = sample(customers.num_rows, seed=seed)

    def column(name: str) -> Real:
        values: Real = customers[name].to_numpy().astype(np.float64)[chosen]
        return values

    spend, before = column("spend"), column("spend_before")
    adjusted, _, explained = means.adjusted(spend, before, np.zeros(len(spend), dtype=np.int64))
    tests = {
        "return": placebo(column("returned"), kind="rate", splits=SPLITS, seed=seed),
        "spend": placebo(spend, kind="money", splits=SPLITS, seed=seed),
        "spend_cuped": placebo(adjusted, kind="money", splits=SPLITS, seed=seed),
    }
    return tests, explained


def _placebo_table(tests: dict[str, Placebo], explained: float, opened: date, closed: date) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "measure": name,
                "opened_on": opened,
                "closed_on": closed,
                "customers": each.customers,
                "splits": each.splits,
                "alarms": each.alarms,
                "error": each.error,
                "keeps_level": each.keeps_level,
                "width": each.width,
                "explained": explained if name == "spend_cuped" else 0.0,
            }
            for name, each in tests.items()
        ]
    )


def _p_table(tests: dict[str, Placebo]) -> pa.Table:
    rows: list[dict[str, Any]] = []
    for name, each in tests.items():
        counted, _ = np.histogram(each.p_values, bins=20, range=(0, 1))
        rows += [
            {"measure": name, "position": place + 1, "share": float(count) / each.splits}
            for place, count in enumerate(counted)
        ]
    return pa.Table.from_pylist(rows)


def _treatments(context: Context) -> pa.Table:
    """Vouchers of members by kind: holders against the customers who had bought by then and hold none of it."""
    return context.warehouse.arrow(
        """
        WITH given AS (
            SELECT v.definition, min(v.occasion) AS occasion, m.customer_id, min(v.issued_on) AS given_on
            FROM vouchers v JOIN memberships m USING (membership_id) GROUP BY v.definition, m.customer_id
        ),
        kinds AS (
            SELECT definition, min(occasion) AS occasion, min(given_on) AS first_on, count(*) AS holders
            FROM given GROUP BY definition
        ),
        before AS (
            SELECT k.definition, p.customer_id,
                   coalesce(sum(p.net_amount) FILTER (p.occurred_on >= k.first_on - 84), 0)::DOUBLE AS spend
            FROM kinds k JOIN purchases p ON p.occurred_on < k.first_on
            WHERE NOT p.is_voided AND p.customer_id IS NOT NULL AND p.currency = ?
            GROUP BY k.definition, p.customer_id
        ),
        sides AS (
            SELECT b.definition, b.spend, g.customer_id IS NOT NULL AS holder
            FROM before b LEFT JOIN given g USING (definition, customer_id)
        )
        SELECT k.definition, k.occasion, k.first_on, k.holders, count(*) FILTER (NOT s.holder) AS others,
               round(avg(s.spend) FILTER (s.holder), 6) AS holders_before,
               round(avg(s.spend) FILTER (NOT s.holder), 6) AS others_before,
               round((avg(s.spend) FILTER (s.holder) - avg(s.spend) FILTER (NOT s.holder)) / nullif(sqrt(
                   (var_samp(s.spend) FILTER (s.holder) + var_samp(s.spend) FILTER (NOT s.holder)) / 2), 0), 6) AS apart
        FROM kinds k JOIN sides s USING (definition)
        GROUP BY ALL HAVING count(*) FILTER (s.holder) > 0 AND count(*) FILTER (NOT s.holder) > 0
        ORDER BY k.holders DESC, k.definition
        """,
        [context.currency],
    )


ANALYSIS: Final = Analysis(
    name="experiment_planning",
    title="Planning experiments",
    marts=(CUSTOMERS, PLACEBO, PLACEBO_P, TREATMENTS),
    find=find,
)
