"""Marts of months, for the departments: what was sold by category, what the club gave and took, what it all came to."""

from collections.abc import Mapping
from datetime import date, timedelta

from patron.intelligence.insights.marts.contract import ALL_BRANCHES, Mart
from patron.kernel.exports import ExportColumn

_MONTH = ExportColumn("month", "date", "First day of the month.")
_BRANCH = ExportColumn("branch_id", "int64", "Branch; empty when not known. Months add up over branches.")

CATEGORY_MONTHS = Mart(
    name="category_months",
    meaning="Sales by month, category and branch of the sale.",
    columns=(
        _MONTH,
        ExportColumn("category", "string", "First level of the category; empty when not known."),
        ExportColumn("branch_id", "int64", "Branch of the sale; 0 for the whole organisation; empty when not known."),
        ExportColumn("sales", "decimal(18,2)", "Net of returns and discounts."),
        ExportColumn("discounts", "decimal(18,2)", "Discounts on lines."),
        ExportColumn("quantity", "decimal(18,3)", "Net of returns."),
        ExportColumn("receipts", "int64", "Sales receipts with the category."),
        ExportColumn("customers", "int64", "Different customers who bought of it."),
    ),
    order="branch_id, category, month",
    department="sales",
)

LOYALTY_MONTHS = Mart(
    name="loyalty_months",
    meaning="Points of the club by month and branch: that of the receipt behind a movement, else the member's own.",
    columns=(
        _MONTH,
        _BRANCH,
        ExportColumn("programme", "string", "Code of the programme."),
        ExportColumn("joined", "int64", "Members who joined."),
        ExportColumn("issued", "decimal(18,2)", "Points earned."),
        ExportColumn("taken_back", "decimal(18,2)", "Points taken back for returns."),
        ExportColumn("redeemed", "decimal(18,2)", "Points spent, less those given back."),
        ExportColumn("expired", "decimal(18,2)", "Points that expired."),
        ExportColumn("adjusted", "decimal(18,2)", "Points given (below zero: taken) by hand."),
        ExportColumn("earning_members", "int64", "Different members who earned at the branch."),
        ExportColumn("redeeming_members", "int64", "Different members who redeemed."),
    ),
    order="programme, branch_id, month",
    department="loyalty",
)

VOUCHER_RESULTS = Mart(
    name="voucher_results",
    meaning="What became of vouchers, by kind of voucher, occasion, and month of issue.",
    columns=(
        ExportColumn("definition", "string", "Code of the kind of voucher."),
        ExportColumn("kind", "string", "amount, percent, product, free_item or shipping."),
        ExportColumn("occasion", "string", "Why it was issued."),
        ExportColumn("month", "date", "First day of the month of issue."),
        ExportColumn("issued", "int64", "Vouchers issued."),
        ExportColumn("used", "int64", "Of these, used at least once up to now."),
        ExportColumn("expired", "int64", "Of these, expired unused or partly used."),
        ExportColumn("cancelled", "int64", "Of these, cancelled."),
        ExportColumn("uses", "int64", "Uses, less those undone."),
        ExportColumn("money_given", "decimal(18,2)", "Money that the uses gave."),
        ExportColumn("basket_amount", "decimal(18,2)", "What the baskets cost before vouchers."),
    ),
    order="definition, occasion, month",
    department="marketing",
)

ACTIVITY_MONTHS = Mart(
    name="activity_months",
    meaning="What happened with customers, by month, branch, kind and channel.",
    columns=(
        _MONTH,
        _BRANCH,
        ExportColumn("kind", "string", "Dotted code of the activity, for example purchase.completed."),
        ExportColumn("channel", "string", "Touchpoint; empty for what came of itself."),
        ExportColumn("activities", "int64", "How many."),
        ExportColumn("customers", "int64", "Different customers."),
    ),
    order="kind, channel, branch_id, month",
    department="service",
)

FINANCE_MONTHS = Mart(
    name="finance_months",
    meaning="What sales came to and what was given away, by month and branch.",
    columns=(
        _MONTH,
        _BRANCH,
        ExportColumn("gross", "decimal(18,2)", "Before discounts, net of returns."),
        ExportColumn("discounts", "decimal(18,2)", "Discounts."),
        ExportColumn("net", "decimal(18,2)", "What was paid: gross less discounts."),
        ExportColumn("returned", "decimal(18,2)", "Paid back for returns, as a positive amount; net holds it."),
        ExportColumn("identified", "decimal(18,2)", "Part of net that known customers paid."),
        ExportColumn("covered", "decimal(18,2)", "Part of net whose cost is known."),
        ExportColumn("gross_profit", "decimal(18,2)", "covered less its cost."),
        ExportColumn("vouchers", "decimal(18,2)", "Money that vouchers gave."),
        ExportColumn("deposited", "decimal(18,2)", "Stored value paid in."),
        ExportColumn("bonus", "decimal(18,2)", "Stored value given on top."),
        ExportColumn("paid_from_stored", "decimal(18,2)", "Stored value spent, less refunds."),
    ),
    order="branch_id, month",
    department="finance",
)

