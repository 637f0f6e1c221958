"""What points are redeemed for, by whom, and how long after they were earned. What was given back does not count."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from patron.business.loyalty.models import Programme
from patron.business.loyalty.queries.expiring import require_reports
from patron.kernel.actor import Actor

# A cancelled redemption is told by its own movement, with the key of the spend it answers to.
_PURPOSES = """
WITH redeemed AS (
    SELECT t.kind, t.amount, t.membership_id, coalesce(o.request_key, t.request_key) AS key,
        coalesce(t.purchase_id, o.purchase_id) IS NOT NULL OR t.explanation ->> 'reserved' IS NOT NULL
            OR o.explanation ->> 'reserved' IS NOT NULL AS at_till
    FROM loyalty_ledgertransaction t
        JOIN loyalty_membership m ON m.id = t.membership_id AND m.programme_id = %(programme)s
        LEFT JOIN loyalty_ledgertransaction o ON o.id = t.origin_id
    WHERE t.unit = 'points' AND t.occurred_at >= %(since)s AND t.occurred_at < %(until)s
        AND (t.kind = 'spend' OR t.kind = 'refund' AND t.explanation ->> 'spend' IS NOT NULL)
)
SELECT CASE WHEN key LIKE 'request:gift:%%' THEN 'gift' WHEN key LIKE 'request:voucher:%%' THEN 'voucher'
        WHEN at_till THEN 'till' ELSE 'other' END AS purpose,
    -sum(amount), count(*) FILTER (WHERE kind = 'spend'),
    count(DISTINCT membership_id)
FROM redeemed GROUP BY 1 ORDER BY 2 DESC, 1
"""

_GROUPS = """
SELECT {group},
    -coalesce(sum(p.amount) FILTER (WHERE a.bucket = 'issued'), 0),
    coalesce(sum(p.amount) FILTER (WHERE a.bucket = 'redeemed'), 0),
    count(DISTINCT t.membership_id),
    count(DISTINCT t.membership_id) FILTER (WHERE a.bucket = 'redeemed')
FROM loyalty_ledgertransaction t
    JOIN loyalty_membership m ON m.id = t.membership_id AND m.programme_id = %(programme)s
    JOIN loyalty_posting p ON p.transaction_id = t.id
    JOIN loyalty_account a ON a.id = p.account_id AND a.bucket IN ('issued', 'redeemed')
    {join}
WHERE t.unit = 'points' AND t.occurred_at >= %(since)s AND t.occurred_at < %(until)s
GROUP BY 1 ORDER BY 1
"""

_VALUE_CLASS = "LEFT JOIN customers_insight i ON i.customer_id = m.customer_id AND i.model = 'value'"

_WAITS = """
SELECT width_bucket(extract(epoch FROM t.occurred_at - l.earned_at) / 86400, %(edges)s::numeric[]),
    -sum(p.amount), -sum(p.amount * extract(epoch FROM t.occurred_at - l.earned_at)) / 86400
FROM loyalty_ledgertransaction t
    JOIN loyalty_membership m ON m.id = t.membership_id AND m.programme_id = %(programme)s
    JOIN loyalty_posting p ON p.transaction_id = t.id
    JOIN loyalty_lot l ON l.id = p.lot_id
WHERE t.unit = 'points' AND t.kind IN ('spend', 'reserve')
    AND t.occurred_at >= %(since)s AND t.occurred_at < %(until)s
GROUP BY 1 ORDER BY 1
"""

WAIT_EDGES = (30, 90, 180, 365)
"""Days after which a redemption counts as later."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What points were redeemed for: `gift`, `voucher`, `till` (taken off a purchase), `other`.

    `points` are net of what was given back in the period; `times` counts redemptions, also those cancelled later.
    """

    code: str
    points: Decimal
    times: int
    members: int


@dataclass(frozen=True, slots=True)
class RedeemingGroup:
    """Members of one tier or class in a period: points they were given (net of returns) and redeemed, and how many."""

    code: str
    issued: Decimal
    redeemed: Decimal
    members: int
    redeemers: int

    @property
    def rate(self) -> Decimal | None:
        """Points redeemed for each point given in the period; None where none was given."""
        return self.redeemed / self.issued if self.issued > 0 else None


@dataclass(frozen=True, slots=True)
class Wait:
    """Points redeemed from `low` to less than `high` days after they were earned (`high` None: or later)."""

    low: int
    high: int | None
    points: Decimal


@dataclass(frozen=True, slots=True)
class Redeeming:
    """A period's redemptions. `mean_days` is the average time from earning to redeeming, by point."""

    purposes: Sequence[Purpose]
    by_tier: Sequence[RedeemingGroup]
    by_value_class: Sequence[RedeemingGroup]
    waits: Sequence[Wait]
    mean_days: Decimal | None

    @property
    def points(self) -> Decimal:
        return sum((purpose.points for purpose in self.purposes), Decimal(0))

    @property
    def issued(self) -> Decimal:
        return sum((group.issued for group in self.by_tier), Decimal(0))

    @property
    def rate(self) -> Decimal | None:
        return self.points / self.issued if self.issued > 0 else None


def redeeming(programme: Programme, actor: Actor, *, since: datetime, until: datetime) -> Redeeming:
    """Redemptions from `since` to before `until`, members by the tier and class they have today. Four queries.

    Raises PermissionRefused without `loyalty.reports`.
    """
    require_reports(actor)
    values: dict[str, Any] = {"programme": programme.pk, "since": since, "until": until, "edges": [0, *WAIT_EDGES]}
    purposes = [Purpose(*row) for row in _rows(_PURPOSES, values)]
    waits = _rows(_WAITS, values)
    days, points = sum((row[2] for row in waits), Decimal(0)), sum((row[1] for row in waits), Decimal(0))
    edges = (0, *WAIT_EDGES)
    return Redeeming(
        purposes=purposes,
        by_tier=[RedeemingGroup(*row) for row in _rows(_GROUPS.format(group="m.tier", join=""), values)],
        by_value_class=[
            RedeemingGroup(*row)
            for row in _rows(_GROUPS.format(group="coalesce(i.label, '')", join=_VALUE_CLASS), values)
        ],
        waits=[
            Wait(edges[max(place, 1) - 1], edges[place] if 0 < place < len(edges) else None, amount)
            for place, amount, _days in waits
        ],
        mean_days=(days / points).quantize(Decimal("0.1")) if points > 0 else None,
    )


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
