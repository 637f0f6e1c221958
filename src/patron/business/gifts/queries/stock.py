"""What lies where."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import FilteredRelation, Q

from patron.business.gifts.models import Gift, GiftStock, StockMovement
from patron.core.accounts.models import Branch
from patron.core.accounts.queries import get_visible_branches
from patron.kernel.actor import Actor
from patron.kernel.errors import NotFound, PermissionRefused


@dataclass(frozen=True, slots=True)
class ShelfRow:
    """A gift in a branch: pieces there, those reserved for orders, and whether few are free."""

    gift: Gift
    branch: Branch
    on_hand: int
    reserved: int

    @property
    def free(self) -> int:
        return self.on_hand - self.reserved

    @property
    def is_low(self) -> bool:
        """Whether a gift that is offered has `low_stock` free pieces or fewer."""
        return self.gift.is_active and self.free <= self.gift.low_stock


def shelves_of_branch(branch: Branch, actor: Actor) -> list[ShelfRow]:
    """Every gift that is offered or lies in the branch, the scarcest first. One query.

    Raises NotFound for a branch that the actor may not see, PermissionRefused.
    """
    _require(actor)
    if actor.branch_ids is not None and branch.pk not in actor.branch_ids:
        raise NotFound(details={"branch": branch.code})
    gifts = (
        Gift.objects.annotate(here=FilteredRelation("stocks", condition=Q(stocks__branch=branch)))
        .filter(Q(is_active=True) | Q(here__on_hand__gt=0))
        .values_list("pk", "here__on_hand", "here__reserved")
    )
    counted = {pk: (on_hand or 0, reserved or 0) for pk, on_hand, reserved in gifts}
    rows = [
        ShelfRow(gift=gift, branch=branch, on_hand=counted[gift.pk][0], reserved=counted[gift.pk][1])
        for gift in Gift.objects.filter(pk__in=counted).order_by("code")
    ]
    return sorted(rows, key=lambda row: (not row.is_low, row.gift.code))


def shelves_of_gift(gift: Gift, actor: Actor) -> list[ShelfRow]:
    """The gift in every branch that the actor may see, also where there is none of it. Two queries."""
    _require(actor)
    shelves = {stock.branch_id: stock for stock in GiftStock.objects.filter(gift=gift)}
    return [
        ShelfRow(
            gift=gift,
            branch=branch,
            on_hand=shelves[branch.pk].on_hand if branch.pk in shelves else 0,
            reserved=shelves[branch.pk].reserved if branch.pk in shelves else 0,
        )
        for branch in get_visible_branches(actor)
    ]


def movements_of(branch: Branch, actor: Actor, *, gift: Gift | None = None, limit: int = 30) -> Sequence[StockMovement]:
    """The latest movements in a branch, of one gift or of all, newest first. Raises NotFound, PermissionRefused."""
    _require(actor)
    if actor.branch_ids is not None and branch.pk not in actor.branch_ids:
        raise NotFound(details={"branch": branch.code})
    movements = StockMovement.objects.select_related("stock__gift").filter(stock__branch=branch)
    if gift is not None:
        movements = movements.filter(stock__gift=gift)
    return list(movements.order_by("-pk")[:limit])


def _require(actor: Actor) -> None:
    if not actor.can("gifts.view"):
        raise PermissionRefused(details={"permission": "gifts.view"})
