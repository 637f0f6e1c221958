"""Issuing vouchers: to members by the hundred or one by one, as codes for whoever holds them, and for points.

A voucher is issued to a member once for an occasion (`birthday:2026`, `campaign:12`): asking again gives no second.
Issuing locks the definition's row.
"""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.models import Membership
from patron.business.loyalty.operations import spend_points
from patron.business.vouchers.errors import NotForSale, RequestKeyReused
from patron.business.vouchers.issues import (
    checked_occasion,
    insert_vouchers,
    lock_definition,
    require_issuable,
    require_stock,
    without_voucher,
    write_vouchers,
)
from patron.business.vouchers.models import Voucher, VoucherDefinition
from patron.business.vouchers.rules import new_codes, normalised
from patron.business.vouchers.rules.codes import LONGEST_WORD, SHORTEST_WORD
from patron.kernel.actor import Actor
from patron.kernel.errors import Conflict, InvalidInput
from patron.kernel.operation import operation

MOST_CODES = 100_000
SLICE = 5000


@operation(permission="vouchers.issue")
def issue_vouchers(
    definition: VoucherDefinition,
    membership_ids: Sequence[int],
    *,
    occasion: str,
    actor: Actor,
    now: datetime,
) -> int:
    """Give each of these active members a voucher for `occasion`, and say how many were new. Safe to repeat.

    Members of another programme than the definition's, and those who have it, are passed over. Raises NotIssued,
    NoneLeft (`details`: left) when the stock does not suffice for all: then nobody gets any.
    """
    locked = require_issuable(lock_definition(definition.pk), now)
    wanted = without_voucher(locked, membership_ids, occasion)
    require_stock(locked, len(wanted))
    return len(write_vouchers(locked, wanted, occasion=occasion, actor=actor, now=now))


@operation(permission="vouchers.issue")
def give_voucher(
    definition: VoucherDefinition, membership: Membership, *, request_key: str, actor: Actor, now: datetime
) -> Voucher:
    """Give one member a voucher by hand. The same request again gives the first one.

    Raises InvalidInput for a member who is not active or in another programme, NotIssued, NoneLeft.
    """
    occasion = f"hand:{checked_occasion(request_key)}"
    locked = lock_definition(definition.pk)
    if earlier := _issued(definition, membership, occasion):
        return earlier
    require_issuable(locked, now)
    require_stock(locked, 1)
    if not without_voucher(locked, [membership.pk], occasion):
        raise InvalidInput(_("This member is not active, or in another programme."), details={"field": "member"})
    (voucher_id,) = write_vouchers(locked, [membership.pk], occasion=occasion, actor=actor, now=now)
    return Voucher.objects.get(pk=voucher_id)


@operation(permission="vouchers.codes")
def issue_codes(definition: VoucherDefinition, count: int, *, request_key: str, actor: Actor, now: datetime) -> int:
    """Make `count` codes for whoever holds them, under the batch `request_key`, and say how many there are.

    Safe to repeat. Raises NotIssued, NoneLeft, InvalidInput, RequestKeyReused for another count.
    """
    if not 0 < count <= MOST_CODES:
        raise InvalidInput(
            _("From 1 to %(most)s codes at a time.") % {"most": f"{MOST_CODES:,}"}, details={"field": "count"}
        )
    locked = require_issuable(lock_definition(definition.pk), now)
    occasion = f"codes:{checked_occasion(request_key)}"
    made = Voucher.objects.filter(definition=locked, issued_to=None, occasion=occasion).count()
    if made == count:
        return made
    if made:
        raise RequestKeyReused(details={"request_key": request_key})
    require_stock(locked, count)
    codes = list(new_codes(count))
    for start in range(0, count, SLICE):
        part = codes[start : start + SLICE]
        insert_vouchers(locked, [None] * len(part), part, [""] * len(part), occasion=occasion, now=now, once=False)
    return count


@operation(permission="vouchers.codes")
def issue_word(definition: VoucherDefinition, word: str, *, actor: Actor, now: datetime) -> Voucher:
    """Make one code that people can remember, such as `SUMMER26`, for all. Its terms say how often it is used.

    Safe to repeat. Raises InvalidInput, Conflict where the word is taken, NotIssued, NoneLeft.
    """
    code = normalised(word)
    if not SHORTEST_WORD <= len(code) <= LONGEST_WORD or len(word.strip()) > 40:
        raise InvalidInput(
            _("A code that people remember has %(least)s to %(most)s letters and digits.")
            % {"least": SHORTEST_WORD, "most": LONGEST_WORD},
            details={"field": "word"},
        )
    locked = require_issuable(lock_definition(definition.pk), now)
    taken = Voucher.objects.filter(code=code).first()
    if taken is not None:
        if taken.definition_id == locked.pk and taken.membership_id is None:
            return taken
        raise Conflict(_("This code is taken. Choose another one."), details={"field": "word"})
    require_stock(locked, 1)
    insert_vouchers(locked, [None], [code], [word.strip().upper()], occasion=f"word:{code}", now=now, once=False)
    return Voucher.objects.get(code=code)


@operation(permission="vouchers.buy")
def buy_voucher(
    definition: VoucherDefinition,
    membership: Membership,
    *,
    request_key: str,
    actor: Actor,
    now: datetime,
    branch_id: int | None = None,
) -> Voucher:
    """Give a member a voucher for points, both or neither. The same request again gives the voucher bought first.

    Locks the definition, then the member's points. Raises NotForSale, NotIssued, NoneLeft, and what `spend_points`
    raises (InsufficientPoints …).
    """
    occasion = f"points:{checked_occasion(request_key)}"
    locked = lock_definition(definition.pk)
    if earlier := _issued(definition, membership, occasion):
        return earlier
    require_issuable(locked, now)
    if locked.points_price is None or locked.programme_id not in (None, membership.programme_id):
        raise NotForSale(details={"definition": locked.code})
    require_stock(locked, 1)
    ids = write_vouchers(locked, [membership.pk], occasion=occasion, actor=actor, now=now, kind="voucher.bought")
    spend_points(
        membership,
        locked.points_price,
        request_key=f"voucher:{request_key}",
        actor=actor,
        now=now,
        reason=locked.name,
        branch_id=branch_id,
    )
    return Voucher.objects.get(pk=ids[0])


def _issued(definition: VoucherDefinition, membership: Membership, occasion: str) -> Voucher | None:
    return Voucher.objects.filter(definition=definition, issued_to=membership, occasion=occasion).first()
