"""What is offered, and what of it a member can have."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from patron.business.gifts.errors import NoSuchGift
from patron.business.gifts.models import Gift, GiftStock, GiftTaken
from patron.business.gifts.rules import Refusal, Standing, points_missing, refusals
from patron.business.loyalty.models import Membership
from patron.business.loyalty.queries import points_balance
from patron.core.accounts.models import Branch
from patron.kernel.actor import Actor
from patron.kernel.clock import today
from patron.kernel.errors import PermissionRefused


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """A gift with the pieces that are free, in one branch or in all that the reader may see."""

    gift: Gift
    free: int
    is_low: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """A gift as one member stands to it: `reasons` why not (none: they can have one), points that are missing."""

    gift: Gift
    free: int
    taken: int
    reasons: tuple[Refusal, ...]
    missing: Decimal

    @property
    def can_have(self) -> bool:
        return not self.reasons


def catalogue(
    actor: Actor, *, branch_id: int | None = None, text: str = "", is_active: bool | None = True
) -> list[CatalogueRow]:
    """The catalogue, cheapest in points first, with what is free in a branch (None: in all the actor may see).

    `text` looks for a part of code or name. One query. Raises PermissionRefused without `gifts.view`.
    """
    gifts = _with_free(_visible(actor), branch_id=branch_id, actor=actor)
    if is_active is not None:
        gifts = gifts.filter(is_active=is_active)
    if text:
        gifts = gifts.filter(
            Q(code__icontains=text)
            | Q(name__icontains=text)
            | Q(**{"names__zh-hant__icontains": text})
            | Q(**{"names__zh-hans__icontains": text})
        )
    return [
        CatalogueRow(gift=gift, free=gift.free, is_low=gift.is_low)  # type: ignore[attr-defined]
        for gift in gifts.order_by("-is_active", "points_price", "money_price", "code")
    ]


def get_gift(code: str, actor: Actor) -> Gift:
    """The gift with this code, offered or not. Raises NoSuchGift, PermissionRefused without `gifts.view`."""
    gift = _visible(actor).filter(code=code.strip().upper()).first()
    if gift is None:
        raise NoSuchGift(details={"gift": code})
    return gift


def offers_for(membership: Membership, *, branch: Branch, actor: Actor, now: datetime) -> list[Offer]:
    """What is offered to a member in a branch: what they can have first, then what they nearly can.

    Gifts whose days are over or to come are left out. Two queries. The membership is one that a query handed out.
    """
    points = points_balance(membership, now=now).available
    found = [
        _offer(gift, membership, points, now=now)
        for gift in _with_free(_visible(actor).filter(is_active=True), branch_id=branch.pk, actor=actor)
        .annotate(taken=_taken(membership))
        .order_by("points_price", "money_price", "code")
    ]
    shown = [offer for offer in found if not {Refusal.NOT_YET, Refusal.ENDED} & set(offer.reasons)]
    return sorted(
        shown, key=lambda offer: (bool(offer.reasons), bool(set(offer.reasons) - {Refusal.POINTS}), offer.missing)
    )


def offer_for(membership: Membership, gift: Gift, *, branch: Branch, actor: Actor, now: datetime) -> Offer:
    """One gift as a member stands to it, also a withdrawn one. Two queries. Raises NoSuchGift."""
    found = (
        _with_free(_visible(actor).filter(pk=gift.pk), branch_id=branch.pk, actor=actor)
        .annotate(taken=_taken(membership))
        .first()
    )
    if found is None:
        raise NoSuchGift(details={"gift": gift.code})
    return _offer(found, membership, points_balance(membership, now=now).available, now=now)


def _offer(gift: Gift, membership: Membership, points: Decimal, *, now: datetime) -> Offer:
    free, taken = gift.free, gift.taken  # type: ignore[attr-defined]
    standing = Standing(
        is_active=membership.status == Membership.Status.ACTIVE, tier=membership.tier, points=points, taken=taken
    )
    return Offer(
        gift=gift,
        free=free,
        taken=taken,
        reasons=refusals(gift.terms, standing, quantity=1, on=today(now), free=free),
        missing=points_missing(gift.terms, standing),
    )


def _visible(actor: Actor) -> "QuerySet[Gift]":
    if not actor.can("gifts.view"):
        raise PermissionRefused(details={"permission": "gifts.view"})
    return Gift.objects.all()


def _with_free(gifts: "QuerySet[Gift]", *, branch_id: int | None, actor: Actor) -> "QuerySet[Gift]":
    shelves = GiftStock.objects.filter(gift=OuterRef("pk"))
    if branch_id is not None:
        shelves = shelves.filter(branch_id=branch_id)
    elif actor.branch_ids is not None:
        shelves = shelves.filter(branch_id__in=actor.branch_ids)
    free = shelves.order_by().values("gift").annotate(n=Sum(F("on_hand") - F("reserved"))).values("n")
    return gifts.annotate(
        free=Coalesce(Subquery(free, output_field=IntegerField()), Value(0)),
        is_low=Exists(shelves.filter(on_hand__lte=F("reserved") + OuterRef("low_stock"))),
    )


def _taken(membership: Membership) -> Coalesce:
    taken = GiftTaken.objects.filter(gift=OuterRef("pk"), membership=membership).values("taken")
    return Coalesce(Subquery(taken, output_field=IntegerField()), Value(0))
