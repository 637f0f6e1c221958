"""Reading cards: the face is computed from what is true now, never read from what was kept.

Two queries give any number of cards with all that stands on them; a third where the next tier may be worth telling of.
"""

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from patron.business.cards.designs import STANDARD, DesignSpec, parse_design
from patron.business.cards.errors import NoSuchCard, NoSuchDesign, PassRefused
from patron.business.cards.models import CardDesign, PassRegistration, RefreshMark
from patron.business.cards.rules import CardFacts, FaceContent, face_content, tells_of_next_tier
from patron.business.loyalty.ledger.reviewing import measured
from patron.business.loyalty.models import Membership, Programme
from patron.business.loyalty.queries import get_membership, points_balances
from patron.business.loyalty.rules.tiers import Standing, TierTerms, progress, window_at
from patron.core.customers.models import Customer
from patron.kernel.actor import Actor
from patron.kernel.clock import today
from patron.kernel.errors import PermissionRefused

_CARDS = """
SELECT c.id, c.number, c.status <> 'active' OR m.status <> 'active', m.id, m.joined_on,
    u.id, coalesce(nullif(u.name, ''), u.latin_name), u.language, u.birth_on, p.name, p.currency,
    (SELECT a.balance FROM loyalty_account a
     WHERE a.membership_id = m.id AND a.unit = 'stored_value' AND a.bucket = 'available'),
    (SELECT count(*) FROM vouchers_voucher v
     WHERE v.membership_id = m.id AND v.status = 'issued' AND v.valid_from <= %(day)s
        AND (v.valid_until IS NULL OR v.valid_until >= %(day)s)),
    m.tier, m.tier_until, (
        SELECT (v.terms -> 'tiers')::text FROM loyalty_programmeversion v
        WHERE v.programme_id = p.id AND v.valid_from <= %(now)s ORDER BY v.valid_from DESC, v.version DESC LIMIT 1),
    d.id, d.spec, d.logo, d.picture, f.serial, f.content_hash, f.version, f.changed_at
FROM loyalty_card c
    JOIN loyalty_membership m ON m.id = c.membership_id
    JOIN loyalty_programme p ON p.id = m.programme_id
    JOIN customers_customer u ON u.id = m.customer_id
    LEFT JOIN cards_cardface f ON f.card_id = c.id
    LEFT JOIN LATERAL (
        SELECT o.id, o.spec, o.logo, o.picture FROM cards_carddesign o
        WHERE o.programme_id = p.id AND o.status = 'active' AND o.tier IN ('', m.tier)
        ORDER BY o.tier DESC LIMIT 1
    ) d ON true
WHERE {which}
ORDER BY c.id
"""

_ACTIVE_OF = "c.membership_id = ANY(%(members)s) AND c.status = 'active'"
_NUMBERED = "c.id = ANY(%(cards)s)"
_SERIAL = "f.serial = %(serial)s"
_ON_DEVICE = "c.id IN (SELECT face_id FROM cards_passregistration WHERE device = %(device)s AND pass_type = %(type)s)"


@dataclass(frozen=True, slots=True)
class KeptFace:
    """What was last told to the outside of a card."""

    serial: UUID
    content_hash: str
    version: int
    changed_at: datetime


@dataclass
class CurrentCard:
    """A card as it is now. `kept` is None for one that was never shown outside."""

    card_id: int
    membership_id: int
    customer_id: int
    facts: CardFacts
    terms: TierTerms
    design: DesignSpec
    design_id: int | None
    logo: str
    picture: str
    kept: KeptFace | None = field(default=None)

    @cached_property
    def content(self) -> FaceContent:
        """What stands on the face."""
        return face_content(
            self.design,
            self.facts,
            design_key=design_key(self.design, self.design_id, self.logo, self.picture),
            house=settings.LANGUAGE_CODE,
        )

    @cached_property
    def content_hash(self) -> str:
        """Equal for equal faces: the name under which a picture of this face may be kept."""
        return self.content.content_hash

    @property
    def is_kept(self) -> bool:
        """Whether the outside was told of the face as it is now."""
        return self.kept is not None and self.kept.content_hash == self.content_hash


