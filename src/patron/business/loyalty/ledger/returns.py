"""What stands of awards once purchases are returned or voided, by the rules of the original."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from patron.business.loyalty.ledger.awards import counts_qualifying, posted_before
from patron.business.loyalty.ledger.book import Book, Holding, day_of
from patron.business.loyalty.ledger.movements import KIND, Movement
from patron.business.loyalty.ledger.rulebooks import DIGEST, rulebook_of
from patron.business.loyalty.ledger.states import parts_of
from patron.business.loyalty.models import Bucket, LedgerTransaction, Unit
from patron.business.loyalty.rules import CENT, ZERO, OpenLot, Take
from patron.business.loyalty.rules.earning import (
    RATE,
    Award,
    Conditions,
    Part,
    Rulebook,
    conditions_standing,
    decide_earning,
    points_to_take_back,
    scaled,
)
from patron.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Undone:
    """A return, or the voiding of a sale or return: what it does to the purchase `original_id`.

    `net_amount` is the money by which it changes what stands of the original (a return: negative).
    """

    purchase_id: int
    original_id: int
    occurred_at: datetime
    net_amount: Decimal
    branch_id: int | None


@dataclass(slots=True)
class Standing:
    """What stands of one award: the points kept, the money kept that they answer to, and the lines that stand.

    `parts` is empty where only the whole amount matters to the rules.
    """

    award_id: int
    membership_id: int
    programme_id: int
    purchase_id: int
    rulebook: Rulebook
    earned_at: datetime
    voided: bool
    kept: Decimal
    kept_net: Decimal
    net_amount: Decimal
    conditions: Conditions
    counted: dict[str, Decimal]
    settled: list[tuple[int, int]]
    parts: dict[int, list[Decimal]] = field(default_factory=dict)
    lot_ids: set[int] = field(default_factory=set)

    def worth(self) -> Award:
        """What the purchase would have earned had it been no more than what stands of it."""
        parts = [Part(mark, net, quantity) for mark, (net, quantity) in sorted(self.parts.items()) if net > 0]
        return decide_earning(
            self.rulebook,
            scaled(parts, to=self.kept_net) if self.kept_net > 0 else [],
            conditions_standing(self.conditions, net_amount=self.net_amount, kept_net=self.kept_net),
            net_amount=self.kept_net,
        )

    def move(self, parts: Sequence[Part], sign: int) -> None:
        """Let lines come (`sign` 1; those of a return are negative) or go again (−1)."""
        for part in parts:
            sums = self.parts.setdefault(part.mark, [Decimal(0), Decimal(0)])
            sums[0] += sign * part.net_amount
            sums[1] += sign * part.quantity

    def own_lots(self, holding: Holding) -> set[int]:
        """The lots of the award, also those that became available just now."""
        return self.lot_ids | {lot_id for lot_id, award in holding.opened_by.items() if award == self.award_id}

    def expired(self, holding: Holding) -> Decimal:
        """How much of the award expired unused."""
        return sum((holding.expired_of.get(lot_id, ZERO) for lot_id in self.own_lots(holding)), ZERO)


def take_back(returns: Sequence[Undone], *, actor: Actor, now: datetime) -> list[int]:
    """Take back, return by return in the order given, what their originals no longer deserve.

    Returns the ids of the movements, also those posted before. A return is settled once, also when it takes nothing;
    one whose original earned nothing leaves no trace.
    """
    awards = _awards_of({undone.original_id for undone in returns})
    if not awards:
        return []
    book = Book({membership_id for _, membership_id in awards})
    standings = _standings(book, [award_id for award_id, _ in awards])
    by_purchase: dict[int, list[Standing]] = {}
    for standing in standings:
        by_purchase.setdefault(standing.purchase_id, []).append(standing)
    events = [
        (undone, standing, f"return:{standing.programme_id}:{undone.purchase_id}")
        for undone in returns
        for standing in by_purchase.get(undone.original_id, [])
    ]
    posted = posted_before([key for _, _, key in events])
    new = [(undone, standing, key) for undone, standing, key in events if key not in posted]
    lines = _lines_of(standings, {undone.purchase_id for undone, _, _ in new})
    for undone, standing, key in new:
        change = min(undone.net_amount, ZERO).quantize(CENT)
        standing.move(lines.get((standing.award_id, undone.purchase_id), ()), 1)
        posted[key] = _take(book, standing, undone, key=key, change=change, says={"returned": str(change)})
    book.close(actor=actor, now=now)
    return list(posted.values())


def void_sale(sale: Undone, *, actor: Actor, now: datetime) -> list[int]:
    """Take back all that stands of the awards of a voided sale."""
    book, standings = _open(sale)
    posted = posted_before([f"void:{s.programme_id}:{sale.purchase_id}" for s in standings])
    for standing in standings:
        key = f"void:{standing.programme_id}:{sale.purchase_id}"
        if key not in posted:
            posted[key] = _take(book, standing, sale, key=key, change=-standing.kept_net, says={"voided": True})
    book.close(actor=actor, now=now)
    return list(posted.values())


def void_return(undone: Undone, *, actor: Actor, now: datetime) -> list[int]:
    """Give back what a voided return had taken: into the lots it came from, also pending ones, debts first."""
    book, standings = _open(undone)
    keys = {s.award_id: f"void:{s.programme_id}:{undone.purchase_id}" for s in standings}
    posted = posted_before(list(keys.values()))
    lines = _lines_of(standings, {undone.purchase_id})
    for standing in standings:
        key = keys[standing.award_id]
        taking = LedgerTransaction.objects.filter(
            request_key=f"return:{standing.programme_id}:{undone.purchase_id}"
        ).first()
        if key in posted or taking is None or standing.voided:
            continue
        standing.move(lines.get((standing.award_id, undone.purchase_id), ()), -1)
        posted[key] = _give_back(book, standing, undone, taking, key=key)
    book.close(actor=actor, now=now)
    return list(posted.values())


def _give_back(book: Book, standing: Standing, undone: Undone, taking: LedgerTransaction, *, key: str) -> int:
    let_go = Decimal(str(taking.explanation.get("forgiven", "0")))
    holding = book.holding(standing.membership_id)
    book.expire(holding, on=day_of(undone.occurred_at))
    before = standing.kept + let_go  # what was let go counts as kept again
    standing.kept_net += undone.net_amount.quantize(CENT)
    worth = standing.worth()
    gives = -points_to_take_back(target=worth.points, kept_points=before, expired_points=ZERO)
    movement = book.enter(holding, kind=KIND.REFUND, request_key=key, occurred_at=undone.occurred_at)
    _say_of(movement, standing, undone)
    movement.basis_amount = undone.net_amount
    waiting = _pending_again(taking.pk, max(gives, ZERO), on=day_of(undone.occurred_at))
    book.refill_pending(movement, waiting)
    repaid = book.credit(
        movement,
        max(gives, ZERO) - sum((take.amount for take in waiting), ZERO),
        counterpart=Bucket.ISSUED,
        earned_at=standing.earned_at,
        expires_on=standing.rulebook.terms.expiry.last_day(day_of(standing.earned_at)),
        refill=taken_from(holding, taking.pk),
    )
    movement.explanation = {
        **_explained(standing, kept_before=before, net_before=standing.kept_net - undone.net_amount),
        "voided": True,
        **({"repaid": str(repaid)} if repaid else {}),
        **({"forgiven": str(-let_go)} if let_go else {}),
    }
    book.expire(holding, on=day_of(undone.occurred_at), not_before=undone.occurred_at)
    _recount(book, standing, undone, worth, key=key, kind=KIND.REFUND, origin_id=movement.origin_id)
    return movement.id


def _take(book: Book, standing: Standing, undone: Undone, *, key: str, change: Decimal, says: dict[str, object]) -> int:
    holding = book.holding(standing.membership_id)
    book.expire(holding, on=day_of(undone.occurred_at))
    kept_before, net_before = standing.kept, standing.kept_net
    standing.kept_net += change
    expired = standing.expired(holding)
    worth = standing.worth()
    amount = max(ZERO, points_to_take_back(target=worth.points, kept_points=standing.kept, expired_points=expired))
    if expired:
        says = says | {"expired": str(expired)}
    movement = book.enter(holding, kind=KIND.RETURN, request_key=key, occurred_at=undone.occurred_at)
    _say_of(movement, standing, undone)
    movement.basis_amount = change
    missing = book.take_back(movement, amount, own=standing.own_lots(holding))
    standing.kept -= amount
    if missing:
        says = says | {"owed" if holding.debt_allowed else "forgiven": str(missing)}
    movement.explanation = _explained(standing, kept_before=kept_before, net_before=net_before) | says
    _recount(book, standing, undone, worth, key=key, kind=KIND.RETURN, origin_id=movement.origin_id)
    return movement.id


def _recount(
    book: Book, standing: Standing, undone: Undone, worth: Award, *, key: str, kind: str, origin_id: int | None
) -> None:
    """Let qualifying points and stamps follow: what the member has used of them meanwhile is not taken."""
    holding = book.holding(standing.membership_id)
    for unit, target in ((Unit.QUALIFYING, worth.qualifying), (Unit.STAMPS, worth.stamps)):
        if unit == Unit.QUALIFYING and not counts_qualifying(standing.rulebook):
            continue
        kept = standing.counted.get(unit, ZERO)
        change = target - kept
        if kind == KIND.RETURN:
            change = max(min(change, ZERO), -holding.balances.get(unit, ZERO))
        if not change or (kind == KIND.REFUND and change < 0):
            continue
        movement = book.enter(holding, kind=kind, request_key=f"{key}:{unit}", occurred_at=undone.occurred_at)
        movement.purchase_id, movement.branch_id = undone.purchase_id, undone.branch_id
        movement.origin_id, movement.rule_id = origin_id, standing.rulebook.version
        book.count(movement, change, unit=unit)
        standing.counted[unit] = kept + change
        holding.balances[unit] = holding.balances.get(unit, ZERO) + change


def _say_of(movement: Movement, standing: Standing, undone: Undone) -> None:
    movement.purchase_id, movement.branch_id = undone.purchase_id, undone.branch_id
    movement.origin_id, movement.rule_id = standing.award_id, standing.rulebook.version


def _explained(standing: Standing, *, kept_before: Decimal, net_before: Decimal) -> dict[str, object]:
    """The numbers behind what is taken or given back: money and points that stood before, and that stand now."""
    base = standing.rulebook.base
    return {
        "rule": standing.rulebook.version,
        "unit": "item" if base.per_amount is None else str(base.per_amount.quantize(CENT)),
        "rate": str(base.points.quantize(RATE)),
        "net_before": str(net_before),
        "net": str(standing.kept_net),
        "points_before": str(kept_before),
    }


def _open(undone: Undone) -> tuple[Book, list[Standing]]:
    awards = _awards_of([undone.original_id])
    book = Book({membership_id for _, membership_id in awards})
    return book, _standings(book, [award_id for award_id, _ in awards])


def _awards_of(purchase_ids: Collection[int]) -> list[tuple[int, int]]:
    """Awards of purchases and the members who got them."""
    return list(
        LedgerTransaction.objects.filter(purchase_id__in=purchase_ids, kind=KIND.EARN, unit=Unit.POINTS)
        .order_by("pk")
        .values_list("pk", "membership_id")
    )


_STANDINGS = f"""
SELECT e.id, e.membership_id, m.programme_id, e.purchase_id, r.id, {DIGEST}, e.occurred_at, p.status = 'voided',
    e.amount + coalesce(s.amount, 0) - coalesce(s.forgiven, 0), e.basis_amount + coalesce(s.basis, 0), e.basis_amount,
    e.explanation -> 'conditions', coalesce(s.counted, '{{}}'), coalesce(s.settled, '[]')
