"""Reading what is known of members and their sales for the pure decisions: for one at the till, or for thousands."""

import json
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings

from patron.business.loyalty.baskets import ProductFacts, categories_of
from patron.business.loyalty.rules.earning import Part, Rulebook
from patron.business.loyalty.rules.sales import MemberState
from patron.business.loyalty.rules.spans import months_later
from patron.business.loyalty.rules.tiers import Standing, TierTerms, window_at
from patron.kernel.prepared import fetch

MEMBERS = """
SELECT m.id, m.customer_id, m.joined_on, m.tier, m.tier_until, m.tier_invited, c.birth_on,
    CASE WHEN %(tiers)s::boolean THEN (
        SELECT array_agg(t.effective_at ORDER BY t.effective_at, t.id) FROM loyalty_tierchange t
        WHERE t.membership_id = m.id) END,
    CASE WHEN %(tiers)s::boolean THEN (
        SELECT array_agg(t.after ORDER BY t.effective_at, t.id) FROM loyalty_tierchange t
        WHERE t.membership_id = m.id) END,
    CASE WHEN %(segments)s::boolean THEN (
        SELECT array_agg(i.model || ':' || i.label) FROM customers_insight i
        WHERE i.customer_id = m.customer_id AND i.label <> '') END
FROM loyalty_membership m JOIN customers_customer c ON c.id = m.customer_id
WHERE m.id = ANY(%(members)s::bigint[])
"""

COUNTED = {
    "qualifying": """
        SELECT t.membership_id, (t.occurred_at AT TIME ZONE %(zone)s::text)::date AS day, sum(t.amount)
        FROM loyalty_ledgertransaction t
        WHERE t.membership_id = ANY(%(members)s::bigint[]) AND t.unit = 'qualifying'
            AND t.occurred_at >= (%(since)s::date)::timestamp AT TIME ZONE %(zone)s::text
            AND t.occurred_at < %(before)s::timestamptz
        GROUP BY 1, 2
    """,
    "spend": """
        SELECT m.id, (p.occurred_at AT TIME ZONE %(zone)s::text)::date AS day, sum(p.net_amount)
        FROM loyalty_membership m JOIN loyalty_programme g ON g.id = m.programme_id
            JOIN purchases_purchase p ON p.customer_id = m.customer_id AND p.currency = g.currency
        WHERE m.id = ANY(%(members)s::bigint[]) AND p.status = 'completed'
            AND p.occurred_at >= (%(since)s::date)::timestamp AT TIME ZONE %(zone)s::text
            AND p.occurred_at < %(before)s::timestamptz AND p.id <> ALL(%(not_yet)s::bigint[])
        GROUP BY 1, 2
    """,
    "visits": """
        SELECT m.id, (p.occurred_at AT TIME ZONE %(zone)s::text)::date AS day, count(*)
        FROM loyalty_membership m JOIN purchases_purchase p ON p.customer_id = m.customer_id
        WHERE m.id = ANY(%(members)s::bigint[]) AND p.kind = 'sale' AND p.status = 'completed'
            AND p.occurred_at >= (%(since)s::date)::timestamp AT TIME ZONE %(zone)s::text
            AND p.occurred_at < %(before)s::timestamptz AND p.id <> ALL(%(not_yet)s::bigint[])
        GROUP BY 1, 2
    """,
}

EARNED = """
SELECT t.membership_id, (t.occurred_at AT TIME ZONE %(zone)s::text)::date AS day, t.amount, t.explanation -> 'steps'
FROM loyalty_ledgertransaction t
WHERE t.membership_id = ANY(%(members)s::bigint[]) AND t.unit = 'points' AND t.kind = 'earn'
    AND t.purchase_id IS NOT NULL AND t.occurred_at >= (%(since)s::date)::timestamp AT TIME ZONE %(zone)s::text
    AND t.occurred_at < %(before)s::timestamptz
"""

PARTS = """
SELECT l.purchase_id, p.code, p.brand, coalesce(c.path, ''), coalesce(p.attributes ->> 'kind', ''),
    l.net_amount, l.quantity
FROM purchases_purchaseline l
    LEFT JOIN catalog_product p ON p.id = l.product_id LEFT JOIN catalog_category c ON c.id = p.category_id
WHERE l.purchase_id = ANY(%s::bigint[]) ORDER BY l.purchase_id, l.line_no
"""


