"""What becomes of vouchers besides their use: handed over, cancelled, expired; and those that come by the calendar."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection
from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.models import Membership
from patron.business.vouchers import errors, taking
from patron.business.vouchers.following import congratulate
from patron.business.vouchers.issues import is_issuable, lock_definition, stock_left, without_voucher, write_vouchers
from patron.business.vouchers.models import Voucher, VoucherDefinition, VoucherHold
from patron.core.activities.operations import log_activities_from, log_activity
from patron.kernel.actor import Actor
from patron.kernel.clock import today
from patron.kernel.errors import InvalidInput
from patron.kernel.operation import operation

SLICE = 500
BIRTHDAY_SLICE = 5000

_EXPIRE = """
UPDATE vouchers_voucher SET status = 'expired' WHERE id IN (
    SELECT id FROM vouchers_voucher WHERE status = 'issued' AND valid_until < %s AND held = 0
    ORDER BY valid_until, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
) RETURNING id
"""

_CANCEL = """
UPDATE vouchers_voucher SET status = 'cancelled', closed_reason = %(reason)s WHERE id IN (
    SELECT id FROM vouchers_voucher
    WHERE definition_id = %(definition)s AND status = 'issued' AND held = 0 ORDER BY id FOR NO KEY UPDATE
) RETURNING id
"""

_TELL = """
SELECT m.customer_id, '{kind}' AS kind, %(at)s::timestamptz AS occurred_at, '' AS channel,
    NULL::bigint AS branch_id, 'vouchers.voucher:' || v.id AS source,
    jsonb_strip_nulls(jsonb_build_object('name', d.name, 'reason', nullif(v.closed_reason, ''))) AS facts
FROM vouchers_voucher v JOIN loyalty_membership m ON m.id = v.membership_id
    JOIN vouchers_voucherdefinition d ON d.id = v.definition_id
