"""Movements being prepared, and the one statement that writes them whole."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError

from patron.business.loyalty.errors import KeyReused
from patron.business.loyalty.models import LedgerTransaction, Unit
from patron.core.activities.operations import log_activities_from, log_activity
from patron.kernel.actor import Actor
from patron.kernel.prepared import fetch

KIND = LedgerTransaction.Kind

ACTIVITIES_OF: dict[str, dict[str, str]] = {
    Unit.POINTS: {
        KIND.EARN: "points.earned",
        KIND.RETURN: "points.taken_back",
        KIND.SPEND: "points.spent",
        KIND.REFUND: "points.given_back",
        KIND.EXPIRE: "points.expired",
        KIND.ADJUST: "points.adjusted",
        KIND.TRANSFER: "points.transferred",
    },
    Unit.STAMPS: {KIND.EARN: "stamps.earned", KIND.SPEND: "stamps.spent"},
    Unit.STORED_VALUE: {
        KIND.EARN: "stored_value.deposited",
        KIND.RETURN: "stored_value.withdrawn",
        KIND.SPEND: "stored_value.paid",
        KIND.REFUND: "stored_value.refunded",
        KIND.EXPIRE: "stored_value.expired",
    },
}
"""What the customer's timeline is told of, by unit. A movement of nothing is not news; one may name its own kind."""


@dataclass(frozen=True, slots=True)
class NewLot:
    id: int
    earned_at: datetime
    expires_on: date | None
    amount: Decimal
    available_on: date | None = None


@dataclass(slots=True)
class Movement:
    """A ledger transaction to be written: what it gives the member, and its sides (account, lot, amount)."""

    id: int
    membership_id: int
    customer_id: int
    kind: str
    request_key: str
    occurred_at: datetime
    amount: Decimal = Decimal("0.00")
    basis_amount: Decimal | None = None
    purchase_id: int | None = None
    branch_id: int | None = None
    origin_id: int | None = None
    rule_id: int | None = None
    explanation: Mapping[str, object] = field(default_factory=dict)
    activity: str = ""
    unit: str = Unit.POINTS
    sides: list[tuple[int, int | None, Decimal]] = field(default_factory=list)
    lots: list[tuple[int, NewLot]] = field(default_factory=list)


WRITE = """
WITH written AS (
    INSERT INTO loyalty_ledgertransaction (id, membership_id, unit, kind, request_key, amount, basis_amount,
        occurred_at, purchase_id, origin_id, rule_id, explanation, actor)
    SELECT id, membership, unit, kind, key, amount, basis, at, purchase, origin, rule, why::jsonb, %s::text
    FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::numeric[], %s::numeric[], %s::timestamptz[],
        %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[])
        AS m (id, membership, kind, key, amount, basis, at, purchase, origin, rule, why, unit)
), opened AS (
    INSERT INTO loyalty_lot (id, account_id, opened_by_id, earned_at, expires_on, available_on, amount, remaining)
    SELECT id, account, opened_by, at, until, available, amount, amount
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::date[], %s::date[], %s::numeric[])
        AS l (id, account, opened_by, at, until, available, amount)
)
INSERT INTO loyalty_posting (transaction_id, line_no, account_id, lot_id, amount)
SELECT * FROM unnest(%s::bigint[], %s::int[], %s::bigint[], %s::bigint[], %s::numeric[])
"""
"""The database refuses a movement that is not whole, so all three kinds of row go in with one statement."""

TELL = """
SELECT customer AS customer_id, kind, at AS occurred_at, '' AS channel, branch AS branch_id,
    'loyalty.ledgertransaction:' || id AS source,
    jsonb_build_object(CASE WHEN unit = 'stored_value' THEN 'amount' ELSE unit END, trim_scale(points)) ||
        CASE WHEN purchase IS NULL THEN '{}'::jsonb ELSE jsonb_build_object('purchase', purchase) END AS facts
FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::bigint[], %s::bigint[], %s::numeric[], %s::bigint[],
        %s::text[])
    AS m (customer, kind, at, branch, id, points, purchase, unit)
"""


def write_movements(movements: Sequence[Movement], *, actor: Actor, now: datetime) -> None:
    """Write the movements with lots and postings in one statement, and tell the activity log of them in another.

    The caller holds the lock on the accounts. Raises KeyReused where a request key is taken (by a transaction of
    another member that committed meanwhile): the caller's transaction must then be rolled back.
    """
    if not movements:
        return
    lots = [(m.id, account_id, lot) for m in movements for account_id, lot in m.lots]
    sides = [(m.id, number, *side) for m in movements for number, side in enumerate(m.sides, start=1)]
    parameters: list[Any] = [
        actor.reference,
        [m.id for m in movements],
        [m.membership_id for m in movements],
        [str(m.kind) for m in movements],
        [m.request_key for m in movements],
        [m.amount for m in movements],
        [m.basis_amount for m in movements],
        [m.occurred_at for m in movements],
        [m.purchase_id for m in movements],
        [m.origin_id for m in movements],
        [m.rule_id for m in movements],
        [json.dumps(dict(m.explanation), cls=DjangoJSONEncoder) for m in movements],
        [str(m.unit) for m in movements],
        [lot.id for _, _, lot in lots],
        [account_id for _, account_id, _ in lots],
        [movement_id for movement_id, _, _ in lots],
        [lot.earned_at for _, _, lot in lots],
        [lot.expires_on for _, _, lot in lots],
        [lot.available_on for _, _, lot in lots],
        [lot.amount for _, _, lot in lots],
        *([list(column) for column in zip(*sides, strict=True)] or [[], [], [], [], []]),
    ]
    try:
        fetch(WRITE, parameters)
    except IntegrityError as error:
        if "ledger_request_once" in str(error):
            raise KeyReused from error
        raise
    _tell(movements, actor=actor, now=now)


def _tell(movements: Sequence[Movement], *, actor: Actor, now: datetime) -> None:
    told = [
        (m, kind) for m in movements if m.amount and (kind := m.activity or ACTIVITIES_OF.get(m.unit, {}).get(m.kind))
    ]
    if not told:
        return
    if len(told) == 1:
        ((m, kind),) = told
        unit = "amount" if m.unit == Unit.STORED_VALUE else str(m.unit)
        log_activity(
            actor=actor,
            now=now,
            customer_id=m.customer_id,
            kind=kind,
            occurred_at=m.occurred_at,
            branch_id=m.branch_id,
            source=f"loyalty.ledgertransaction:{m.id}",
            facts={unit: plain(m.amount)} | ({} if m.purchase_id is None else {"purchase": m.purchase_id}),
        )
        return
    log_activities_from(
        TELL,
        [
            [m.customer_id for m, _ in told],
            [kind for _, kind in told],
            [m.occurred_at for m, _ in told],
            [m.branch_id for m, _ in told],
            [m.id for m, _ in told],
            [m.amount for m, _ in told],
            [m.purchase_id for m, _ in told],
            [str(m.unit) for m, _ in told],
        ],
        actor=actor,
        now=now,
    )


def plain(amount: Decimal) -> int | float:
    """A number of a fact, as `trim_scale` in JSON gives it."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)
