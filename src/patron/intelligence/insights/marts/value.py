"""Marts of customer value: who the 20 % are, how the money is spread, who came and went."""

from patron.intelligence.insights.marts.contract import ALL_BRANCHES, Mart
from patron.kernel.exports import ExportColumn

MEASURES = ("revenue", "profit")

CUSTOMER_VALUE = Mart(
    name="customer_value",
    meaning=(
        "Value of each customer in the window of the value model, and of those who left it since the end of last "
        "month. Columns that begin with profit_ rank by gross profit; they are empty where no cost is known."
    ),
    columns=(
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch."),
        ExportColumn("rank", "int32", "Place by revenue, 1 is the best; empty for who left the window."),
        ExportColumn(
            "value_class", "string", "A, B or C: the fewest customers with 80 % of revenue, up to 95 %, rest."
        ),
        ExportColumn("vip", "bool", "Whether among the top 20 % of customers."),
        ExportColumn("monetary", "decimal(18,2)", "Revenue in the window, net of returns."),
        ExportColumn("share", "float64", "Share of all revenue, 0 to 1."),
        ExportColumn("cumulative_share", "float64", "Share of this customer and all better ones."),
        ExportColumn("frequency", "int32", "Purchases in the window."),
        ExportColumn("recency_days", "int32", "Days since the last purchase."),
        ExportColumn("last_on", "date", "Day of the last purchase in the window."),
        ExportColumn("recency_score", "int32", "1 to 5 in fifths, 5 is the most recent."),
        ExportColumn("frequency_score", "int32", "1 to 5 in fifths."),
        ExportColumn("monetary_score", "int32", "1 to 5 in fifths."),
        ExportColumn("gross_profit", "decimal(18,2)", "Gross profit in the window where cost is known."),
        ExportColumn("covered_revenue", "decimal(18,2)", "Part of the revenue whose cost is known."),
        ExportColumn("reason_code", "string", "Names the reason for the class."),
        ExportColumn("reason", "string", "The reason in words, English."),
        ExportColumn("previous_rank", "int32", "Place at the end of last month."),
        ExportColumn("previous_class", "string", "Class at the end of last month."),
        ExportColumn("previous_vip", "bool", "Whether a VIP at the end of last month."),
        ExportColumn("previous_monetary", "decimal(18,2)", "Revenue in the window that ended with last month."),
        ExportColumn("movement", "string", "Of a VIP: stayed, entered or left since then; empty for others."),
        ExportColumn("profit_rank", "int32", "Place by gross profit."),
        ExportColumn("profit_class", "string", "Class by gross profit."),
        ExportColumn("profit_vip", "bool", "Whether among the top 20 % by gross profit."),
        ExportColumn("profit_share", "float64", "Share of all gross profit."),
        ExportColumn("profit_cumulative_share", "float64", "Share of this customer and all better ones."),
        ExportColumn("profit_previous_class", "string", "Class by profit at the end of last month."),
        ExportColumn("profit_previous_vip", "bool", "VIP by profit at the end of last month."),
        ExportColumn("profit_movement", "string", "As movement, by gross profit."),
    ),
    order="rank NULLS LAST, customer_id",
)

LORENZ = Mart(
    name="lorenz",
    meaning="The Lorenz curve: the poorest share of customers has which share of the money; 101 points for each scope.",
    columns=(
        ExportColumn("branch_id", "int64", "Home branch of the customers; 0 for the whole organisation."),
        ExportColumn("measure", "string", "revenue or profit."),
        ExportColumn("position", "int32", "0 to 100."),
        ExportColumn("customer_share", "float64", "Share of customers, from the smallest up."),
        ExportColumn("money_share", "float64", "Share of the money that they bring."),
    ),
    order="branch_id, measure, position",
)

