"""Who follows purchases: rooms above (loyalty) that act in the same transaction as the purchase. No Django here."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from patron.kernel.actor import Actor
from patron.kernel.registries import Registry

if TYPE_CHECKING:
    from patron.business.purchases.models import Purchase


class OnPurchase(Protocol):
    """Called once a purchase and its lines are written, inside the transaction. Raise to refuse the whole."""

    def __call__(self, purchase: "Purchase", *, actor: Actor, now: datetime) -> None: ...


class OnBatch(Protocol):
    """Called with many purchases at once, inside the transaction of an import's chunk; must work set-based.

    `table` is a temp table of the purchases newly written in this transaction, in the order of their time:
    purchase_id bigint, customer_id bigint (null: anonymous), branch_id bigint (may be null), kind text
    (`sale` or `return`), occurred_at timestamptz, currency text, net_amount numeric(16,2), original_id bigint
    (of a return whose purchase is known; it may be in the same table). It is indexed by nothing and analysed.
    """

    def __call__(self, cursor: Any, table: str, *, actor: Actor, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class PurchaseFollower:
    """A room that follows purchases. `on_recorded` is called for sales and for returns."""

    name: str
    on_recorded: OnPurchase
    on_voided: OnPurchase
    on_batch: OnBatch


followers: Registry[PurchaseFollower] = Registry("purchase follower", name=lambda f: f.name)
