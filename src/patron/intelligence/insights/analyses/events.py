"""Events in customers' lives, of the last 14 days and the next 14: a reason to say a word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa

from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.mining.arrays import EPOCH
from patron.intelligence.mining.contract import Parameters, parameter
from patron.intelligence.mining.watching.moves import branch_moves
from patron.kernel.exports import ExportColumn

KINDS: Final = (
    "birthday", "anniversary", "milestone", "next_milestone", "baby", "pet", "moved", "came_back", "first_category",
)  # fmt: skip

EVENTS = Mart(
    name="customer_events",
    meaning="Events in customers' lives within 14 days: what happened, or will, and when.",
    columns=(
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch."),
        ExportColumn("kind", "string", ", ".join(KINDS) + "."),
        ExportColumn("happens_on", "date", "The day; empty for the next visit."),
        ExportColumn("upcoming", "bool", "Whether it lies ahead."),
        ExportColumn("number", "int64", "Years of an anniversary, count of visits, days away; empty for others."),
        ExportColumn("detail", "string", "Category, or the branches before and after; empty for others."),
        ExportColumn("vip", "bool", "Whether among the top 20 % of customers."),
        ExportColumn("money_per_year", "decimal(18,2)", "Spent in the year up to the last purchase."),
        ExportColumn("reason", "string", "In words, English."),
    ),
    order="vip DESC, money_per_year DESC, customer_id, kind",
)


@dataclass(frozen=True)
class EventParameters(Parameters):
    """What counts as an event. Categories are found by words of their names; change them to those of your shop."""

    days: int = parameter(14, "events of so many days back and ahead", minimum=1, maximum=60)
    known_days: int = parameter(180, "first purchases count for customers known for so many days", minimum=30)
    baby_categories: str = parameter(
        "infant formula,diaper,baby food,babyfood,奶粉,尿片,嬰兒,婴儿", "a new baby: words of categories, by comma"
    )
    pet_categories: str = parameter(
        "dog food,cat food,cat litter,pet care,狗糧,貓糧,貓砂,寵物,宠物", "a new pet: words of categories, by comma"
    )
    new_life_days: int = parameter(56, "baby, pet: bought on two days within so many, and never before", minimum=7)
    milestones: str = parameter("10,25,50,100,200,300,500,1000", "milestones: counts of visits, by comma")
    min_visits: int = parameter(10, "first category: for customers with so many visits before", minimum=1)


def find(context: Context) -> Findings:
    """Every kind in turn; what a house does not record gives no events of its kind."""
    parameters = context.parameters(EventParameters)
    until = context.until
    since = until - timedelta(parameters.days - 1)
    context.lines()
    duck = context.warehouse.connection
    duck.execute("CREATE OR REPLACE TEMP TABLE customer_days AS SELECT DISTINCT customer, date FROM lines_counted")
    events = [
        _named(context, _ANNIVERSARIES, _around(context, parameters)),
        _named(context, _BIRTHDAYS, [context.as_of - timedelta(parameters.days), context.as_of]),
        _named(context, _CAME_BACK, [since]),
        _first_categories(context, parameters, since, until),
        *(_new_life(context, parameters, kind, since, until) for kind in ("baby", "pet")),
        _milestones(context, parameters, since),
        _moves(context, since, until),
    ]
    duck.register("events_found", pa.concat_tables([each.cast(_SCHEMA) for each in events]))
    table = context.warehouse.arrow(
        """
        SELECT e.customer_id, c.home_branch_id AS branch_id, e.kind, e.happens_on,
               e.kind = 'next_milestone' OR coalesce(e.happens_on > ?, false) AS upcoming, e.number, e.detail,
               coalesce(v.vip, false) AS vip, coalesce(s.money_per_year, 0) AS money_per_year, e.reason
        FROM events_found e JOIN customers c USING (customer_id)
        LEFT JOIN customer_value v USING (customer_id) LEFT JOIN customer_stage s USING (customer_id)
        ORDER BY e.customer_id, e.kind, e.happens_on, e.detail
        """,
        [context.as_of],
    )
    duck.register("events_named", table)
    insights = context.warehouse.arrow(_INSIGHTS)
    for name in ("events_found", "events_named"):
        duck.unregister(name)
    duck.execute("DROP TABLE customer_days")
    kinds = table["kind"].to_pylist()
    return Findings(
        tables={EVENTS.name: table},
        parameters=parameters.as_dict(),
        metrics={
            "events": table.num_rows,
            "customers": len(set(table["customer_id"].to_pylist())),
            "until": until.isoformat(),
            **{kind: kinds.count(kind) for kind in KINDS},
        },
        insights=insights,
        notes=(
            "Days of birth never leave the database: a birthday shows by the voucher that the programme gave for it.",
            "Addresses are known as they are today; who moved shows by a main branch that changed for good.",
        ),
    )


_SCHEMA: Final = pa.schema(
    {
        "customer_id": pa.int64(),
        "kind": pa.string(),
        "happens_on": pa.date32(),
        "number": pa.int64(),
        "detail": pa.string(),
        "reason": pa.string(),
    }
)

_ANNIVERSARIES: Final = """
    WITH joined AS (SELECT customer_id, min(joined_on) AS joined_on FROM memberships GROUP BY customer_id),
    days AS (SELECT d::DATE AS day FROM generate_series($1::DATE, $2::DATE, INTERVAL 1 DAY) AS g(d))
    SELECT customer_id, 'anniversary' AS kind, day AS happens_on, year(day) - year(joined_on) AS number, '' AS detail,
           'Joined on ' || joined_on || ': ' || (year(day) - year(joined_on)) || ' years.' AS reason
    FROM joined JOIN days
      ON day = joined_on + to_years((year(day) - year(joined_on))::INTEGER) AND year(day) > year(joined_on)
