"""Rewriting the faces of cards.

A face is written only where its content changed; the change is counted, logged, and told to the phones that carry the
card. Faces are locked in the order of their cards, after everything else that a transaction locks.
"""

import json
from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from patron.business.cards.errors import NoSuchCard
from patron.business.cards.models import RefreshMark
from patron.business.cards.pushing import push_later
from patron.business.cards.queries import CurrentCard, cards_numbered, current_card
from patron.business.loyalty.models import Card, Membership
from patron.business.loyalty.operations import replace_card
from patron.kernel.actor import Actor
from patron.kernel.operation import inside_operation, operation

_WRITE = """
WITH face AS (
    INSERT INTO cards_cardface (
        card_id, membership_id, serial, content, content_hash, is_voided, version, changed_at)
    SELECT g.card_id, g.membership_id, gen_random_uuid(), g.content::jsonb, g.content_hash, g.is_voided, 1, %(now)s
    FROM unnest(%(cards)s::bigint[], %(members)s::bigint[], %(contents)s::text[], %(hashes)s::text[],
            %(voided)s::bool[]) AS g (card_id, membership_id, content, content_hash, is_voided)
    ORDER BY g.card_id
    ON CONFLICT (card_id) DO UPDATE SET
        content = EXCLUDED.content, content_hash = EXCLUDED.content_hash, is_voided = EXCLUDED.is_voided,
        version = cards_cardface.version + 1, changed_at = %(now)s
        WHERE cards_cardface.content_hash <> EXCLUDED.content_hash
    RETURNING card_id, version, content_hash, changed_at
)
INSERT INTO cards_facechange (card_id, version, content_hash, changed_at, actor)
SELECT card_id, version, content_hash, changed_at, %(actor)s FROM face
RETURNING card_id
"""


@inside_operation
def refresh_face(membership: Membership, *, actor: Actor, now: datetime) -> CurrentCard | None:
    """Rewrite the face of the member's active card after a change, in the caller's transaction; None without a card.

    Two queries where the face is as before, three where it changed; one more where the next tier may be told of, or
    phones are. Call it last: the face of what was written before is what it shows.
    """
    try:
        card = current_card(membership, now=now)
    except NoSuchCard:
        return None
    if not card.is_kept:
        _write([card], actor=actor, now=now)
    return card


@operation(permission="cards.refresh")
def refresh_faces(card_ids: Sequence[int], *, actor: Actor, now: datetime) -> int:
    """Rewrite the faces of these cards where they changed, blocked cards as void; returns how many were."""
    behind = [card for card in cards_numbered(card_ids, now=now) if not card.is_kept]
    return len(_write(behind, actor=actor, now=now))


@operation(permission="cards.hand_out")
def hand_out_card(membership: Membership, *, actor: Actor, now: datetime) -> CurrentCard:
    """The member's card with its serial number, to be printed or added to a wallet. Raises NoSuchCard."""
    card = current_card(membership, now=now)
    if card.is_kept:
        return card
    _write([card], actor=actor, now=now)
    return current_card(membership, now=now)


@operation(permission="loyalty.enrol")
def replace_member_card(membership: Membership, *, lost: bool, actor: Actor, now: datetime) -> Card:
    """Give the member a new card and block the old one, whose face and passes are void from now on.

    Raises MembershipNotActive.
    """
    old = list(membership.cards.filter(status=Card.Status.ACTIVE).values_list("pk", flat=True))
    card = replace_card(membership, lost=lost, actor=actor, now=now)
    shown = [
        each for each in cards_numbered([*old, card.pk], now=now) if each.kept is not None or each.card_id == card.pk
    ]
    _write(shown, actor=actor, now=now)
    return card


@operation(permission="cards.refresh")
def mark_swept(seen_xid: int, *, actor: Actor, now: datetime) -> None:
    """Remember how far the sweep has looked. Never goes back."""
    mark, made = RefreshMark.objects.select_for_update().get_or_create(
        pk=1, defaults={"seen_xid": seen_xid, "swept_at": now}
    )
    if not made and mark.seen_xid <= seen_xid:
        mark.seen_xid, mark.swept_at = seen_xid, now
        mark.save(update_fields=["seen_xid", "swept_at"])


def _write(cards: Sequence[CurrentCard], *, actor: Actor, now: datetime) -> list[int]:
    """Write these faces; gives the cards that changed."""
    if not cards:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {
                "now": now,
                "actor": actor.reference,
                "cards": [card.card_id for card in cards],
                "members": [card.membership_id for card in cards],
                "contents": [json.dumps(card.content.as_json(), ensure_ascii=False) for card in cards],
                "hashes": [card.content_hash for card in cards],
                "voided": [card.content.blocked for card in cards],
            },
        )
        changed = [row[0] for row in cursor.fetchall()]
    push_later(changed)
    return changed
