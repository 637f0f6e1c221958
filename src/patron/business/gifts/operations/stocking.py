"""What lies on the shelves: received from a supplier, corrected after a count."""

from datetime import datetime

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from patron.business.gifts.errors import StockTooLow
from patron.business.gifts.models import Gift, GiftStock, StockMovement
from patron.business.gifts.rules import Movement
from patron.business.gifts.shelf import lock_shelf, move, open_shelf
from patron.business.loyalty.errors import KeyReused, ReasonRequired
from patron.core.accounts.models import Branch
from patron.kernel.actor import Actor
from patron.kernel.errors import InvalidInput, NotFound
from patron.kernel.operation import operation

MOST_RECEIVED = 1_000_000
LONGEST_KEY = 100


@operation(permission="gifts.stock")
def receive_stock(
    gift: Gift, branch: Branch, quantity: int, *, request_key: str, actor: Actor, now: datetime, reason: str = ""
) -> StockMovement:
    """Put `quantity` pieces on the shelf. Safe to retry by `request_key`.

    Raises InvalidInput, KeyReused, NotFound for a branch that is not the actor's. Locks the shelf.
    """
    if not 1 <= quantity <= MOST_RECEIVED:
        raise InvalidInput(_("Say how many pieces came: one or more."), details={"field": "quantity"})
    return _moved(
        gift, branch, Movement.RECEIVED, quantity, reason=reason, request_key=request_key, actor=actor, now=now
    )


@operation(permission="gifts.stock")
def correct_stock(
    gift: Gift, branch: Branch, *, counted: int, reason: str, request_key: str, actor: Actor, now: datetime
) -> StockMovement | None:
    """Let the shelf hold what was `counted` on it, reserved pieces included, and say why it differs.

    None where it holds that many already. Safe to retry. Raises ReasonRequired, InvalidInput, KeyReused, StockTooLow
    where fewer were counted than are reserved: cancel orders first. Locks the shelf.
    """
    if not 0 <= counted <= MOST_RECEIVED:
        raise InvalidInput(_("Say how many pieces were counted."), details={"field": "counted"})
    if not reason.strip():
        raise ReasonRequired(details={"field": "reason"})
    _require_branch(branch, actor)
    open_shelf(gift.pk, branch.pk)
    stock = _locked(gift, branch)
    earlier = _answered(request_key)
    if earlier is not None:
        return _same(earlier, stock, Movement.CORRECTED, None, request_key)
    if counted < stock.reserved:
        raise StockTooLow(details={"on_hand": stock.on_hand, "reserved": stock.reserved, "field": "counted"})
    if counted == stock.on_hand:
        return None
    return _written(
        stock,
        Movement.CORRECTED,
        counted - stock.on_hand,
        reason=reason.strip()[:300],
        request_key=request_key,
        actor=actor,
        now=now,
    )


def _moved(
    gift: Gift,
    branch: Branch,
    kind: Movement,
    quantity: int,
    *,
    reason: str,
    request_key: str,
    actor: Actor,
    now: datetime,
) -> StockMovement:
    _require_branch(branch, actor)
    open_shelf(gift.pk, branch.pk)
    stock = _locked(gift, branch)
    earlier = _answered(request_key)
    if earlier is not None:
        return _same(earlier, stock, kind, quantity, request_key)
    return _written(
        stock, kind, quantity, reason=reason.strip()[:300], request_key=request_key, actor=actor, now=now
    )  # fmt: skip


def _written(
    stock: GiftStock, kind: Movement, quantity: int, *, reason: str, request_key: str, actor: Actor, now: datetime
) -> StockMovement:
    try:
        return move(stock, kind, quantity, reason=reason, request_key=request_key, actor=actor, now=now)
    except IntegrityError as error:  # the same key on another shelf, at this very moment
        raise KeyReused(details={"request_key": request_key}) from error


def _require_branch(branch: Branch, actor: Actor) -> None:
    if actor.branch_ids is not None and branch.pk not in actor.branch_ids:
        raise NotFound(_("This branch is not one of yours."), details={"field": "branch"})


def _locked(gift: Gift, branch: Branch) -> GiftStock:
    stock = lock_shelf(gift.pk, branch.pk)
    if stock is None:
        raise NotFound(details={"gift": gift.code})
    return stock


def _answered(request_key: str) -> StockMovement | None:
    if not 0 < len(request_key) <= LONGEST_KEY:
        raise InvalidInput(
            _("A request key has 1 to %(most)s characters.") % {"most": LONGEST_KEY}, details={"field": "request_key"}
        )
    return StockMovement.objects.filter(request_key=request_key).first()


def _same(
    earlier: StockMovement, stock: GiftStock, kind: Movement, quantity: int | None, request_key: str
) -> StockMovement:
    if (earlier.stock_id, earlier.kind) != (stock.pk, kind) or quantity not in (None, earlier.quantity):
        raise KeyReused(details={"request_key": request_key})
    return earlier