def get_card(customer: Customer, actor: Actor, *, now: datetime) -> CurrentCard:
    """The card of the customer's first membership as it is now.

    Raises PermissionRefused, NotFound, NoSuchMember as `get_membership`; NoSuchCard where none is active.
    """
    return current_card(get_membership(customer, actor), now=now)


def current_card(membership: Membership, *, now: datetime) -> CurrentCard:
    """The member's active card as it is now. Raises NoSuchCard. Two queries."""
    found = current_cards([membership.pk], now=now)
    if not found:
        raise NoSuchCard
    return found[0]


def current_cards(membership_ids: Sequence[int], *, now: datetime) -> list[CurrentCard]:
    """The active cards of these members, by card. Two queries."""
    return _read(_ACTIVE_OF, {"members": list(membership_ids)}, now=now)


def cards_numbered(card_ids: Sequence[int], *, now: datetime) -> list[CurrentCard]:
    """Cards by their keys, blocked ones as well. Two queries."""
    return _read(_NUMBERED, {"cards": list(card_ids)}, now=now)


def card_of_pass(serial: str, *, now: datetime) -> CurrentCard:
    """The card that a pass shows, blocked or not. Raises PassRefused."""
    try:
        found = _read(_SERIAL, {"serial": UUID(serial)}, now=now)
    except ValueError:
        found = []
    if not found:
        raise PassRefused
    return found[0]


def cards_on_device(device: str, pass_type: str, *, now: datetime) -> list[CurrentCard]:
    """The cards that a phone carries and wants to be told of."""
    return _read(_ON_DEVICE, {"device": device, "type": pass_type}, now=now)


def design_key(design: DesignSpec, design_id: int | None, *pictures: str) -> str:
    """What a face's hash says of the design it was made by."""
    written = json.dumps([design.as_json(), *pictures], sort_keys=True, ensure_ascii=False)
    return f"{design_id or 'standard'}-{hashlib.sha256(written.encode()).hexdigest()[:12]}"


def _read(which: str, values: dict[str, Any], *, now: datetime) -> list[CurrentCard]:
    with connection.cursor() as cursor:
        cursor.execute(_CARDS.format(which=which), values | {"day": today(now), "now": now})
        rows = cursor.fetchall()
    points = points_balances({row[3] for row in rows}, now=now) if rows else {}
    day = today(now)
    cards = []
    for row in rows:
        (
            card_id, number, blocked, membership_id, joined_on, customer_id, name, language, birth_on, programme,
            currency, stored_value, vouchers, tier, tier_until, tiers, design_id, spec, logo, picture, *kept,
        ) = row  # fmt: skip
        balance, terms = points[membership_id], _tier_terms(tiers or "{}")
        held = terms.tier(tier)
        cards.append(
            CurrentCard(
                card_id=card_id,
                membership_id=membership_id,
                customer_id=customer_id,
                facts=CardFacts(
                    on=day,
                    number=number,
                    name=name,
                    language=language,
                    programme=programme,
                    joined_on=joined_on,
                    currency=currency,
                    available=balance.available,
                    owed=balance.owed,
                    expiring=balance.expiring,
                    expires_on=balance.expires_on,
                    stored_value=stored_value,
                    vouchers=vouchers or None,
                    tier=tier,
                    tier_name=held.name if held else tier,
                    valid_thru=tier_until,
                    birth_on=birth_on,
                    blocked=blocked,
                ),
                terms=terms,
                design=STANDARD if design_id is None else parse_design(_decoded(spec)),
                design_id=design_id,
                logo=logo or "",
                picture=picture or "",
                kept=None if kept[0] is None else KeptFace(*kept),
            )
        )
    return _with_the_next_tier(cards)


def _with_the_next_tier(cards: list[CurrentCard]) -> list[CurrentCard]:
    """Measure how far the next tier is, of those who would be told of it. No query where nobody would."""
    asked = [card for card in cards if card.terms.ladder and tells_of_next_tier(card.design, card.facts)]
    for measure in {card.terms.measure for card in asked}:
        alike = [card for card in asked if card.terms.measure == measure]
        windows = [(card.membership_id, window_at(card.terms, card.facts.on, card.facts.joined_on)) for card in alike]
        for card, value in zip(alike, measured(measure, windows), strict=True):
            found = progress(
                card.terms, Standing(card.facts.tier), value=value, day=card.facts.on, joined_on=card.facts.joined_on
            )
            if found.following is not None:
                card.facts = replace(card.facts, next_tier=found.following.name, missing_amount=found.missing)
    return cards