WHERE v.id = ANY(%(ids)s)
"""

_BORN = """
SELECT m.id FROM customers_customer c JOIN loyalty_membership m ON m.customer_id = c.id
WHERE to_char(c.birth_on, 'MMDD') = ANY(%s) AND m.status = 'active' AND (%s::bigint IS NULL OR m.programme_id = %s)
ORDER BY m.id
"""


@operation(permission="vouchers.issue")
def transfer_voucher(voucher: Voucher, to: Membership, *, actor: Actor, now: datetime) -> Voucher:
    """Hand a voucher over to another member. Giving it to whoever has it changes nothing.

    Raises NotTransferable where its terms say so or nobody owns it, VoucherUsed, VoucherExpired, VoucherCancelled,
    VoucherInUse, InvalidInput for a member who is not active.
    """
    (found,) = taking.without_stale_holds(taking.lock_by_ids([voucher.pk]), now)
    if found.membership_id == to.pk:
        return Voucher.objects.get(pk=voucher.pk)
    if found.membership_id is None or not found.terms.transferable:
        raise errors.NotTransferable(details={"code": found.shown_code})
    if to.status != Membership.Status.ACTIVE:
        raise InvalidInput(_("Only an active member can be given a voucher."), details={"field": "member"})
    giver = Membership.objects.get(pk=found.membership_id)
    taking.check_usable(found, giver, max(today(now), found.valid_from))
    Voucher.objects.filter(pk=found.id).update(membership=to)
    for customer_id, way in ((giver.customer_id, "out"), (to.customer_id, "in")):
        log_activity(
            actor=actor,
            now=now,
            customer_id=customer_id,
            kind="voucher.transferred",
            source=f"vouchers.voucher:{found.id}",
            facts={"name": found.name, "way": way},
        )
    return Voucher.objects.get(pk=voucher.pk)


@operation(permission="vouchers.issue")
def cancel_voucher(voucher: Voucher, *, reason: str, actor: Actor, now: datetime) -> Voucher:
    """Take a voucher back, and say why. Cancelling again changes nothing.

    Raises InvalidInput without a reason, VoucherUsed for one of which nothing is left, VoucherInUse.
    """
    reason = _checked_reason(reason)
    (found,) = taking.without_stale_holds(taking.lock_by_ids([voucher.pk]), now)
    if found.status != Voucher.Status.CANCELLED:
        if found.uses_left == 0:
            raise errors.VoucherUsed(details={"code": found.shown_code})
        if found.held:
            raise errors.VoucherInUse(details={"code": found.shown_code})
        Voucher.objects.filter(pk=found.id).update(status=Voucher.Status.CANCELLED, closed_reason=reason)
        _tell([found.id], "voucher.cancelled", at=now, actor=actor, now=now)
    return Voucher.objects.get(pk=voucher.pk)


@operation(permission="vouchers.manage")
def cancel_all(definition: VoucherDefinition, *, reason: str, actor: Actor, now: datetime) -> int:
    """Stop issuing, take back every voucher that is still usable and not at a till just now; say how many."""
    reason = _checked_reason(reason)
    VoucherDefinition.objects.filter(pk=definition.pk).update(is_active=False)
    with connection.cursor() as cursor:
        cursor.execute(_CANCEL, {"definition": definition.pk, "reason": reason})
        cancelled = [voucher_id for (voucher_id,) in cursor.fetchall()]
    _tell(cancelled, "voucher.cancelled", at=now, actor=actor, now=now)
    return len(cancelled)


@operation(permission="vouchers.run")
def expire_vouchers(*, as_of: date, actor: Actor, now: datetime, batch: int = SLICE) -> int:
    """Mark up to `batch` vouchers whose last day is before `as_of`, and say how many. Call it until it gives 0.

    They could not be used any more in any case. Skips vouchers that a till holds or has locked.
    """
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRE, [as_of, batch])
        expired = [voucher_id for (voucher_id,) in cursor.fetchall()]
    _tell(expired, "voucher.expired", at=now, actor=actor, now=now)
    return len(expired)


@operation(permission="vouchers.run")
def drop_ended_holds(*, actor: Actor, now: datetime, batch: int = SLICE) -> int:
    """Give back what tills reserved and never used, and say how many; so that budgets and limits are free again."""
    ended = VoucherHold.objects.filter(until__lte=now).order_by("until")[:batch]
    holds = list(ended.values_list("pk", "voucher_id"))
    if not holds:
        return 0
    locked = Voucher.objects.select_for_update(no_key=True, skip_locked=True).filter(
        pk__in={voucher_id for _, voucher_id in holds}
    )
    free = set(locked.order_by("pk").values_list("pk", flat=True))
    return taking.drop_holds(VoucherHold.objects.filter(voucher_id__in=free, until__lte=now))


@dataclass(frozen=True, slots=True)
class Birthdays:
    """How many vouchers a run issued, and how many members had to go without because the stock ended."""

    issued: int
    without: int


@operation(permission="vouchers.run")
def issue_birthday_vouchers(definition: VoucherDefinition, *, actor: Actor, now: datetime) -> Birthdays:
    """Give every member whose birthday is within the definition's `days_before` a voucher, once for each birthday.

    Those born on 29 February have theirs on 28 February of common years. Safe to repeat. A definition that is not
    issued now, or whose stock ends, issues what it can.
    """
    locked = lock_definition(definition.pk)
    if not is_issuable(locked, now) or locked.issue_on != VoucherDefinition.IssueOn.BIRTHDAY:
        return Birthdays(0, 0)
    issued = without = 0
    for year, days in _birthdays_due(today(now), int(locked.issue_terms.get("days_before", 0))).items():
        with connection.cursor() as cursor:
            cursor.execute(_BORN, [days, locked.programme_id, locked.programme_id])
            members = [membership_id for (membership_id,) in cursor.fetchall()]
        wanted = without_voucher(locked, members, f"birthday:{year}")
        locked.refresh_from_db(fields=["issued"])
        left = stock_left(locked)
        chosen = wanted if left is None else wanted[:left]
        issued += len(write_vouchers(locked, chosen, occasion=f"birthday:{year}", actor=actor, now=now))
        without += len(wanted) - len(chosen)
    return Birthdays(issued, without)


@operation(permission="vouchers.run")
def issue_tier_vouchers(membership: Membership, tier: str, *, occasion: str, actor: Actor, now: datetime) -> int:
    """Give a member what those who reach `tier` get, and say how many vouchers. The same occasion again gives none."""
    return congratulate(membership, tier, occasion=occasion, actor=actor, now=now)


def _birthdays_due(day: date, days_before: int) -> dict[int, list[str]]:
    """The birthdays (`MMDD`) from `day` to so many days later, by the year they fall in."""
    due: dict[int, list[str]] = {}
    for ahead in range(days_before + 1):
        on = day + timedelta(days=ahead)
        found = due.setdefault(on.year, [])
        found.append(f"{on:%m%d}")
        if (on.month, on.day) == (2, 28) and (on + timedelta(days=1)).month == 3:
            found.append("0229")
    return due


def _checked_reason(reason: str) -> str:
    if not 0 < len(reason.strip()) <= 200:
        raise InvalidInput(_("Say why, in at most 200 characters."), details={"field": "reason"})
    return reason.strip()


def _tell(ids: Sequence[int], kind: str, *, at: datetime, actor: Actor, now: datetime) -> None:
    if ids:
        log_activities_from(_TELL.format(kind=kind), {"ids": list(ids), "at": at}, actor=actor, now=now)
