"""What is worth a look: unusual earning, spending, returns and adjustments. Findings accuse nobody; people judge.

Each rule is one statement over a period, with thresholds that whoever looks may change. Findings come with the numbers
that made them, most points first.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection

from patron.kernel.actor import Actor
from patron.kernel.errors import PermissionRefused


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where on something is shown. Numbers of movements, minutes, and a share of one."""

    purchases_a_day: int = 5
    purchases_in_a_row: int = 4
    in_a_row_minutes: int = 30
    same_cashier: int = 8
    same_cashier_percent: int = 60
    returns_after_spending: int = 2
    adjustments: int = 10
    redeemed_after_minutes: int = 60
    branches_minutes: int = 15


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth a look.

    `rule` is a key of `RULES`; `customer_id` is the member concerned (None where it is about a member of staff);
    `who` is the cashier, terminal or actor as recorded; `points` are at stake; `facts` are the numbers behind it.
    """

    rule: str
    customer_id: int | None
    who: str
    points: Decimal
    times: int
    first_at: datetime
    last_at: datetime
    facts: Mapping[str, Any]


_EARNED = """
    SELECT t.id, t.membership_id, m.customer_id, t.amount, t.occurred_at, p.branch_id, p.cashier, p.terminal
    FROM loyalty_ledgertransaction t
        JOIN loyalty_membership m ON m.id = t.membership_id
        JOIN purchases_purchase p ON p.id = t.purchase_id
    WHERE t.unit = 'points' AND t.kind = 'earn' AND t.occurred_at >= %(since)s AND t.occurred_at < %(until)s
        AND (%(everywhere)s OR p.branch_id = ANY(%(branches)s))
"""

_MANY_A_DAY = f"""
SELECT customer_id, '', sum(amount), count(*), min(occurred_at), max(occurred_at),
    jsonb_build_object('day', (occurred_at AT TIME ZONE %(zone)s)::date, 'branches', count(DISTINCT branch_id))
FROM ({_EARNED}) e
GROUP BY customer_id, (occurred_at AT TIME ZONE %(zone)s)::date HAVING count(*) >= %(purchases_a_day)s
"""

_IN_A_ROW = f"""
SELECT customer_id, '', sum(run_points), count(*), min(started), max(occurred_at),
    jsonb_build_object('purchases', %(purchases_in_a_row)s, 'minutes', %(in_a_row_minutes)s)
FROM (
    SELECT customer_id, occurred_at,
        lag(occurred_at, %(purchases_in_a_row)s - 1) OVER w AS started,
        sum(amount) OVER (PARTITION BY membership_id ORDER BY occurred_at, id
            ROWS BETWEEN %(purchases_in_a_row)s - 1 PRECEDING AND CURRENT ROW) AS run_points
    FROM ({_EARNED}) e
    WINDOW w AS (PARTITION BY membership_id ORDER BY occurred_at, id)
) run
WHERE occurred_at - started <= make_interval(mins => %(in_a_row_minutes)s)
GROUP BY customer_id
"""

_TWO_BRANCHES = f"""
SELECT customer_id, '', sum(amount), count(*), min(before_at), max(occurred_at),
    jsonb_build_object('minutes', round(min(extract(epoch FROM occurred_at - before_at)) / 60)::int,
        'from', (array_agg(before_branch ORDER BY occurred_at - before_at))[1],
        'to', (array_agg(branch_id ORDER BY occurred_at - before_at))[1])
FROM (
    SELECT customer_id, amount, occurred_at, branch_id, lag(occurred_at) OVER w AS before_at,
        lag(branch_id) OVER w AS before_branch
    FROM ({_EARNED}) e
    WINDOW w AS (PARTITION BY membership_id ORDER BY occurred_at, id)
) pair
WHERE branch_id <> before_branch AND occurred_at - before_at <= make_interval(mins => %(branches_minutes)s)
GROUP BY customer_id
"""

# Of the purchases of a member that name a cashier, how many were with the same one; a small branch has few cashiers.
_SAME_CASHIER = f"""
SELECT customer_id, cashier, points, times, first_at, last_at,
    jsonb_build_object('of', all_times, 'cashier_total', cashier_times)
FROM (
    SELECT customer_id, cashier, sum(amount) AS points, count(*) AS times, min(occurred_at) AS first_at,
        max(occurred_at) AS last_at, sum(count(*)) OVER (PARTITION BY customer_id) AS all_times,
        sum(count(*)) OVER (PARTITION BY cashier) AS cashier_times
    FROM ({_EARNED}) e WHERE cashier <> ''
    GROUP BY customer_id, cashier
) pair
WHERE times >= %(same_cashier)s AND times * 100 >= all_times * %(same_cashier_percent)s
    AND times * 20 >= cashier_times
"""

_OWN_CARD = f"""
SELECT e.customer_id, s.name, sum(e.amount), count(*), min(e.occurred_at), max(e.occurred_at),
    jsonb_build_object('cashier', e.cashier)
FROM ({_EARNED}) e
    JOIN accounts_staff s ON e.cashier <> '' AND lower(e.cashier) IN (lower(s.username), lower(s.name))
    JOIN customers_customer c ON c.id = e.customer_id