MONTH_MARTS = (CATEGORY_MONTHS, LOYALTY_MONTHS, VOUCHER_RESULTS, ACTIVITY_MONTHS, FINANCE_MONTHS)


_SLICE_LINES = 2_000_000


def month_marts_sql(
    currency: str, as_of: date, *, with_cost: bool, lines: Mapping[date, int]
) -> dict[str, tuple[str, ...]]:
    """The queries of each of `MONTH_MARTS`, by its name; from the tables, up to and including `as_of`.

    `with_cost`: whether any cost is known. The lines need not be read for it otherwise. `lines` counts them by month
    (its first day): different receipts and customers are counted for some months at a time, within bounded memory.
    """
    until = f"<= DATE '{as_of.isoformat()}'"
    return {
        CATEGORY_MONTHS.name: tuple(
            _categories(currency, f"{until} AND l.occurred_on >= DATE '{first}' AND l.occurred_on < DATE '{end}'")
            for first, end in slices_of(lines)
        ),
        LOYALTY_MONTHS.name: (_loyalty(until),),
        VOUCHER_RESULTS.name: (_vouchers(until),),
        ACTIVITY_MONTHS.name: (_activities(until),),
        FINANCE_MONTHS.name: (_finance(currency, until, with_cost=with_cost),),
    }


def slices_of(lines: Mapping[date, int]) -> list[tuple[date, date]]:
    """Stretches of whole months with about two million lines, or one month: first day, and day after the last."""
    found: list[tuple[date, date]] = []
    held = _SLICE_LINES
    for month in sorted(lines):
        end = (month + timedelta(31)).replace(day=1)
        if held + lines[month] > _SLICE_LINES:
            found.append((month, end))
            held = lines[month]
        else:
            found[-1] = (found[-1][0], end)
            held += lines[month]
    return found


def _categories(currency: str, until: str) -> str:
    """A row for each receipt and category first: counting those is counting different receipts."""
    return f"""
        WITH parts AS (
            SELECT date_trunc('month', l.occurred_on)::DATE AS month, p.category_1 AS category, l.branch_id,
                   l.purchase_id, l.kind, l.customer_id, sum(l.net_amount) AS sales,
                   sum(l.discount_amount) AS discounts, sum(l.quantity) AS quantity
            FROM purchase_lines l LEFT JOIN products p USING (product_id)
            WHERE NOT l.is_voided AND l.currency = '{currency}' AND l.occurred_on {until}
            GROUP BY ALL
        )
        SELECT month, category, CASE WHEN grouping(branch_id) = 1 THEN {ALL_BRANCHES} ELSE branch_id END AS branch_id,
               sum(sales) AS sales, sum(discounts) AS discounts, sum(quantity) AS quantity,
               count(*) FILTER (WHERE kind = 'sale') AS receipts,
               count(DISTINCT customer_id) FILTER (WHERE kind = 'sale') AS customers
        FROM parts GROUP BY GROUPING SETS ((month, category, branch_id), (month, category))
    """  # noqa: S608 (a currency code and a date)


def _loyalty(until: str) -> str:
    return f"""
        WITH members AS (
            SELECT m.membership_id, m.programme, m.joined_on, c.home_branch_id
            FROM memberships m LEFT JOIN customers c USING (customer_id)
        ),
        movements AS (
            SELECT date_trunc('month', t.occurred_on)::DATE AS month,
                   coalesce(p.branch_id, m.home_branch_id) AS branch_id, m.programme, t.membership_id, t.kind, t.amount
            FROM points t JOIN members m USING (membership_id) LEFT JOIN purchases p USING (purchase_id)
            WHERE t.unit = 'points' AND t.occurred_on {until}
        ),
        moved AS (
            SELECT month, branch_id, programme,
                   coalesce(sum(amount) FILTER (WHERE kind = 'earn'), 0) AS issued,
                   coalesce(-sum(amount) FILTER (WHERE kind = 'return'), 0) AS taken_back,
                   coalesce(-sum(amount) FILTER (WHERE kind IN ('spend', 'refund')), 0) AS redeemed,
                   coalesce(-sum(amount) FILTER (WHERE kind = 'expire'), 0) AS expired,
                   coalesce(sum(amount) FILTER (WHERE kind = 'adjust'), 0) AS adjusted,
                   count(DISTINCT membership_id) FILTER (WHERE kind = 'earn') AS earning_members,
                   count(DISTINCT membership_id) FILTER (WHERE kind = 'spend') AS redeeming_members
            FROM movements GROUP BY month, branch_id, programme
        ),
        joined AS (
            SELECT date_trunc('month', joined_on)::DATE AS month, home_branch_id AS branch_id, programme,
                   count(*) AS joined
            FROM members WHERE joined_on {until} GROUP BY ALL
        ),
        together AS (
            SELECT month, branch_id, programme, 0 AS joined, issued, taken_back, redeemed, expired, adjusted,
                   earning_members, redeeming_members
            FROM moved
            UNION ALL
            SELECT month, branch_id, programme, joined, 0, 0, 0, 0, 0, 0, 0 FROM joined
        )
        SELECT month, branch_id, programme, sum(joined) AS joined, sum(issued) AS issued, sum(taken_back) AS taken_back,
               sum(redeemed) AS redeemed, sum(expired) AS expired, sum(adjusted) AS adjusted,
               sum(earning_members) AS earning_members, sum(redeeming_members) AS redeeming_members
        FROM together GROUP BY month, branch_id, programme
    """  # noqa: S608 (a date)


