"""Awards for purchases, one by one; many at once go through `bulk` by the same decisions."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from patron.business.loyalty.baskets import ProductFacts, categories_of
from patron.business.loyalty.ledger.book import Book, day_of
from patron.business.loyalty.ledger.movements import KIND
from patron.business.loyalty.ledger.rulebooks import DIGEST, rulebook_of
from patron.business.loyalty.ledger.states import load_states, parts_of, tenders_of, visits_before
from patron.business.loyalty.ledger.tiering import write_rises
from patron.business.loyalty.models import Bucket, LedgerTransaction, Unit
from patron.business.loyalty.rules.earning import Award, Part, Rulebook
from patron.business.loyalty.rules.sales import Rise, Sale, advance, decide_sale
from patron.business.purchases.models import Purchase
from patron.business.purchases.receipts import RecordedLine
from patron.kernel.actor import Actor
from patron.kernel.clock import house_zone, today
from patron.kernel.prepared import fetch

ENTITLED = f"""
SELECT m.id, m.programme_id, r.id, r.digest
FROM loyalty_membership m
    JOIN loyalty_programme g ON g.id = m.programme_id AND g.is_active AND g.currency = %s::text
    JOIN LATERAL (
        SELECT r.id, {DIGEST} AS digest FROM loyalty_programmeversion r
        WHERE r.programme_id = g.id AND r.valid_from <= %s::timestamptz
        ORDER BY r.valid_from DESC, r.version DESC LIMIT 1
    ) r ON true