WHERE lower(c.name) = lower(s.name)
    OR s.phone <> '' AND EXISTS (
        SELECT FROM customers_contactpoint k
        WHERE k.customer_id = c.id AND k.kind = 'phone'
            AND regexp_replace(k.value, '\\D', '', 'g') = regexp_replace(s.phone, '\\D', '', 'g'))
GROUP BY e.customer_id, s.id, e.cashier
"""

_RETURNS = """
SELECT m.customer_id, '', sum((t.explanation ->> 'owed')::numeric), count(*), min(t.occurred_at), max(t.occurred_at),
    jsonb_build_object('taken', -sum(t.amount), 'money', -sum(t.basis_amount))
FROM loyalty_ledgertransaction t
    JOIN loyalty_membership m ON m.id = t.membership_id
    LEFT JOIN purchases_purchase p ON p.id = t.purchase_id
WHERE t.unit = 'points' AND t.kind = 'return' AND (t.explanation ->> 'owed')::numeric > 0
    AND t.occurred_at >= %(since)s AND t.occurred_at < %(until)s
    AND (%(everywhere)s OR p.branch_id = ANY(%(branches)s))
GROUP BY m.customer_id HAVING count(*) >= %(returns_after_spending)s
"""

_ADJUSTED = """
    SELECT t.id, t.membership_id, m.customer_id, t.amount, t.occurred_at, t.actor
    FROM loyalty_ledgertransaction t
        JOIN loyalty_membership m ON m.id = t.membership_id
        JOIN customers_customer c ON c.id = m.customer_id
    WHERE t.unit = 'points' AND t.kind = 'adjust' AND t.amount > 0 AND t.actor NOT IN ('', 'system')
        AND t.occurred_at >= %(since)s AND t.occurred_at < %(until)s
        AND (%(everywhere)s OR c.home_branch_id = ANY(%(branches)s))
"""

_ADJUSTMENTS = f"""
SELECT NULL::bigint, actor, sum(amount), count(*), min(occurred_at), max(occurred_at),
    jsonb_build_object('members', count(DISTINCT customer_id), 'largest', max(amount))
FROM ({_ADJUSTED}) a
GROUP BY actor HAVING count(*) >= %(adjustments)s
"""

_AFTER_ADJUSTMENT = f"""
SELECT customer_id, actor, sum(spent), count(*), min(given_at), max(spent_at),
    jsonb_build_object('given', sum(amount), 'minutes',
        round(min(extract(epoch FROM spent_at - given_at)) / 60)::int, 'by_same', bool_or(by_same))
FROM (
    SELECT a.customer_id, a.actor, a.amount, a.occurred_at AS given_at, s.occurred_at AS spent_at,
        least(-s.amount, a.amount) AS spent, s.actor = a.actor AS by_same
    FROM ({_ADJUSTED}) a CROSS JOIN LATERAL (
        SELECT t.amount, t.occurred_at, t.actor FROM loyalty_ledgertransaction t
        WHERE t.membership_id = a.membership_id AND t.unit = 'points' AND t.kind IN ('spend', 'reserve')
            AND t.occurred_at >= a.occurred_at
            AND t.occurred_at <= a.occurred_at + make_interval(mins => %(redeemed_after_minutes)s)
        ORDER BY t.occurred_at, t.id LIMIT 1
    ) s
) pair
GROUP BY customer_id, actor
"""

RULES: Mapping[str, str] = {
    "own_card": _OWN_CARD,
    "same_cashier": _SAME_CASHIER,
    "after_adjustment": _AFTER_ADJUSTMENT,
    "adjustments": _ADJUSTMENTS,
    "returns": _RETURNS,
    "many_a_day": _MANY_A_DAY,
    "in_a_row": _IN_A_ROW,
    "two_branches": _TWO_BRANCHES,
}
"""What is looked for, by the code that findings name."""

MOST = 200
"""Findings of one rule that are shown at most: those with most points."""


def findings(
    actor: Actor, *, since: datetime, until: datetime, thresholds: Thresholds | None = None
) -> Sequence[Finding]:
    """Everything worth a look from `since` to before `until`, most points first. One query for each rule.

    In the branches that the actor sees. Raises PermissionRefused without `loyalty.watch`.
    """
    if not actor.can("loyalty.watch"):
        raise PermissionRefused(details={"permission": "loyalty.watch"})
    limits = thresholds or Thresholds()
    values: dict[str, Any] = {
        **{name: getattr(limits, name) for name in Thresholds.__dataclass_fields__},
        "since": since,
        "until": until,
        "zone": settings.TIME_ZONE,
        "everywhere": actor.branch_ids is None,
        "branches": sorted(actor.branch_ids or ()),
    }
    found = [finding for rule, statement in RULES.items() for finding in _found(rule, statement, values)]
    return sorted(found, key=lambda finding: (-finding.points, finding.rule, finding.customer_id or 0, finding.who))


def _found(rule: str, statement: str, values: Mapping[str, Any]) -> list[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} ORDER BY 3 DESC, 1, 2 LIMIT {MOST}", values)
        return [
            Finding(rule, customer_id, who, points, times, first_at, last_at, json.loads(facts))
            for customer_id, who, points, times, first_at, last_at, facts in cursor.fetchall()
        ]
