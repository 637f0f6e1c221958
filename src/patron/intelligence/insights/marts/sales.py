"""Marts of sales: weeks and days, by branch of the sale and for the whole organisation, beside last year's."""

from datetime import date

from patron.intelligence.insights.marts.contract import ALL_BRANCHES, Mart
from patron.kernel.exports import ExportColumn

_SCOPE = ExportColumn("branch_id", "int64", "Branch of the sale; 0 for the whole organisation; empty when not known.")

WEEKLY_SALES = Mart(
    name="weekly_sales",
    meaning=(
        "Sales by week (Monday to Sunday). Columns that end in _to_date count only up to the weekday of the last whole "
        "day (yesterday), in every week: they compare the running week with others like for like. Columns that begin "
        "with last_year_ are those of 52 weeks earlier, empty where there was none."
    ),
    columns=(
        ExportColumn("week_start", "date", "Monday of the week."),
        _SCOPE,
        ExportColumn("sales", "decimal(18,2)", "Net of returns."),
        ExportColumn("purchases", "int64", "Sales receipts, without returns."),
        ExportColumn("returns", "int64", "Return receipts."),
        ExportColumn("customers", "int64", "Different customers who bought."),
        ExportColumn("active_members", "int64", "Different members who bought."),
        ExportColumn("member_sales", "decimal(18,2)", "Sales to members."),
        ExportColumn("sales_to_date", "decimal(18,2)", "Sales up to the weekday."),
        ExportColumn("purchases_to_date", "int64", "Receipts up to the weekday."),
        ExportColumn("active_members_to_date", "int64", "Different members up to the weekday."),
        ExportColumn("last_year_sales", "decimal(18,2)", "52 weeks earlier."),
        ExportColumn("last_year_purchases", "int64", "52 weeks earlier."),
        ExportColumn("last_year_active_members", "int64", "52 weeks earlier."),
        ExportColumn("last_year_sales_to_date", "decimal(18,2)", "52 weeks earlier, up to the weekday."),
        ExportColumn("last_year_purchases_to_date", "int64", "52 weeks earlier, up to the weekday."),
        ExportColumn("last_year_active_members_to_date", "int64", "52 weeks earlier, up to the weekday."),
    ),
    order="branch_id, week_start",
    department="sales",
)

DAILY_SALES = Mart(
    name="daily_sales",
    meaning="Sales by day.",
    columns=(
        ExportColumn("date", "date", "The day."),
        _SCOPE,
        ExportColumn("sales", "decimal(18,2)", "Net of returns."),
        ExportColumn("purchases", "int64", "Sales receipts, without returns."),
        ExportColumn("customers", "int64", "Different customers who bought."),
        ExportColumn("active_members", "int64", "Different members who bought."),
    ),
    order="branch_id, date",
    department="sales",
)

_YEAR_WEEKS = 52


def sold_sql(currency: str, as_of: date) -> str:
    """Receipts that count, each once for its branch and once for all; from `purchases` and `memberships`."""
    return f"""
        WITH members AS (
            SELECT customer_id, min(joined_on) AS joined_on FROM memberships WHERE status = 'active'
            GROUP BY customer_id
        ),
        counted AS (
            SELECT p.branch_id, p.occurred_on, p.net_amount, p.kind, p.customer_id,
                   CASE WHEN m.joined_on <= p.occurred_on THEN p.customer_id END AS member_id
            FROM purchases p LEFT JOIN members m USING (customer_id)
            WHERE NOT p.is_voided AND p.currency = '{currency}' AND p.occurred_on <= DATE '{as_of.isoformat()}'
        )
        SELECT * FROM counted
        UNION ALL
        SELECT {ALL_BRANCHES} AS branch_id, occurred_on, net_amount, kind, customer_id, member_id FROM counted
    """  # noqa: S608 (a currency code and a date)


def weekly_sales_sql(whole_day: date) -> str:
    """From `sold`; `whole_day` is the last whole day."""
    until = f"date_diff('day', week_start, occurred_on) < {whole_day.isoweekday()}"
    before = ", ".join(
        f"y.{name} AS last_year_{name}"
        for name in (
            "sales", "purchases", "active_members", "sales_to_date", "purchases_to_date", "active_members_to_date",
        )
    )  # fmt: skip
    return f"""
        WITH days AS (SELECT *, date_trunc('week', occurred_on)::DATE AS week_start FROM sold),
        weeks AS (
            SELECT week_start, branch_id,
                   sum(net_amount) AS sales,
                   count(*) FILTER (WHERE kind = 'sale') AS purchases,
                   count(*) FILTER (WHERE kind = 'return') AS returns,
                   count(DISTINCT customer_id) FILTER (WHERE kind = 'sale') AS customers,
                   count(DISTINCT member_id) FILTER (WHERE kind = 'sale') AS active_members,
                   coalesce(sum(net_amount) FILTER (WHERE member_id IS NOT NULL), 0) AS member_sales,
                   coalesce(sum(net_amount) FILTER (WHERE {until}), 0) AS sales_to_date,
                   count(*) FILTER (WHERE kind = 'sale' AND {until}) AS purchases_to_date,
                   count(DISTINCT member_id) FILTER (WHERE kind = 'sale' AND {until}) AS active_members_to_date
            FROM days GROUP BY week_start, branch_id
        )
        SELECT w.*, {before}
        FROM weeks w LEFT JOIN weeks y
          ON y.branch_id IS NOT DISTINCT FROM w.branch_id AND y.week_start = w.week_start - {7 * _YEAR_WEEKS}
    """  # noqa: S608 (a weekday)


#: From `sold`.
DAILY_SALES_SQL = """
    SELECT occurred_on AS date, branch_id, sum(net_amount) AS sales, count(*) FILTER (WHERE kind = 'sale') AS purchases,
           count(DISTINCT customer_id) FILTER (WHERE kind = 'sale') AS customers,
           count(DISTINCT member_id) FILTER (WHERE kind = 'sale') AS active_members
    FROM sold GROUP BY ALL
"""