@functools.lru_cache(maxsize=64)
def _tier_terms(text: str) -> TierTerms:
    return TierTerms.read(json.loads(text), "tiers.")


def _decoded(spec: Any) -> Any:
    """JSON that a plain cursor gives as text."""
    return json.loads(spec) if isinstance(spec, str) else spec


_BEHIND = """
SELECT f.card_id FROM cards_cardface f WHERE f.membership_id IN (
    SELECT a.membership_id FROM loyalty_account a WHERE a.changed_xid >= %(seen)s::text::xid8
    UNION
    SELECT m.id FROM loyalty_membership m WHERE m.changed_xid >= %(seen)s::text::xid8
    UNION
    SELECT m.id FROM customers_customer u JOIN loyalty_membership m ON m.customer_id = u.id
    WHERE u.changed_xid >= %(seen)s::text::xid8
    UNION
    SELECT v.membership_id FROM vouchers_voucher v WHERE v.changed_xid >= %(seen)s::text::xid8
)
UNION
SELECT f.card_id FROM cards_cardface f JOIN loyalty_card c ON c.id = f.card_id
WHERE NOT f.is_voided AND c.status <> 'active'
UNION
SELECT f.card_id FROM cards_cardface f JOIN loyalty_membership m ON m.id = f.membership_id
WHERE m.programme_id IN (
        SELECT d.programme_id FROM cards_carddesign d
        WHERE d.status <> 'draft' AND d.changed_xid >= %(seen)s::text::xid8)
    AND EXISTS (SELECT FROM cards_passregistration r WHERE r.face_id = f.card_id)
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Behind:
    """Cards whose face may have changed since the last sweep, and how far a sweep that ends now has looked."""

    card_ids: Sequence[int]
    seen_xid: int


def faces_behind() -> Behind:
    """What the sweep has to look at: cards shown outside whose member, points or money were written since the last.

    The mark is the oldest transaction still open, so one that commits late is looked at by the next sweep.
    """
    seen = RefreshMark.objects.values_list("seen_xid", flat=True).first() or 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
        (horizon,) = cursor.fetchone()
        cursor.execute(_BEHIND, {"seen": str(seen)})
        return Behind([row[0] for row in cursor.fetchall()], int(horizon))


def cards_in_wallets() -> list[int]:
    """The cards that some phone carries."""
    return sorted(set(PassRegistration.objects.values_list("face_id", flat=True)))


def push_tokens(card_ids: Sequence[int]) -> list[tuple[str, str]]:
    """Pass type and push token of every phone that carries one of these cards, each once."""
    tokens = PassRegistration.objects.filter(face_id__in=card_ids).values_list("pass_type", "push_token")
    return sorted(set(tokens))


def phones_with(card_id: int) -> int:
    """How many phones carry this card."""
    return PassRegistration.objects.filter(face_id=card_id).values("device").distinct().count()


def get_designs(actor: Actor) -> QuerySet[CardDesign]:
    """Every version of every design, by programme and name, the newest version first.

    Raises PermissionRefused without `cards.design`.
    """
    _require_designer(actor)
    return CardDesign.objects.select_related("programme").order_by("programme_id", "name", "-version")


def get_design(design_id: int, actor: Actor) -> CardDesign:
    """A version of a design. Raises PermissionRefused, NoSuchDesign."""
    design = get_designs(actor).filter(pk=design_id).first()
    if design is None:
        raise NoSuchDesign
    return design


def get_programmes(actor: Actor) -> list[Programme]:
    """The programmes that have cards to be designed, oldest first."""
    _require_designer(actor)
    return list(Programme.objects.filter(is_active=True).order_by("pk"))


def _require_designer(actor: Actor) -> None:
    if not actor.can("cards.design"):
        raise PermissionRefused(details={"permission": "cards.design"})
