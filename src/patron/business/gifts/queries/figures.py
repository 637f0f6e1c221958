"""How gifts go, for reports; and whether shelves and orders agree."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection

from patron.kernel.actor import Actor
from patron.kernel.errors import PermissionRefused

_FIGURES = """
SELECT g.code, g.name,
    count(*) FILTER (WHERE o.state <> 'cancelled'),
    coalesce(sum(o.quantity) FILTER (WHERE o.state <> 'cancelled'), 0),
    coalesce(sum(o.points) FILTER (WHERE o.state <> 'cancelled'), 0),
    coalesce(sum(o.money - coalesce(o.money_refunded, 0)), 0),
    count(DISTINCT o.membership_id) FILTER (WHERE o.state <> 'cancelled'),
    count(*) FILTER (WHERE o.state IN ('reserved', 'ready', 'shipped')),
    count(*) FILTER (WHERE o.state IN ('handed_over', 'delivered')),
    count(*) FILTER (WHERE o.state = 'cancelled')
FROM gifts_giftorder o JOIN gifts_gift g ON g.id = o.gift_id
WHERE o.ordered_at >= %(since)s AND o.ordered_at < %(until)s
    AND (%(everywhere)s OR o.branch_id = ANY(%(branches)s))
GROUP BY g.id
ORDER BY 5 DESC, g.code
"""

_FAULTS = """
SELECT s.id, s.on_hand, s.reserved, coalesce(m.on_hand, 0), coalesce(o.reserved, 0)
FROM gifts_giftstock s
LEFT JOIN (
    SELECT stock_id, sum(CASE kind WHEN 'handed_out' THEN -quantity WHEN 'reserved' THEN 0 WHEN 'released' THEN 0
        ELSE quantity END) AS on_hand
    FROM gifts_stockmovement GROUP BY stock_id
) m ON m.stock_id = s.id
LEFT JOIN (
    SELECT gift_id, branch_id, sum(quantity) AS reserved
    FROM gifts_giftorder WHERE state IN ('reserved', 'ready') GROUP BY gift_id, branch_id
) o ON (o.gift_id, o.branch_id) = (s.gift_id, s.branch_id)
WHERE s.on_hand <> coalesce(m.on_hand, 0) OR s.reserved <> coalesce(o.reserved, 0)
ORDER BY s.id
"""


@dataclass(frozen=True, slots=True)
class GiftFigures:
    """Orders of one gift made in a period, as they stand now. Cancelled ones count only where that is said.

    `money` is what was paid less what was paid back.
    """

    code: str
    name: str
    orders: int
    pieces: int
    points: Decimal
    money: Decimal
    members: int
    waiting: int
    fulfilled: int
    cancelled: int


def redemption_figures(
    actor: Actor, *, since: datetime, until: datetime, branch_id: int | None = None
) -> list[GiftFigures]:
    """Redemptions of orders made from `since` until before `until`, by gift, most points first. One query.

    In one branch, or in all that the actor may see. Raises PermissionRefused without `gifts.view`.
    """
    if not actor.can("gifts.view"):
        raise PermissionRefused(details={"permission": "gifts.view"})
    seen = None if actor.branch_ids is None else set(actor.branch_ids)
    if branch_id is not None:
        seen = {branch_id} if seen is None else seen & {branch_id}
    with connection.cursor() as cursor:
        cursor.execute(
            _FIGURES,
            {"since": since, "until": until, "everywhere": seen is None, "branches": sorted(seen or ())},
        )
        return [GiftFigures(*row) for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class StockFault:
    """A shelf that does not hold what its movements and the open orders say."""

    stock_id: int
    on_hand: int
    reserved: int
    moved: int
    ordered: int


def check_stock() -> list[StockFault]:
    """Shelves against movements and open orders: nothing where all is well."""
    with connection.cursor() as cursor:
        cursor.execute(_FAULTS)
        return [StockFault(*row) for row in cursor.fetchall()]