"""

_BIRTHDAYS: Final = """
    SELECT m.customer_id, 'birthday' AS kind, max(v.issued_on) AS happens_on, NULL AS number, '' AS detail,
           'A birthday voucher was given on ' || max(v.issued_on) || '.' AS reason
    FROM vouchers v JOIN memberships m USING (membership_id)
    WHERE v.occasion = 'birthday' AND v.issued_on BETWEEN $1 AND $2 GROUP BY m.customer_id
"""

_CAME_BACK: Final = """
    SELECT customer_id, 'came_back' AS kind, came_back_on AS happens_on, away_days AS number, '' AS detail,
           'Came back after ' || away_days || ' days away.' AS reason
    FROM customer_stage WHERE came_back_on >= $1
"""

_INSIGHTS: Final = """
    SELECT customer_id, kind AS label, count(*) OVER (PARTITION BY customer_id)::DOUBLE AS score,
           row_number() OVER (ORDER BY money_per_year DESC, customer_id) AS rank, kind AS reason_code, reason,
           to_json({happens_on: happens_on::VARCHAR, number: number, detail: detail})::VARCHAR AS facts
    FROM events_named QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY upcoming, happens_on DESC, kind) = 1
    ORDER BY customer_id
"""


def _named(context: Context, query: str, values: list[Any]) -> pa.Table:
    found: pa.Table = context.warehouse.arrow(f"SELECT {', '.join(_SCHEMA.names)} FROM ({query})", values)  # noqa: S608
    return found


def _around(context: Context, parameters: EventParameters) -> list[date]:
    return [context.as_of - timedelta(parameters.days), context.as_of + timedelta(parameters.days)]


def _first_categories(context: Context, parameters: EventParameters, since: date, until: date) -> pa.Table:
    """The first department of each customer in the window, where it was never bought in before."""
    return _named(
        context,
        """
        WITH firsts AS (
            SELECT customer, category_1, min(date) AS first_on FROM lines_counted
            WHERE kind = 'sale' AND amount > 0 AND category_1 IS NOT NULL
              AND customer IN (SELECT customer FROM customer_days WHERE date BETWEEN $1 AND $2)
            GROUP BY customer, category_1
        ),
        known AS (
            SELECT customer, min(date) AS since, count(*) FILTER (date < $1) AS visits FROM customer_days
            GROUP BY customer
        )
        SELECT customer AS customer_id, 'first_category' AS kind, f.first_on AS happens_on, NULL AS number,
               f.category_1 AS detail, 'First bought ' || f.category_1 || ' on ' || f.first_on || '.' AS reason
        FROM firsts f JOIN known k USING (customer)
        WHERE f.first_on BETWEEN $1 AND $2 AND k.since <= $1::DATE - $3::INTEGER AND k.visits >= $4
        """,
        [since, until, parameters.known_days, parameters.min_visits],
    )


def _new_life(context: Context, parameters: EventParameters, kind: str, since: date, until: date) -> pa.Table:
    words = [word.strip().lower() for word in getattr(parameters, f"{kind}_categories").split(",") if word.strip()]
    return _named(
        context,
        """
        WITH bought AS (
            SELECT customer, date, row_number() OVER (PARTITION BY customer ORDER BY date) AS place FROM (
                SELECT DISTINCT customer, date FROM lines_counted
                WHERE kind = 'sale' AND product IN (
                    SELECT product_id FROM products, unnest($5::VARCHAR[]) AS w(word)
                    WHERE contains(lower(concat_ws(' ', category_1, category_2, category_3)), word)
                )
            )
        ),
        known AS (SELECT customer, min(date) AS since FROM customer_days GROUP BY customer)
        SELECT b.customer AS customer_id, $6 AS kind, b.date AS happens_on, NULL AS number, '' AS detail,
               'Bought such goods on ' || a.date || ' and ' || b.date || ', never before.' AS reason
        FROM bought b JOIN bought a ON a.customer = b.customer AND a.place = 1 JOIN known k ON k.customer = b.customer
        WHERE b.place = 2 AND b.date BETWEEN $1 AND $2 AND b.date <= a.date + $3::INTEGER
              AND k.since <= a.date - $4::INTEGER
        """,
        [since, until, parameters.new_life_days, parameters.known_days, words, kind],
    )


def _milestones(context: Context, parameters: EventParameters, since: date) -> pa.Table:
    """Counts of visits reached since, and those that the next visit reaches."""
    days = context.purchases().days
    came = days.purchases > 0
    owner, day = days.owner[came], days.day[came]
    count = np.bincount(owner, minlength=len(days.customers))
    starts = np.concatenate(([0], np.cumsum(count)[:-1])) if len(count) else np.zeros(0, dtype=np.int64)
    number = np.arange(len(owner)) - starts[owner] + 1
    steps = np.array(sorted({int(step) for step in parameters.milestones.split(",") if step.strip().isdigit()}))
    reached = np.isin(number, steps) & (day >= (since - EPOCH).days)
    ahead = np.flatnonzero(np.isin(count + 1, steps))
    last = np.zeros(len(count), dtype=np.int64)
    np.maximum.at(last, owner, day)
    ahead = ahead[last[ahead] >= (since - EPOCH).days]
    customers = days.customers.to_pylist()
    rows = [
        {"customer_id": customers[who], "kind": "milestone", "happens_on": EPOCH + timedelta(int(on)), "number": int(n),
         "detail": "", "reason": f"Visit number {n}."}
        for who, on, n in zip(owner[reached], day[reached], number[reached], strict=True)
    ]  # fmt: skip
    rows += [
        {"customer_id": customers[who], "kind": "next_milestone", "happens_on": None, "number": int(count[who]) + 1,
         "detail": "", "reason": f"The next visit is number {count[who] + 1}."}
        for who in ahead
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def _moves(context: Context, since: date, until: date) -> pa.Table:
    visits = context.warehouse.arrow(
        """
        SELECT customer_id, occurred_on - DATE '1970-01-01' AS day, branch_id
        FROM (SELECT DISTINCT customer_id, occurred_on, branch_id FROM purchases
              WHERE NOT is_voided AND kind = 'sale' AND customer_id IS NOT NULL AND branch_id IS NOT NULL
                    AND occurred_on <= ?)
        ORDER BY customer_id, occurred_on, branch_id
        """,
        [until],
    )
    customer, day, branch = (visits[name].to_numpy().astype(np.int64) for name in ("customer_id", "day", "branch_id"))
    customers, owner = np.unique(customer, return_inverse=True)
    moved = branch_moves(owner, day, branch)
    names = dict(context.warehouse.rows("SELECT branch_id, name FROM branches"))
    # Who goes elsewhere because the branch has closed has not moved.
    closed = {
        each for (each,) in context.warehouse.rows(
            "SELECT branch_id FROM purchases WHERE NOT is_voided AND occurred_on <= $1::DATE "
            "GROUP BY branch_id HAVING max(occurred_on) < $1::DATE - 28", [until],
        )
    }  # fmt: skip
    rows = [
        {"customer_id": int(customers[who]), "kind": "moved", "happens_on": EPOCH + timedelta(int(changed)),
         "number": None,
         "detail": f"{names.get(int(old), '')} → {names.get(int(new), '')}",
         "reason": f"Since {EPOCH + timedelta(int(changed))} at {names.get(int(new), '')} instead of "
         f"{names.get(int(old), '')}."}
        for who, old, new, changed, evident in zip(
            moved.owner, moved.old, moved.new, moved.changed, moved.evident, strict=True
        )
        if evident >= (since - EPOCH).days and int(old) not in closed
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


ANALYSIS: Final = Analysis(name="events", title="Events", marts=(EVENTS,), find=find)