VIP_SUMMARY = Mart(
    name="vip_summary",
    meaning="The answer on top of the VIP report, for each scope. VIPs and classes are the organisation's.",
    columns=(
        ExportColumn("branch_id", "int64", "Home branch of the customers; 0 for the whole organisation."),
        ExportColumn("measure", "string", "revenue or profit: what customers are ranked by."),
        ExportColumn("customers", "int64", "Customers with a line in the window."),
        ExportColumn("money", "decimal(18,2)", "What they bring, net."),
        ExportColumn("vip_customers", "int64", "VIPs among them."),
        ExportColumn("vip_money", "decimal(18,2)", "What the VIPs bring."),
        ExportColumn("vip_share", "float64", "vip_money ÷ money, those below zero counted as zero."),
        ExportColumn("class_a_customers", "int64", "Customers of class A."),
        ExportColumn("class_a_money", "decimal(18,2)", "What they bring."),
        ExportColumn("class_b_customers", "int64", "Customers of class B."),
        ExportColumn("class_b_money", "decimal(18,2)", "What they bring."),
        ExportColumn("class_c_customers", "int64", "Customers of class C."),
        ExportColumn("class_c_money", "decimal(18,2)", "What they bring."),
        ExportColumn("top_customers", "int64", "20 % of the scope's own customers, rounded up."),
        ExportColumn("top_share", "float64", "Share of the scope's money that its own top 20 % bring."),
        ExportColumn("customers_for_80", "int64", "The fewest of the scope's own customers with 80 % of its money."),
        ExportColumn("stayed", "int64", "VIPs at the end of last month who still are."),
        ExportColumn("entered", "int64", "VIPs who were not at the end of last month."),
        ExportColumn("left_count", "int64", "VIPs at the end of last month who no longer are."),
        ExportColumn("at_risk", "int64", "VIPs at risk by the life cycle model."),
        ExportColumn("at_risk_money", "decimal(18,2)", "What those bring."),
    ),
    order="branch_id, measure",
)


def customer_value_sql(*, with_profit: bool) -> str:
    """From the models' results `revenue_now`, `revenue_before` (and `profit_now`, `profit_before`) and `customers`."""
    by_profit = """
        n.rank AS profit_rank, n.value_class AS profit_class, n.vip AS profit_vip, n.share AS profit_share,
        n.cumulative_share AS profit_cumulative_share, b.value_class AS profit_previous_class,
        coalesce(b.vip, false) AS profit_previous_vip
    """
    profit = (
        f"(SELECT coalesce(n.customer, b.customer) AS customer, {by_profit} "  # noqa: S608
        "FROM profit_now n FULL JOIN profit_before b ON b.customer = n.customer)"
        if with_profit
        else "(SELECT NULL::BIGINT AS customer, NULL AS profit_rank, NULL AS profit_class, "
        "NULL::BOOLEAN AS profit_vip, NULL AS profit_share, NULL AS profit_cumulative_share, "
        "NULL AS profit_previous_class, NULL::BOOLEAN AS profit_previous_vip WHERE false)"
    )
    return f"""
        WITH revenue AS (
            SELECT coalesce(n.customer, b.customer) AS customer, n.rank, n.value_class, coalesce(n.vip, false) AS vip,
                   n.monetary, n.share, n.cumulative_share, n.frequency, n.recency_days, n.last_on, n.recency_score,
                   n.frequency_score, n.monetary_score, n.gross_profit, n.covered_revenue, n.reason_code, n.reason,
                   b.rank AS previous_rank, b.value_class AS previous_class, coalesce(b.vip, false) AS previous_vip,
                   b.monetary AS previous_monetary
            FROM revenue_now n FULL JOIN revenue_before b ON b.customer = n.customer
        )
        SELECT r.customer AS customer_id, c.home_branch_id AS branch_id, r.* EXCLUDE (customer),
               {_movement("r.vip", "r.previous_vip")} AS movement,
               p.profit_rank, p.profit_class, coalesce(p.profit_vip, false) AS profit_vip, p.profit_share,
               p.profit_cumulative_share, p.profit_previous_class,
               coalesce(p.profit_previous_vip, false) AS profit_previous_vip,
               {_movement("p.profit_vip", "p.profit_previous_vip")} AS profit_movement
        FROM revenue r
        LEFT JOIN {profit} p ON p.customer = r.customer
        LEFT JOIN customers c ON c.customer_id = r.customer
    """  # noqa: S608 (our own SQL)


def lorenz_sql() -> str:
    """From `customer_value`. Worth below zero counts as zero, as in the model."""
    return f"""
        WITH worth AS ({_scoped_worth()}),
        ranked AS (
            SELECT branch_id, measure, worth,
                   row_number() OVER ascending AS place,
                   sum(worth) OVER ascending AS running,
                   count(*) OVER scope AS customers, sum(worth) OVER scope AS total
            FROM worth
            WINDOW ascending AS (PARTITION BY branch_id, measure ORDER BY worth, customer_id ROWS UNBOUNDED PRECEDING),
                   scope AS (PARTITION BY branch_id, measure)
        ),
        scopes AS (SELECT DISTINCT branch_id, measure, customers, total FROM ranked WHERE total > 0),
        points AS (
            SELECT s.*, t.position, round(s.customers * t.position / 100.0)::BIGINT AS place
            FROM scopes s CROSS JOIN (SELECT unnest(range(0, 101)) AS position) t
        )
        SELECT p.branch_id, p.measure, p.position, p.place / p.customers AS customer_share,
               coalesce(r.running, 0)::DOUBLE / p.total::DOUBLE AS money_share
        FROM points p LEFT JOIN ranked r USING (branch_id, measure, place)
    """  # noqa: S608 (our own SQL)