WHERE m.customer_id = %s::bigint AND m.status = 'active' AND m.joined_on <= %s::date
ORDER BY m.id
"""


def earn(purchase: Purchase, *, actor: Actor, now: datetime) -> list[int]:
    """Post what a completed sale earns, in every programme whose active member its customer is.

    Returns the ids of the awards, also those posted before: a purchase earns once. Nothing for anonymous purchases,
    other currencies, members who had not joined by that day, and purchases worth no point.
    """
    sale = purchase.kind == Purchase.Kind.SALE and purchase.status == Purchase.Status.COMPLETED
    if not sale or purchase.customer_id is None or purchase.net_amount <= 0:
        return []
    entitlements = entitlements_of(purchase.customer_id, purchase.currency, purchase.occurred_at)
    if not entitlements:
        return []
    rolls = any(rulebook.terms.expiry.rolls for _, _, rulebook in entitlements)
    book = Book([membership_id for membership_id, _, _ in entitlements], with_lots=rolls)
    keys = [f"earn:{programme_id}:{purchase.pk}" for _, programme_id, _ in entitlements]
    posted = posted_before(keys) if purchase.recorded_lines is None else {}  # written just now: never posted before
    rises: list[tuple[Rulebook, int, Rise]] = []
    for membership_id, programme_id, rulebook in entitlements:
        key = f"earn:{programme_id}:{purchase.pk}"
        if key in posted:
            continue
        happened = sale_of(purchase, rulebook)
        state = load_states(rulebook, [membership_id], first=happened.day, not_yet=[purchase.pk])[membership_id]
        award = decide_sale(rulebook, state, happened)
        movement_id = post_award(book, membership_id, programme_id, purchase, rulebook, award, now=now)
        if movement_id is not None:
            posted[key] = movement_id
        if (rise := advance(rulebook, state, happened, award)) is not None:
            rises.append((rulebook, membership_id, rise))
    book.close(actor=actor, now=now)
    for rulebook, membership_id, rise in rises:
        write_rises(rulebook, [(membership_id, rise)], actor=actor, now=now)
    return list(posted.values())


def post_award(
    book: Book,
    membership_id: int,
    programme_id: int,
    purchase: Purchase,
    rulebook: Rulebook,
    award: Award,
    *,
    now: datetime,
) -> int | None:
    """Enter an award into the book; return the id of its movement of points, None where it is worth nothing."""
    qualifying = award.qualifying if counts_qualifying(rulebook) else Decimal(0)
    if not (award.points or qualifying or award.stamps):
        return None
    holding = book.holding(membership_id)
    terms, day = rulebook.terms, day_of(purchase.occurred_at)
    movement = book.enter(
        holding,
        kind=KIND.EARN,
        request_key=f"earn:{programme_id}:{purchase.pk}",
        occurred_at=purchase.occurred_at,
    )
    movement.purchase_id, movement.branch_id = purchase.pk, purchase.branch_id
    movement.rule_id, movement.basis_amount = rulebook.version, purchase.net_amount
    movement.explanation = award.explanation
    expires_on, available_on = terms.expiry.last_day(day), day + timedelta(days=terms.pending_days)
    if terms.expiry.rolls:
        book.roll(holding, day=day, until=expires_on)
    if terms.pending_days and available_on > today(now):
        book.credit_pending(
            movement,
            award.points,
            earned_at=purchase.occurred_at,
            expires_on=expires_on,
            available_on=available_on,
        )
        movement.explanation = award.explanation | {"available_on": available_on}
    else:
        repaid = book.credit(
            movement,
            award.points,
            counterpart=Bucket.ISSUED,
            earned_at=purchase.occurred_at,
            expires_on=expires_on,
        )
        if repaid:
            movement.explanation = award.explanation | {"repaid": str(repaid)}
    for unit, word, amount in ((Unit.QUALIFYING, "qualify", qualifying), (Unit.STAMPS, "stamps", award.stamps)):
        if amount:
            counted = book.enter(
                holding,
                kind=KIND.EARN,
                request_key=f"{word}:{programme_id}:{purchase.pk}",
                occurred_at=purchase.occurred_at,
            )
            counted.purchase_id, counted.branch_id = purchase.pk, purchase.branch_id
            counted.origin_id, counted.rule_id = movement.id, rulebook.version
            book.count(counted, amount, unit=unit)
    return movement.id


def counts_qualifying(rulebook: Rulebook) -> bool:
    """Whether qualifying points are kept: only a ladder that asks for them needs them."""
    return bool(rulebook.terms.tiers.ladder) and rulebook.terms.tiers.measure == "qualifying"


def sale_of(purchase: Purchase, rulebook: Rulebook) -> Sale:
    """A sale on file as the rules see it. Up to four queries, only for what the rules ask."""
    asks_visits = any(bonus.first_purchase or bonus.every_nth_visit for bonus in rulebook.bonuses)
    parts: Sequence[Part] | None = None
    if rulebook.needs_lines or rulebook.needs_marks:
        if purchase.recorded_lines is not None:
            parts = rulebook.parts((_facts(line), line.net_amount, line.quantity) for line in purchase.recorded_lines)
        else:
            parts = parts_of(rulebook, [purchase.pk]).get(purchase.pk)
    tenders = purchase.recorded_tenders
    if tenders is None:
        tenders = tenders_of([purchase.pk]).get(purchase.pk, ())
    return Sale(
        purchase_id=purchase.pk,
        at=purchase.occurred_at,
        day=day_of(purchase.occurred_at),
        local=purchase.occurred_at.astimezone(house_zone()),
        parts=parts or [Part(0, purchase.net_amount)],
        net_amount=purchase.net_amount,
        branch=purchase.branch.code if purchase.branch is not None else "",
        channel=purchase.channel,
        tenders=tenders,
        visits=visits_before(purchase.customer_id or 0, purchase.occurred_at, purchase.pk) if asks_visits else 0,
    )


def _facts(line: RecordedLine) -> ProductFacts:
    product = line.product
    if product is None:
        return ProductFacts("")
    return ProductFacts(product.code, product.brand, categories_of(product.category), product.kind)


def posted_before(keys: Sequence[str]) -> dict[str, int]:
    """Which of the request keys are in the ledger, and under which id. Read after the lock is held."""
    return dict(LedgerTransaction.objects.filter(request_key__in=keys).values_list("request_key", "pk"))


def entitlements_of(customer_id: int, currency: str, at: datetime) -> list[tuple[int, int, Rulebook]]:
    """Membership, programme and the rules in force at an instant, for every programme that a purchase counts in."""
    return [
        (membership_id, programme_id, rulebook_of(*version))
        for membership_id, programme_id, *version in fetch(ENTITLED, [currency, at, customer_id, day_of(at)])
    ]
