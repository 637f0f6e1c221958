"""Points for what is no purchase: a completed profile, a survey, a check-in, a referral."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.errors import NoSuchEvent
from patron.business.loyalty.ledger.awards import posted_before
from patron.business.loyalty.ledger.book import Book, day_of
from patron.business.loyalty.ledger.movements import KIND, Movement
from patron.business.loyalty.ledger.rulebooks import rulebook_at
from patron.business.loyalty.models import Bucket, LedgerTransaction, Membership
from patron.business.loyalty.requests import require_active
from patron.business.loyalty.rules.earning import Rulebook
from patron.business.loyalty.rules.terms import Event
from patron.kernel.actor import Actor
from patron.kernel.clock import today
from patron.kernel.errors import InvalidInput
from patron.kernel.operation import operation

LONGEST_REFERENCE = 60
REFERRAL = "referral"
"""The code of the event that pays those who bring members."""

REFERRAL_DAYS = 366
"""How long after joining the first purchase of a referred member still pays the one who brought them."""

UNPAID = """
SELECT m.id, m.referred_by_id, bought.at
FROM loyalty_membership m
    JOIN loyalty_membership r ON r.id = m.referred_by_id AND r.status = 'active' AND r.programme_id = m.programme_id
    JOIN loyalty_programme g ON g.id = m.programme_id
    CROSS JOIN LATERAL (
        SELECT min(p.occurred_at) AS at FROM purchases_purchase p
        WHERE p.customer_id = m.customer_id AND p.kind = 'sale' AND p.status = 'completed' AND p.net_amount > 0
            AND p.currency = g.currency AND p.occurred_at >= m.joined_on::timestamp AT TIME ZONE %(zone)s
    ) bought
WHERE m.programme_id = %(programme)s AND m.referred_by_id IS NOT NULL AND m.referred_by_id <> m.id
    AND m.joined_on >= %(since)s AND bought.at IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM loyalty_ledgertransaction t WHERE t.request_key = 'event:' || m.programme_id || %(code)s
            || m.referred_by_id || ':' || CASE %(once)s
                WHEN 'ever' THEN 'ever'
                WHEN 'year' THEN to_char(bought.at AT TIME ZONE %(zone)s, 'YYYY')
                WHEN 'day' THEN to_char(bought.at AT TIME ZONE %(zone)s, 'YYYY-MM-DD')
                ELSE 'member ' || m.id END)