def vip_summary_sql(vip_share: float, class_a_share: float) -> str:
    """From `customer_value` and `customer_stage`; the shares are the value model's parameters."""
    return f"""
        WITH worth AS ({_scoped_worth()}),
        ranked AS (
            SELECT branch_id, measure, worth,
                   row_number() OVER best AS place,
                   (sum(worth) OVER best) - worth AS before,
                   count(*) OVER scope AS customers, sum(worth) OVER scope AS total
            FROM worth
            WINDOW best AS (
                       PARTITION BY branch_id, measure ORDER BY worth DESC, customer_id ROWS UNBOUNDED PRECEDING
                   ),
                   scope AS (PARTITION BY branch_id, measure)
        ),
        own AS (
            SELECT branch_id, measure, max(ceil(customers * {vip_share!r} - 1e-9))::BIGINT AS top_customers,
                   sum(worth) FILTER (WHERE place <= ceil(customers * {vip_share!r} - 1e-9))::DOUBLE
                       / nullif(max(total), 0)::DOUBLE AS top_share,
                   count(*) FILTER (WHERE worth > 0 AND before < total * {class_a_share!r}) AS customers_for_80
            FROM ranked GROUP BY branch_id, measure
        ),
        told AS ({_scoped_facts()}),
        summed AS (
            SELECT branch_id, measure,
                   count(*) FILTER (WHERE place IS NOT NULL) AS customers,
                   coalesce(sum(money), 0) AS money,
                   count(*) FILTER (WHERE vip) AS vip_customers,
                   coalesce(sum(money) FILTER (WHERE vip), 0) AS vip_money,
                   sum(greatest(money, 0)) FILTER (WHERE vip)::DOUBLE
                       / nullif(sum(greatest(money, 0)), 0)::DOUBLE AS vip_share,
                   {_class_columns()},
                   count(*) FILTER (WHERE movement = 'stayed') AS stayed,
                   count(*) FILTER (WHERE movement = 'entered') AS entered,
                   count(*) FILTER (WHERE movement = 'left') AS left_count,
                   count(*) FILTER (WHERE vip AND at_risk) AS at_risk,
                   coalesce(sum(money) FILTER (WHERE vip AND at_risk), 0) AS at_risk_money
            FROM told GROUP BY branch_id, measure
        )
        SELECT s.*, coalesce(o.top_customers, 0) AS top_customers, o.top_share,
               coalesce(o.customers_for_80, 0) AS customers_for_80
        FROM summed s LEFT JOIN own o USING (branch_id, measure)
    """  # noqa: S608 (our own SQL)


def _scoped_worth() -> str:
    """One row per customer in the window, measure and scope (branch, and all)."""
    return " UNION ALL ".join(
        f"SELECT {scope} AS branch_id, '{measure}' AS measure, customer_id, greatest({column}, 0) AS worth "  # noqa: S608
        f"FROM customer_value WHERE {place} IS NOT NULL AND {condition}"
        for measure, column, place in (
            ("revenue", "monetary", "rank"),
            ("profit", "coalesce(gross_profit, 0)", "profit_rank"),
        )
        for scope, condition in ((str(ALL_BRANCHES), "true"), ("branch_id", "branch_id IS NOT NULL"))
    )


def _scoped_facts() -> str:
    by_measure = {
        "revenue": "rank AS place, monetary AS money, vip, value_class, movement",
        "profit": "profit_rank AS place, coalesce(gross_profit, 0) AS money, profit_vip AS vip, "
        "profit_class AS value_class, profit_movement AS movement",
    }
    return " UNION ALL ".join(
        f"SELECT {scope} AS branch_id, '{measure}' AS measure, {columns}, coalesce(s.at_risk, false) AS at_risk "  # noqa: S608
        f"FROM customer_value v LEFT JOIN customer_stage s USING (customer_id) WHERE {condition} AND {there}"
        for measure, columns in by_measure.items()
        for scope, condition in ((str(ALL_BRANCHES), "true"), ("v.branch_id", "v.branch_id IS NOT NULL"))
        for there in (["true"] if measure == "revenue" else ["(v.profit_rank IS NOT NULL OR v.profit_movement <> '')"])
    )


def _class_columns() -> str:
    return ", ".join(
        f"count(*) FILTER (WHERE value_class = '{name}') AS class_{name.lower()}_customers, "
        f"coalesce(sum(money) FILTER (WHERE value_class = '{name}'), 0) AS class_{name.lower()}_money"
        for name in ("A", "B", "C")
    )


def _movement(now: str, before: str) -> str:
    return f"CASE WHEN {now} AND {before} THEN 'stayed' WHEN {now} THEN 'entered' WHEN {before} THEN 'left' ELSE '' END"