def load_states(
    rulebook: Rulebook,
    membership_ids: Collection[int],
    *,
    first: date,
    not_yet: Collection[int] = (),
    before: datetime | None = None,
) -> dict[int, MemberState]:
    """What is known of members before sales from day `first` on; `not_yet` are purchases that are on file
    but have still to count. With `before`, nothing counts that happened then or later, but for the tier held.

    Who has the highest tier needs nothing counted. One to three queries, whatever the number of members.
    """
    until = before or "infinity"
    ladder = rulebook.terms.tiers
    members = list(membership_ids)
    states = _members(rulebook, members)
    top = len(ladder.ladder)
    climbing = [one for one in states.values() if top and (before or ladder.rank(one.standing.tier) < top)]
    if climbing:
        since = _earliest(ladder, first, climbing)
        values = {
            "members": [one.membership_id for one in climbing],
            "zone": settings.TIME_ZONE,
            "since": since,
            "before": until,
            "not_yet": list(not_yet),
        }
        for membership_id, day, value in _rows(COUNTED[ladder.measure], values):
            states[membership_id].counted.append((day, Decimal(value)))
    if rulebook.looks_back and states:
        caps = [rulebook.terms.cap, *(bonus.cap for bonus in rulebook.bonuses)]
        since = first - timedelta(days=max(cap.period_days if cap.period is not None else 1 for cap in caps))
        values = {"members": members, "zone": settings.TIME_ZONE, "since": since, "before": until}
        for membership_id, day, points, steps in _rows(EARNED, values):
            states[membership_id].earned.append((day, points, _by_bonus(steps)))
    return states


def measure_now(state: MemberState, ladder: TierTerms, day: date) -> Decimal:
    """What counts towards a tier on `day`."""
    return state.measured(window_at(ladder, day, state.joined_on))


def _members(rulebook: Rulebook, members: Sequence[int]) -> dict[int, MemberState]:
    asks_segments = any(bonus.who.segments for bonus in rulebook.bonuses)
    values = {"members": members, "tiers": bool(rulebook.terms.tiers.ladder), "segments": asks_segments}
    return {
        membership_id: MemberState(
            membership_id=membership_id,
            customer_id=customer_id,
            joined_on=joined_on,
            standing=Standing(tier, until, invited),
            tiers=list(zip(since, held, strict=True)) if since else [],
            birth_on=birth_on,
            segments=frozenset(segments or ()),
        )
        for membership_id, customer_id, joined_on, tier, until, invited, birth_on, since, held, segments in _rows(
            MEMBERS, values
        )
    }


def _earliest(ladder: TierTerms, first: date, states: Collection[MemberState]) -> date:
    """The first day that can count for any of the members."""
    if ladder.window == "membership_year":
        return months_later(first, -12) - timedelta(days=1)
    return min((window_at(ladder, first, state.joined_on)[0] for state in states), default=first)


def _by_bonus(steps: object) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    read: Any = json.loads(steps) if isinstance(steps, str) else steps or []
    for step in read:
        found[step["code"]] = found.get(step["code"], Decimal(0)) + Decimal(step["points"])
    return found


def parts_of(rulebook: Rulebook, purchase_ids: Collection[int]) -> dict[int, list[Part]]:
    """The lines of purchases, put together by what the rules make of them. One query."""
    lines: dict[int, list[tuple[ProductFacts, Decimal, Decimal]]] = {}
    for purchase_id, code, brand, path, kind, net, quantity in _rows(PARTS, [list(purchase_ids)]):
        facts = ProductFacts(code or "", brand or "", categories_of(path), kind)
        lines.setdefault(purchase_id, []).append((facts, net, quantity))
    return {purchase_id: rulebook.parts(found) for purchase_id, found in lines.items()}


def tenders_of(purchase_ids: Collection[int]) -> dict[int, list[tuple[str, Decimal]]]:
    """How purchases were paid, where that is known. One query."""
    found: dict[int, list[tuple[str, Decimal]]] = {}
    for purchase_id, kind, amount in _rows(
        "SELECT purchase_id, kind, amount FROM purchases_tender WHERE purchase_id = ANY(%s::bigint[]) ORDER BY id",
        [list(purchase_ids)],
    ):
        found.setdefault(purchase_id, []).append((kind, amount))
    return found


def visits_before(customer_id: int, at: datetime, purchase_id: int) -> int:
    """How many completed sales of a customer came before this one."""
    ((count,),) = _rows(
        "SELECT count(*) FROM purchases_purchase WHERE customer_id = %s::bigint AND kind = 'sale' "
        "AND status = 'completed' AND (occurred_at, id) < (%s::timestamptz, %s::bigint)",
        [customer_id, at, purchase_id],
    )
    return int(count)


def _rows(sql: str, values: Any) -> list[tuple[Any, ...]]:
    return fetch(sql, values)