FROM loyalty_ledgertransaction e
    JOIN loyalty_membership m ON m.id = e.membership_id
    JOIN loyalty_programmeversion r ON r.id = e.rule_id
    JOIN purchases_purchase p ON p.id = e.purchase_id
    LEFT JOIN LATERAL (
        SELECT sum(amount) FILTER (WHERE unit = 'points') AS amount, sum(basis) AS basis, sum(forgiven) AS forgiven,
            jsonb_object_agg(unit, counted) FILTER (WHERE unit <> 'points') AS counted,
            (jsonb_agg(settled) FILTER (WHERE unit = 'points')) -> 0 AS settled
        FROM (
            SELECT x.unit,
                sum(x.amount) FILTER (WHERE x.kind IN ('return', 'refund')) AS amount,
                sum(x.basis_amount) FILTER (WHERE x.kind IN ('return', 'refund')) AS basis,
                sum((x.explanation ->> 'forgiven')::numeric) AS forgiven,
                sum(x.amount) AS counted,
                jsonb_agg(jsonb_build_array(x.purchase_id, CASE x.kind WHEN 'return' THEN 1 ELSE -1 END))
                    FILTER (WHERE x.kind IN ('return', 'refund')) AS settled
            FROM loyalty_ledgertransaction x WHERE x.origin_id = e.id AND x.kind IN ('earn', 'return', 'refund')
            GROUP BY x.unit
        ) u
    ) s ON true
