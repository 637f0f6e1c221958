"""Phones that carry a card and want to be told when it changes."""

from datetime import datetime

from patron.business.cards.models import PassRegistration
from patron.business.cards.queries import CurrentCard
from patron.core.activities.operations import log_activity
from patron.kernel.actor import Actor
from patron.kernel.operation import operation


@operation(permission="cards.refresh", private=("device", "push_token"))
def register_device(
    card: CurrentCard, *, device: str, pass_type: str, push_token: str, actor: Actor, now: datetime
) -> bool:
    """Remember that `device` carries the card; gives whether it is new. Again, it keeps the latest push token."""
    _registration, created = PassRegistration.objects.update_or_create(
        device=device,
        pass_type=pass_type,
        face_id=card.card_id,
        defaults={"push_token": push_token},
        create_defaults={"push_token": push_token, "registered_at": now},
    )
    if created:
        _tell(card, "card.added_to_wallet", actor=actor, now=now)
    return created


@operation(permission="cards.refresh", private=("device",))
def unregister_device(card: CurrentCard, *, device: str, pass_type: str, actor: Actor, now: datetime) -> bool:
    """Forget that `device` carries the card; gives whether it did."""
    removed, _each = PassRegistration.objects.filter(device=device, pass_type=pass_type, face_id=card.card_id).delete()
    if removed:
        _tell(card, "card.removed_from_wallet", actor=actor, now=now)
    return bool(removed)


def _tell(card: CurrentCard, kind: str, *, actor: Actor, now: datetime) -> None:
    log_activity(
        actor=actor,
        now=now,
        customer_id=card.customer_id,
        kind=kind,
        channel="app",
        source=f"loyalty.card:{card.card_id}",
    )
