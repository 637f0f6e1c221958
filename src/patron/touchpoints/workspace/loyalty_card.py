"""A customer in the loyalty programme, as their page shows it. Empty for those who are no members."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from patron.business.cards.errors import NoSuchCard
from patron.business.cards.queries import current_card, phones_with
from patron.business.cards.wallets import offers_apple, offers_google
from patron.business.loyalty.models import Membership
from patron.business.loyalty.queries import (
    LotLine,
    PointsBalance,
    PurchasePoints,
    open_lots,
    points_balances,
    points_of_purchases,
    statement,
)
from patron.touchpoints.workspace.customer_picture import Picture
from patron.touchpoints.workspace.member_vouchers import vouchers_context
from patron.touchpoints.workspace.positions import parse_position, written_position

LINES_PER_PAGE = 30


@dataclass(frozen=True, slots=True)
class Card:
    """A membership with its card and its points."""

    membership: Membership
    number: str
    points: PointsBalance

    @property
    def grouped_number(self) -> str:
        """`8800 1234 5678 9012`, as it is printed on the card."""
        return " ".join(self.number[i : i + 4] for i in range(0, len(self.number), 4))


def summary(picture: Picture) -> Sequence[Card]:
    """Every membership of the customer, oldest first; nothing for a reader who may not see members."""
    memberships = picture.memberships
    balances = points_balances([membership.pk for membership in memberships], now=picture.now) if memberships else {}
    return [
        Card(
            membership=membership,
            number=next((card.number for card in membership.active_cards), ""),  # type: ignore[attr-defined]
            points=balances[membership.pk],
        )
        for membership in memberships
    ]


def lines_of(picture: Picture, *, before: str) -> dict[str, Any]:
    """The statement of the customer's first membership, its open lots, and where the statement goes on."""
    memberships = picture.memberships
    if not memberships:
        return {"lines": (), "lots": (), "older_url": "", "is_first_page": True}
    position = parse_position(before)
    found = statement(memberships[0], before=position, limit=LINES_PER_PAGE)
    address = f"{reverse('customer', args=[picture.customer.number])}?tab=loyalty"
    following = urlencode({"before": written_position(found.following)}) if found.following else ""
    return {
        "lines": found.lines,
        "member_card": _card_now(picture, memberships[0]),
        "lots": _by_day(open_lots(memberships[0], now=picture.now)),
        **vouchers_context(picture, memberships),
        "is_first_page": position is None,
        "newest_url": address,
        "older_url": f"{address}&{following}" if following else "",
    }


def _card_now(picture: Picture, membership: Membership) -> dict[str, Any] | None:
    """The face of the member's card and what the reader may do with it; None for who has no active card."""
    try:
        card = current_card(membership, now=picture.now)
    except NoSuchCard:
        return None
    said = ", ".join(f"{each.label} {each.text}" for each in card.content.shown)
    address = reverse("member-card", args=[picture.customer.number])
    return {
        "url": f"{address}?of={card.content_hash}",
        "alt": _("Card of %(programme)s: %(said)s") % {"programme": card.content.programme, "said": said},
        "phones": phones_with(card.card_id) if card.kept else 0,
        "may_hand_out": picture.actor.can("cards.hand_out"),
        "may_replace": picture.actor.can("loyalty.enrol"),
        "apple": offers_apple(),
        "google": offers_google(),
    }


@dataclass(frozen=True, slots=True)
class Expiring:
    """Points that can be used up to and on a day (None: for ever)."""

    expires_on: date | None
    points: Decimal


def _by_day(lots: Iterable[LotLine]) -> Sequence[Expiring]:
    """Lots that expire together, in order of use."""
    points: dict[date | None, Decimal] = {}
    for lot in lots:
        points[lot.expires_on] = points.get(lot.expires_on, Decimal(0)) + lot.remaining
    return [Expiring(on, sum_) for on, sum_ in points.items()]


def points_of_purchase(picture: Picture, purchase_id: int) -> PurchasePoints | None:
    """What a purchase did to the customer's points, and why; None where it did nothing."""
    if not picture.actor.can("loyalty.view"):
        return None
    return points_of_purchases([purchase_id]).get(purchase_id)