WHERE e.id = ANY(%s)
ORDER BY e.id
"""

_LOTS = """
SELECT coalesce(t.origin_id, t.id), t.membership_id, l.id, l.expires_on, l.amount, l.remaining,
    coalesce((SELECT -sum(p.amount) FROM loyalty_posting p
        JOIN loyalty_ledgertransaction x ON x.id = p.transaction_id AND x.kind = 'expire'
        WHERE p.lot_id = l.id), 0)
FROM loyalty_lot l
    JOIN loyalty_ledgertransaction t ON t.id = l.opened_by_id
    JOIN loyalty_account a ON a.id = l.account_id AND a.bucket = 'available'
WHERE l.opened_by_id IN (
    SELECT unnest(%s::bigint[])
    UNION ALL SELECT id FROM loyalty_ledgertransaction WHERE origin_id = ANY(%s)
)
"""


def _standings(book: Book, award_ids: Sequence[int]) -> list[Standing]:
    """What stands of the awards, with their lots (also the empty ones) laid into the book."""
    standings = {}
    for row in _rows(_STANDINGS, [list(award_ids)]):
        standings[row[0]] = Standing(
            award_id=row[0],
            membership_id=row[1],
            programme_id=row[2],
            purchase_id=row[3],
            rulebook=rulebook_of(row[4], row[5]),
            earned_at=row[6],
            voided=row[7],
            kept=row[8],
            kept_net=row[9],
            net_amount=row[10],
            conditions=Conditions.read(_json(row[11]) or {}),
            counted={unit: Decimal(str(amount)) for unit, amount in _json(row[12]).items()},
            settled=[(purchase_id, sign) for purchase_id, sign in _json(row[13])],
        )
    for award_id, membership_id, lot_id, expires_on, amount, remaining, expired in _rows(
        _LOTS, [list(award_ids), list(award_ids)]
    ):
        holding = book.holding(membership_id)
        holding.lots[lot_id] = OpenLot(lot_id, expires_on, amount, remaining)
        holding.expired_of[lot_id] = expired
        standings[award_id].lot_ids.add(lot_id)
    found = list(standings.values())
    lines = _lines_of(found, {s.purchase_id for s in found} | {p for s in found for p, _ in s.settled})
    for standing in found:
        standing.move(lines.get((standing.award_id, standing.purchase_id), ()), 1)
        for purchase_id, sign in standing.settled:
            standing.move(lines.get((standing.award_id, purchase_id), ()), sign)
    return found


def _lines_of(standings: Sequence[Standing], purchase_ids: Collection[int]) -> Mapping[tuple[int, int], list[Part]]:
    """The lines of purchases as each award's rules see them, by award and purchase; only where rules look at lines."""
    by_version: dict[int, list[Standing]] = {}
    for standing in standings:
        if standing.rulebook.needs_lines or standing.rulebook.needs_marks:
            by_version.setdefault(standing.rulebook.version, []).append(standing)
    found: dict[tuple[int, int], list[Part]] = {}
    for those in by_version.values():
        parts = parts_of(those[0].rulebook, purchase_ids) if purchase_ids else {}
        found |= {(s.award_id, purchase_id): part for s in those for purchase_id, part in parts.items()}
    return found


