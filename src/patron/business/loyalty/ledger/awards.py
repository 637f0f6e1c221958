"""Awards for purchases, and what stands of them once purchases are returned or voided."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db import connection

from patron.business.loyalty.ledger.book import Book, Holding, day_of
from patron.business.loyalty.ledger.movements import KIND
from patron.business.loyalty.models import Bucket, LedgerTransaction, Unit
from patron.business.loyalty.rules import (
    CENT,
    ZERO,
    EarningTerms,
    OpenLot,
    Take,
    decide_earning,
    expiry_date,
    points_to_take_back,
)
from patron.business.purchases.models import Purchase
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
    """What stands of one award: the points kept, and the money kept that they answer to."""

    award_id: int
    membership_id: int
    programme_id: int
    purchase_id: int
    terms: EarningTerms
    earned_at: datetime
    voided: bool
    kept: Decimal
    kept_net: Decimal
    lot_ids: set[int] = field(default_factory=set)

    def expired(self, holding: Holding) -> Decimal:
        """How much of the award expired unused."""
        return sum((holding.expired_of.get(lot_id, ZERO) for lot_id in self.lot_ids), ZERO)


def earn(purchase: Purchase, *, actor: Actor, now: datetime) -> list[int]:
    """Post what a completed sale earns, in every programme whose active member its customer is.

    Returns the ids of the awards, also those posted before: a purchase earns once. Nothing for anonymous purchases,
    other currencies, members who had not joined by that day, and purchases worth no point.
    """
    sale = purchase.kind == Purchase.Kind.SALE and purchase.status == Purchase.Status.COMPLETED
    if not sale or purchase.customer_id is None:
        return []
    awards = [
        (membership_id, f"earn:{programme_id}:{purchase.pk}", decide_earning(terms, purchase.net_amount))
        for membership_id, programme_id, terms in _entitlements(purchase)
    ]
    awards = [award for award in awards if award[2].points > 0]
    if not awards:
        return []
    book = Book([membership_id for membership_id, _, _ in awards])
    posted = _posted([key for _, key, _ in awards])
    for membership_id, key, award in awards:
        if key in posted:
            continue
        movement = book.enter(
            book.holding(membership_id), kind=KIND.EARN, request_key=key, occurred_at=purchase.occurred_at
        )
        movement.purchase_id, movement.branch_id = purchase.pk, purchase.branch_id
        movement.rule_id, movement.basis_amount = award.terms.rule_id, purchase.net_amount
        repaid = book.credit(
            movement,
            award.points,
            counterpart=Bucket.ISSUED,
            earned_at=purchase.occurred_at,
            expires_on=expiry_date(day_of(purchase.occurred_at), award.terms.expiry_months),
        )
        movement.explanation = award.explanation | ({"repaid": str(repaid)} if repaid else {})
        posted[key] = movement.id
    book.close(actor=actor, now=now)
    return list(posted.values())


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
    posted = _posted([key for _, _, key in events])
    for undone, standing, key in events:
        if key not in posted:
            change = min(undone.net_amount, ZERO).quantize(CENT)
            posted[key] = _take(book, standing, undone, key=key, change=change, says={"returned": str(change)})
    book.close(actor=actor, now=now)
    return list(posted.values())


def void_sale(sale: Undone, *, actor: Actor, now: datetime) -> list[int]:
    """Take back all that stands of the awards of a voided sale."""
    book, standings = _open(sale)
    posted = _posted([f"void:{s.programme_id}:{sale.purchase_id}" for s in standings])
    for standing in standings:
        key = f"void:{standing.programme_id}:{sale.purchase_id}"
        if key not in posted:
            posted[key] = _take(book, standing, sale, key=key, change=-standing.kept_net, says={"voided": True})
    book.close(actor=actor, now=now)
    return list(posted.values())


def void_return(undone: Undone, *, actor: Actor, now: datetime) -> list[int]:
    """Give back what a voided return had taken: into the lots it came from, debts first."""
    book, standings = _open(undone)
    keys = {s.award_id: f"void:{s.programme_id}:{undone.purchase_id}" for s in standings}
    posted = _posted(list(keys.values()))
    for standing in standings:
        key = keys[standing.award_id]
        taking = LedgerTransaction.objects.filter(
            request_key=f"return:{standing.programme_id}:{undone.purchase_id}"
        ).first()
        if key in posted or taking is None or standing.voided:
            continue
        let_go = Decimal(str(taking.explanation.get("forgiven", "0")))
        holding = book.holding(standing.membership_id)
        book.expire(holding, on=day_of(undone.occurred_at))
        before = standing.kept + let_go  # what was let go counts as kept again
        standing.kept_net += undone.net_amount.quantize(CENT)
        gives = -points_to_take_back(
            standing.terms, kept_points=before, kept_net=standing.kept_net, expired_points=ZERO
        )
        movement = book.enter(holding, kind=KIND.REFUND, request_key=key, occurred_at=undone.occurred_at)
        movement.purchase_id, movement.branch_id = undone.purchase_id, undone.branch_id
        movement.origin_id, movement.basis_amount = standing.award_id, undone.net_amount
        movement.rule_id = standing.terms.rule_id
        repaid = book.credit(
            movement,
            max(gives, ZERO),
            counterpart=Bucket.ISSUED,
            earned_at=standing.earned_at,
            expires_on=expiry_date(day_of(standing.earned_at), standing.terms.expiry_months),
            refill=_taken_from(holding, taking.pk),
        )
        movement.explanation = {
            **_explained(standing, kept_before=before, net_before=standing.kept_net - undone.net_amount),
            "voided": True,
            **({"repaid": str(repaid)} if repaid else {}),
            **({"forgiven": str(-let_go)} if let_go else {}),
        }
        book.expire(holding, on=day_of(undone.occurred_at), not_before=undone.occurred_at)
        posted[key] = movement.id
    book.close(actor=actor, now=now)
    return list(posted.values())


def _take(book: Book, standing: Standing, undone: Undone, *, key: str, change: Decimal, says: dict[str, object]) -> int:
    holding = book.holding(standing.membership_id)
    book.expire(holding, on=day_of(undone.occurred_at))
    kept_before, net_before = standing.kept, standing.kept_net
    standing.kept_net += change
    expired = standing.expired(holding)
    amount = max(
        ZERO,
        points_to_take_back(
            standing.terms, kept_points=standing.kept, kept_net=standing.kept_net, expired_points=expired
        ),
    )
    if expired:
        says = says | {"expired": str(expired)}
    movement = book.enter(holding, kind=KIND.RETURN, request_key=key, occurred_at=undone.occurred_at)
    movement.purchase_id, movement.branch_id = undone.purchase_id, undone.branch_id
    movement.origin_id, movement.basis_amount = standing.award_id, change
    movement.rule_id = standing.terms.rule_id
    missing = book.take_back(movement, amount, own=standing.lot_ids)
    standing.kept -= amount
    if missing:
        says = says | {"owed" if holding.debt_allowed else "forgiven": str(missing)}
    movement.explanation = _explained(standing, kept_before=kept_before, net_before=net_before) | says
    return movement.id


def _explained(standing: Standing, *, kept_before: Decimal, net_before: Decimal) -> dict[str, object]:
    """The numbers behind what is taken or given back: money and points that stood before, and that stand now."""
    return {
        "rule": standing.terms.rule_id,
        "unit": str(standing.terms.unit_amount.quantize(CENT)),
        "rate": str(standing.terms.points_per_unit),
        "net_before": str(net_before),
        "net": str(standing.kept_net),
        "points_before": str(kept_before),
    }


def _open(undone: Undone) -> tuple[Book, list[Standing]]:
    awards = _awards_of([undone.original_id])
    book = Book({membership_id for _, membership_id in awards})
    return book, _standings(book, [award_id for award_id, _ in awards])


def _posted(keys: Sequence[str]) -> dict[str, int]:
    """Which of the request keys are in the ledger, and under which id. Read after the lock is held."""
    return dict(LedgerTransaction.objects.filter(request_key__in=keys).values_list("request_key", "pk"))


def _entitlements(purchase: Purchase) -> list[tuple[int, int, EarningTerms]]:
    """Membership, programme and the terms in force for a purchase, for every programme that it counts in."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT m.id, m.programme_id, r.id, r.points_per_unit, r.unit_amount, r.expiry_months
            FROM loyalty_membership m
                JOIN loyalty_programme g ON g.id = m.programme_id AND g.is_active AND g.currency = %s
                JOIN LATERAL (
                    SELECT * FROM loyalty_earningrule r
                    WHERE r.programme_id = g.id AND r.valid_from <= %s
                    ORDER BY r.valid_from DESC, r.version DESC LIMIT 1
                ) r ON true
            WHERE m.customer_id = %s AND m.status = 'active' AND m.joined_on <= %s
            ORDER BY m.id
            """,
            [purchase.currency, purchase.occurred_at, purchase.customer_id, day_of(purchase.occurred_at)],
        )
        return [
            (membership_id, programme_id, EarningTerms(*terms))
            for membership_id, programme_id, *terms in cursor.fetchall()
        ]


def _awards_of(purchase_ids: Collection[int]) -> list[tuple[int, int]]:
    """Awards of purchases and the members who got them."""
    return list(
        LedgerTransaction.objects.filter(purchase_id__in=purchase_ids, kind=KIND.EARN, unit=Unit.POINTS)
        .order_by("pk")
        .values_list("pk", "membership_id")
    )


def _standings(book: Book, award_ids: Sequence[int]) -> list[Standing]:
    """What stands of the awards, with their lots (also the empty ones) laid into the book."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT e.id, e.membership_id, m.programme_id, e.purchase_id, r.id, r.points_per_unit, r.unit_amount,
                r.expiry_months, e.occurred_at, p.status = 'voided',
                e.amount + coalesce(s.amount, 0) - coalesce(s.forgiven, 0), e.basis_amount + coalesce(s.basis, 0)
            FROM loyalty_ledgertransaction e
                JOIN loyalty_membership m ON m.id = e.membership_id
                JOIN loyalty_earningrule r ON r.id = e.rule_id
                JOIN purchases_purchase p ON p.id = e.purchase_id
                LEFT JOIN LATERAL (
                    SELECT sum(x.amount) AS amount, sum(x.basis_amount) AS basis,
                        sum((x.explanation ->> 'forgiven')::numeric) AS forgiven
                    FROM loyalty_ledgertransaction x
                    WHERE x.origin_id = e.id AND x.kind IN ('return', 'refund')
                ) s ON true
            WHERE e.id = ANY(%s)
            ORDER BY e.id
            """,
            [list(award_ids)],
        )
        standings = {
            row[0]: Standing(
                award_id=row[0],
                membership_id=row[1],
                programme_id=row[2],
                purchase_id=row[3],
                terms=EarningTerms(*row[4:8]),
                earned_at=row[8],
                voided=row[9],
                kept=row[10],
                kept_net=row[11],
            )
            for row in cursor.fetchall()
        }
        cursor.execute(
            """
            SELECT coalesce(t.origin_id, t.id), t.membership_id, l.id, l.expires_on, l.amount, l.remaining,
                coalesce((SELECT -sum(p.amount) FROM loyalty_posting p
                    JOIN loyalty_ledgertransaction x ON x.id = p.transaction_id AND x.kind = 'expire'
                    WHERE p.lot_id = l.id), 0)
            FROM loyalty_lot l JOIN loyalty_ledgertransaction t ON t.id = l.opened_by_id
            WHERE l.opened_by_id IN (
                SELECT unnest(%s::bigint[])
                UNION ALL SELECT id FROM loyalty_ledgertransaction WHERE origin_id = ANY(%s)
            )
            """,
            [list(award_ids), list(award_ids)],
        )
        for award_id, membership_id, lot_id, expires_on, amount, remaining, expired in cursor.fetchall():
            holding = book.holding(membership_id)
            holding.lots[lot_id] = OpenLot(lot_id, expires_on, amount, remaining)
            holding.expired_of[lot_id] = expired
            standings[award_id].lot_ids.add(lot_id)
    return list(standings.values())


def _taken_from(holding: Holding, movement_id: int) -> list[Take]:
    """The lots that a movement drew on; those used up since are laid into the holding again."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT l.id, l.expires_on, l.amount, l.remaining, -p.amount
            FROM loyalty_posting p JOIN loyalty_lot l ON l.id = p.lot_id
            WHERE p.transaction_id = %s AND p.amount < 0
            ORDER BY p.line_no
            """,
            [movement_id],
        )
        takes = []
        for lot_id, expires_on, amount, remaining, taken in cursor.fetchall():
            holding.lots.setdefault(lot_id, OpenLot(lot_id, expires_on, amount, remaining))
            takes.append(Take(lot_id, taken))
        return takes