ORDER BY bought.at, m.id LIMIT %(batch)s
"""


@operation(permission="loyalty.award")
def award_event(
    membership: Membership, event_code: str, *, reference: str, actor: Actor, now: datetime
) -> LedgerTransaction:
    """Give the points that the programme has for an event, and return the movement.

    As often as the event says: once ever, once a year or a day (of the organisation), or for each `reference` (the
    caller's name for this occasion, up to 60 characters). Within that, the same event again, also at the same moment
    elsewhere, gives the first movement. Points are usable, pend and expire as those of a purchase of this moment.

    Raises NoSuchEvent, MembershipNotActive, NoSuchMember, InvalidInput for a reference that is missing or too long.
    """
    rulebook = rulebook_at(membership.programme_id, now)
    event = None if rulebook is None else _event(rulebook, event_code)
    if rulebook is None or event is None:
        raise NoSuchEvent(details={"field": "event", "event": event_code})
    occasion = reference.strip()
    key = _key(membership.programme_id, membership.pk, event, occasion, now)
    book = Book([membership.pk])
    if (earlier := LedgerTransaction.objects.filter(request_key=key).first()) is not None:
        return earlier
    book.holding(membership.pk)
    require_active(membership)
    movement = _enter(book, membership.pk, rulebook, event, key=key, reference=occasion, now=now)
    book.close(actor=actor, now=now)
    return LedgerTransaction.objects.get(pk=movement.id)


@operation(permission="loyalty.award")
def pay_referrals(*, actor: Actor, now: datetime, batch: int = 200) -> int:
    """Give up to `batch` members the points for those they brought, and return how many.

    Due with the first purchase of the member they brought, within a year of joining; as often as the event `referral`
    says, its year and day being those of that purchase. Call it until it gives fewer than `batch`. Safe to repeat.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT g.id FROM loyalty_programme g WHERE g.is_active AND EXISTS ("
            "SELECT FROM loyalty_membership m WHERE m.programme_id = g.id AND m.referred_by_id IS NOT NULL)"
        )
        programmes = [programme_id for (programme_id,) in cursor.fetchall()]
    paid = 0
    for programme_id in programmes:
        rulebook = rulebook_at(programme_id, now)
        event = None if rulebook is None else _event(rulebook, REFERRAL)
        if rulebook is not None and event is not None and paid < batch:
            paid += _pay(programme_id, rulebook, event, batch - paid, actor=actor, now=now)
    return paid


def _pay(programme_id: int, rulebook: Rulebook, event: Event, batch: int, *, actor: Actor, now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            UNPAID,
            {
                "programme": programme_id,
                "zone": settings.TIME_ZONE,
                "since": today(now) - timedelta(days=REFERRAL_DAYS),
                "code": f":{event.code}:",
                "once": event.once,
                "batch": batch,
            },
        )
        due = cursor.fetchall()
    if not due:
        return 0
    book = Book([referrer for _, referrer, _ in due])
    wanted = {_key(programme_id, referrer, event, f"member {one}", at): (referrer, one) for one, referrer, at in due}
    for key in posted_before(list(wanted)):
        del wanted[key]
    for key, (referrer, one) in wanted.items():
        _enter(book, referrer, rulebook, event, key=key, reference=f"member {one}", now=now)
    book.close(actor=actor, now=now)
    return len(due)


def _enter(
    book: Book, membership_id: int, rulebook: Rulebook, event: Event, *, key: str, reference: str, now: datetime
) -> Movement:
    """Enter the points of an event, usable, pending and expiring as those of a purchase are."""
    holding, terms, day = book.holding(membership_id), rulebook.terms, day_of(now)
    expires_on = terms.expiry.last_day(day)
    if terms.expiry.rolls:
        book.roll(holding, day=day, until=expires_on)
    movement = book.enter(holding, kind=KIND.EARN, request_key=key, occurred_at=now)
    movement.rule_id = rulebook.version
    explanation: dict[str, object] = {"event": event.code, "name": event.name, "rule": rulebook.version}
    if reference:
        explanation["reference"] = reference
    if terms.pending_days:
        available_on = day + timedelta(days=terms.pending_days)
        book.credit_pending(movement, event.points, earned_at=now, expires_on=expires_on, available_on=available_on)
        explanation["available_on"] = available_on
    else:
        repaid = book.credit(movement, event.points, counterpart=Bucket.ISSUED, earned_at=now, expires_on=expires_on)
        if repaid:
            explanation["repaid"] = str(repaid)
    movement.explanation = explanation
    return movement


def _event(rulebook: Rulebook, code: str) -> Event | None:
    return next((event for event in rulebook.terms.events if event.code == code), None)


def _key(programme_id: int, membership_id: int, event: Event, reference: str, at: datetime) -> str:
    return f"event:{programme_id}:{event.code}:{membership_id}:{_scope(event, reference, at)}"


def _scope(event: Event, reference: str, at: datetime) -> str:
    """Within what the event counts once."""
    if len(reference) > LONGEST_REFERENCE:
        raise InvalidInput(
            _("A reference has at most %(most)s characters.") % {"most": LONGEST_REFERENCE},
            details={"field": "reference"},
        )
    match event.once:
        case "ever":
            return "ever"
        case "year":
            return f"{today(at).year:04d}"
        case "day":
            return today(at).isoformat()
        case _:
            if not reference:
                raise InvalidInput(
                    _("Give a reference, so that the same occasion counts once."), details={"field": "reference"}
                )
            return reference
