"""Who wants to know when somebody joins the programme or changes tier: higher rooms register here."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from patron.kernel.actor import Actor
from patron.kernel.registries import Registry

if TYPE_CHECKING:
    from patron.business.loyalty.models import Membership


class OnEnrolled(Protocol):
    def __call__(self, membership: "Membership", *, actor: Actor, now: datetime) -> None: ...


class OnTierChanged(Protocol):
    def __call__(self, membership: "Membership", before: str, after: str, *, actor: Actor, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class MemberFollower:
    """Called inside the operation that enrols a member, or that changes a tier (codes; empty for none).

    The member's accounts are locked then: a follower must not lock what other operations lock before them.
    """

    name: str
    on_enrolled: OnEnrolled | None = None
    on_tier_changed: OnTierChanged | None = None


member_followers: Registry[MemberFollower] = Registry("member follower", name=lambda f: f.name)