def _vouchers(until: str) -> str:
    return f"""
        WITH used AS (
            SELECT voucher_id, sum(CASE WHEN state = 'undone' THEN -1 ELSE 1 END) AS uses, sum(amount) AS money_given,
                   sum(CASE WHEN state = 'undone' THEN -basket_amount ELSE basket_amount END) AS basket_amount
            FROM voucher_uses WHERE used_on {until} GROUP BY voucher_id
        )
        SELECT v.definition, v.kind, v.occasion, date_trunc('month', v.issued_on)::DATE AS month, count(*) AS issued,
               count(*) FILTER (WHERE u.uses > 0) AS used, count(*) FILTER (WHERE v.status = 'expired') AS expired,
               count(*) FILTER (WHERE v.status = 'cancelled') AS cancelled, coalesce(sum(u.uses), 0) AS uses,
               coalesce(sum(u.money_given), 0) AS money_given, coalesce(sum(u.basket_amount), 0) AS basket_amount
        FROM vouchers v LEFT JOIN used u USING (voucher_id)
        WHERE v.issued_on {until}
        GROUP BY v.definition, v.kind, v.occasion, date_trunc('month', v.issued_on)::DATE
    """  # noqa: S608 (a date)


def _activities(until: str) -> str:
    return f"""
        SELECT date_trunc('month', occurred_on)::DATE AS month, branch_id, kind, channel, count(*) AS activities,
               count(DISTINCT customer_id) AS customers
        FROM activities WHERE occurred_on {until}
        GROUP BY date_trunc('month', occurred_on)::DATE, branch_id, kind, channel
    """  # noqa: S608 (a date)


#: What each source of the finance mart knows; the others are zero there.
_FINANCE = {
    "purchases": {
        "gross": "gross_amount",
        "discounts": "discount_amount",
        "net": "net_amount",
        "returned": "CASE WHEN kind = 'return' THEN -net_amount ELSE 0 END",
        "identified": "CASE WHEN customer_id IS NOT NULL THEN net_amount ELSE 0 END",
    },
    "costed": {"covered": "net_amount", "gross_profit": "net_amount - cost"},
    "voucher_uses": {"vouchers": "amount"},
    "stored_value": {
        "deposited": "CASE WHEN what = 'deposit' THEN amount ELSE 0 END",
        "bonus": "CASE WHEN what IN ('bonus', 'bonus_back') THEN amount ELSE 0 END",
        "paid_from_stored": "CASE WHEN what IN ('payment', 'refund') THEN -amount ELSE 0 END",
    },
}


def _finance(currency: str, until: str, *, with_cost: bool) -> str:
    counted = f"NOT is_voided AND currency = '{currency}' AND occurred_on {until}"
    where = {
        "purchases": ("occurred_on", counted),
        "costed": ("occurred_on", "cost IS NOT NULL"),
        "voucher_uses": ("used_on", f"used_on {until}"),
        "stored_value": ("occurred_on", f"occurred_on {until}"),
    }
    names = [name for columns in _FINANCE.values() for name in columns]
    added = " UNION ALL ".join(
        f"SELECT date_trunc('month', {day})::DATE AS month, branch_id, "  # noqa: S608
        + ", ".join(f"sum({_FINANCE[source].get(name, '0')}) AS {name}" for name in names)
        + f" FROM {source} WHERE {condition} GROUP BY date_trunc('month', {day})::DATE, branch_id"
        for source, (day, condition) in where.items()
        if with_cost or source != "costed"
    )
    return f"""
        WITH costed AS (
            SELECT l.occurred_on, l.branch_id, l.net_amount,
                   coalesce(l.cost_amount, round(p.cost * l.quantity, 2)::DECIMAL(16,2)) AS cost
            FROM purchase_lines l LEFT JOIN products p USING (product_id)
            WHERE NOT l.is_voided AND l.currency = '{currency}' AND l.occurred_on {until}
        )
        SELECT month, branch_id, {", ".join(f"sum({name}) AS {name}" for name in names)}
        FROM ({added}) added GROUP BY month, branch_id
    """  # noqa: S608 (a currency code and a date)
