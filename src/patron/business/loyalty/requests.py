"""Requests to the programme: the checks that operations share."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.errors import (
    InvalidPoints,
    InvalidTerms,
    KeyReused,
    MembershipNotActive,
    NoSuchMember,
    ReasonRequired,
)
from patron.business.loyalty.filters import RuleError
from patron.business.loyalty.ledger.book import day_of
from patron.business.loyalty.models import LedgerTransaction, Membership, Programme
from patron.business.loyalty.rules import CENT
from patron.business.loyalty.rules.terms import Terms
from patron.kernel.errors import InvalidInput

LONGEST_KEY = 120
MOST_BY_HAND = Decimal("999999999999.99")


def checked_points(points: Decimal) -> Decimal:
    """`points`, above zero and with two decimals. Raises InvalidPoints."""
    if not points.is_finite() or not 0 < points <= MOST_BY_HAND or points != points.quantize(CENT):
        raise InvalidPoints(details={"field": "points"})
    return points.quantize(CENT)


def check_adjustment(points: Decimal, *, reason: str, expires_on: date | None, now: datetime) -> Decimal:
    """The signed amount of an adjustment that makes sense. Raises InvalidPoints, ReasonRequired, InvalidInput."""
    amount = checked_points(abs(points)).copy_sign(points)
    if not reason.strip():
        raise ReasonRequired(details={"field": "reason"})
    if expires_on is not None and expires_on < day_of(now):
        raise InvalidInput(_("These points would have expired already."), details={"field": "expires_on"})
    return amount


def four_eyes_limit(membership: Membership) -> Decimal:
    """How many points one person may adjust by hand, as the programme says now."""
    return Programme.objects.values_list("four_eyes_above", flat=True).get(pk=membership.programme_id)


def require_active(membership: Membership) -> None:
    """Raise MembershipNotActive or NoSuchMember."""
    status = Membership.objects.filter(pk=membership.pk).values_list("status", flat=True).first()
    if status is None:
        raise NoSuchMember(details={"membership": membership.pk})
    if status != Membership.Status.ACTIVE:
        raise MembershipNotActive(details={"status": status})


def stored_key(request_key: str) -> str:
    """Keys that callers choose have a room of their own, apart from those of purchases. Raises InvalidInput."""
    if not 0 < len(request_key) <= LONGEST_KEY:
        raise InvalidInput(
            _("A request key has 1 to %(most)s characters.") % {"most": LONGEST_KEY}, details={"field": "request_key"}
        )
    return f"request:{request_key}"


def answered(
    request_key: str,
    membership: Membership,
    *,
    kind: str,
    amount: Decimal,
    reason: str = "",
    origin_id: int | None = None,
) -> LedgerTransaction | None:
    """The first answer to this key, or None. Read once the lock is held. Raises KeyReused for another request."""
    earlier = LedgerTransaction.objects.filter(request_key=stored_key(request_key)).first()
    if earlier is None:
        return None
    same = (
        earlier.membership_id == membership.pk
        and earlier.kind == kind
        and earlier.amount == amount
        and earlier.explanation.get("reason", "") == reason
        and (origin_id is None or earlier.origin_id == origin_id)
    )
    if not same:
        raise KeyReused(details={"request_key": request_key})
    return earlier


def read_terms(given: Mapping[str, Any]) -> Terms:
    """Terms from JSON. Raises InvalidTerms, which names the place, for what does not make sense."""
    try:
        return Terms.read(given)
    except RuleError as error:
        raise InvalidTerms(str(error), details={"field": error.place}) from error