def taken_from(holding: Holding, movement_id: int) -> list[Take]:
    """The lots that a movement drew on; those used up since are laid into the holding again."""
    takes = []
    for lot_id, expires_on, amount, remaining, taken in _rows(
        """
        SELECT l.id, l.expires_on, l.amount, l.remaining, -p.amount
        FROM loyalty_posting p JOIN loyalty_lot l ON l.id = p.lot_id
            JOIN loyalty_account a ON a.id = l.account_id AND a.bucket = 'available'
        WHERE p.transaction_id = %s AND p.amount < 0
        ORDER BY p.line_no
        """,
        [movement_id],
    ):
        holding.lots.setdefault(lot_id, OpenLot(lot_id, expires_on, amount, remaining))
        takes.append(Take(lot_id, taken))
    return takes


def _pending_again(taking_id: int, amount: Decimal, *, on: date) -> list[Take]:
    """What of `amount` goes back into the pending lots that a movement took from: what has not become available yet."""
    takes = []
    for lot_id, taken in _rows(
        "SELECT p.lot_id, -p.amount FROM loyalty_posting p JOIN loyalty_lot l ON l.id = p.lot_id "
        "WHERE p.transaction_id = %s AND p.amount < 0 AND l.available_on > %s ORDER BY p.line_no",
        [taking_id, on],
    ):
        part = min(taken, amount)
        if part > 0:
            takes.append(Take(lot_id, part))
            amount -= part
    return takes


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _rows(sql: str, values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
