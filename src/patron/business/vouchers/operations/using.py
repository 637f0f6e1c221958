"""Vouchers at the till: reserve, commit, use at once, release, undo.

Every request that takes value has a `request_key`: the same again gives the first answer, another request under the
same key is refused with RequestKeyReused. The vouchers' rows are locked, in key order; of one code at two tills at
once, one gets it and the other is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.baskets import Basket, MemberFacts
from patron.business.loyalty.models import Membership
from patron.business.purchases.models import Purchase
from patron.business.vouchers import errors, taking
from patron.business.vouchers.models import Voucher, VoucherHold, VoucherUse
from patron.business.vouchers.rules import normalised
from patron.business.vouchers.taking import Found, Given
from patron.core.activities.operations import log_activity
from patron.kernel.actor import Actor
from patron.kernel.clock import today
from patron.kernel.errors import InvalidInput
from patron.kernel.operation import operation

LONGEST_RESERVATION = timedelta(days=31)


@operation(permission="vouchers.use")
def reserve_vouchers(
    codes: Sequence[str],
    *,
    request_key: str,
    basket: Basket,
    membership: Membership | None,
    member: MemberFacts | None,
    until: datetime,
    actor: Actor,
    now: datetime,
    terminal: str = "",
    branch_id: int | None = None,
) -> list[Given]:
    """Keep these vouchers for this basket until `until`, and say what each takes off. Nobody else can use them.

    `membership` is who buys (None: nobody in particular), `member` the facts about them. A hold counts towards limits
    and budgets. Raises NoSuchVoucher, TooManyWrongCodes, VoucherCancelled, VoucherUsed, VoucherExpired,
    VoucherOfAnother, VoucherInUse, VoucherNotApplicable, VoucherLimitReached, RequestKeyReused, InvalidInput.
    """
    key = taking.checked_key(request_key)
    if not now < until <= now + LONGEST_RESERVATION:
        raise InvalidInput(_("Reserve until an instant to come, at most a month away."), details={"field": "until"})
    found = taking.lock_by_codes(codes)
    asked = _Asked(key, [each.id for each in found], membership, basket.net_amount)
    if earlier := asked.answered(list(VoucherHold.objects.filter(request_key=key, until__gt=now))):
        return taking.given_by(earlier, found)
    if earlier_uses := asked.answered(_committed(key)):
        return taking.given_by(earlier_uses, found)
    taking.require_calm(terminal, now)
    found = taking.without_stale_holds(found, now)
    decided = taking.decide(found, basket, membership, member)
    holds = [
        VoucherHold(
            voucher_id=each.id,
            definition_id=each.definition_id,
            membership=membership,
            request_key=key,
            line_no=place,
            amount=decided[each.code].amount,
            basket_amount=basket.net_amount,
            by_line=_written(decided[each.code].by_line),
            branch_id=branch_id,
            terminal=terminal,
            taken_on=today(basket.at),
            until=until,
        )
        for place, each in enumerate(found, start=1)
    ]
    with taking.refusing_beyond_limits(key):
        VoucherHold.objects.bulk_create(sorted(holds, key=lambda hold: (hold.definition_id, hold.voucher_id)))
    return taking.given_by(holds, found)


@operation(permission="vouchers.use")
def commit_vouchers(
    *,
    request_key: str,
    actor: Actor,
    now: datetime,
    purchase: Purchase | None = None,
    amounts: Mapping[str, Decimal] | None = None,
    at: datetime | None = None,
) -> list[Given]:
    """Use what was reserved under `request_key`. `amounts` (by code) may be less than reserved; codes that it leaves
    out are released. A reservation that has ended still counts while nobody else has taken the voucher.

    Raises NoReservation, InvalidInput for more than was reserved, RequestKeyReused for another purchase's.
    """
    key = taking.checked_key(request_key)
    found = taking.lock_by_ids(list(VoucherHold.objects.filter(request_key=key).values_list("voucher_id", flat=True)))
    uses = _committed(key)
    if uses:
        if purchase is not None and any(use.purchase_id != purchase.pk for use in uses):
            raise errors.RequestKeyReused(details={"request_key": key})
        return taking.given_by(uses, taking.lock_by_ids([use.voucher_id for use in uses]))
    # Read again, now that nobody can drop them; what was reserved only after the look above is not locked.
    kept = VoucherHold.objects.filter(request_key=key, voucher_id__in=[each.id for each in found])
    holds = list(kept)
    if not holds:
        raise errors.NoReservation(details={"request_key": key})
    wanted = _wanted(holds, found, amounts)
    taking.drop_holds(kept)
    uses = [
        VoucherUse(
            voucher_id=hold.voucher_id,
            definition_id=hold.definition_id,
            membership_id=hold.membership_id,
            request_key=key,
            line_no=hold.line_no,
            amount=amount,
            basket_amount=hold.basket_amount,
            by_line=hold.by_line if amount == hold.amount else {},
            branch_id=hold.branch_id,
            terminal=hold.terminal,
            taken_on=hold.taken_on,
            state=VoucherUse.State.COMMITTED,
            purchase=purchase,
            at=at or now,
            actor=actor.reference,
        )
        for hold, amount in wanted
    ]
    return _use(uses, found, key, actor=actor, now=now)


@operation(permission="vouchers.use")
def use_vouchers(
    codes: Sequence[str],
    *,
    request_key: str,
    basket: Basket,
    membership: Membership | None,
    member: MemberFacts | None,
    actor: Actor,
    now: datetime,
    purchase: Purchase | None = None,
    terminal: str = "",
    branch_id: int | None = None,
) -> list[Given]:
    """Use these vouchers on this basket at once, without a reservation. Valid on the basket's day.

    Raises what `reserve_vouchers` raises.
    """
    key = taking.checked_key(request_key)
    found = taking.lock_by_codes(codes)
    asked = _Asked(key, [each.id for each in found], membership, basket.net_amount)
    if earlier := asked.answered(_committed(key)):
        return taking.given_by(earlier, found)
    taking.require_calm(terminal, now)
    found = taking.without_stale_holds(found, now)
    decided = taking.decide(found, basket, membership, member)
    uses = [
        VoucherUse(
            voucher_id=each.id,
            definition_id=each.definition_id,
            membership=membership,
            request_key=key,
            line_no=place,
            amount=decided[each.code].amount,
            basket_amount=basket.net_amount,
            by_line=_written(decided[each.code].by_line),
            branch_id=branch_id,
            terminal=terminal,
            taken_on=today(basket.at),
            state=VoucherUse.State.COMMITTED,
            purchase=purchase,
            at=basket.at,
            actor=actor.reference,
        )
        for place, each in enumerate(found, start=1)
    ]
    return _use(uses, found, key, actor=actor, now=now)


@operation(permission="vouchers.use")
def release_vouchers(*, request_key: str, actor: Actor, now: datetime) -> int:
    """Give back what was reserved under `request_key`, and say how many. Safe to repeat."""
    held = VoucherHold.objects.filter(request_key=taking.checked_key(request_key))
    locked = taking.lock_by_ids(list(held.values_list("voucher_id", flat=True)))
    return taking.drop_holds(held.filter(voucher_id__in=[each.id for each in locked]))


@dataclass(frozen=True, slots=True)
class Returned:
    """A voucher whose use was undone. `is_back`: it can be used again; otherwise its last day is past."""

    code: str
    shown_code: str
    name: str
    amount: Decimal
    is_back: bool


@operation(permission="vouchers.use")
def undo_vouchers(
    *, actor: Actor, now: datetime, purchase: Purchase | None = None, request_key: str = ""
) -> list[Returned]:
    """Undo the uses of a purchase (or of a request) that is voided, or came back whole. Safe to repeat: what is undone
    already is left out.

    A voucher still within its days can be used again; a cash voucher has its money back.
    """
    if purchase is None and not request_key:
        raise InvalidInput(_("Say which purchase, or which request, to undo."), details={"field": "purchase"})
    committed = VoucherUse.objects.filter(state=VoucherUse.State.COMMITTED, undone_by__isnull=True)
    committed = (
        committed.filter(purchase=purchase) if purchase is not None else committed.filter(request_key=request_key)
    )
    found = {each.id: each for each in taking.lock_by_ids(list(committed.values_list("voucher_id", flat=True)))}
    uses = list(committed.filter(voucher_id__in=found).order_by("definition_id", "voucher_id", "pk"))
    if not uses:
        return []
    VoucherUse.objects.bulk_create(
        VoucherUse(
            voucher_id=use.voucher_id,
            definition_id=use.definition_id,
            membership_id=use.membership_id,
            request_key=f"undo:{use.request_key}",
            line_no=use.line_no,
            amount=use.amount,
            basket_amount=use.basket_amount,
            by_line=use.by_line,
            branch_id=use.branch_id,
            terminal=use.terminal,
            taken_on=use.taken_on,
            state=VoucherUse.State.UNDONE,
            undoes=use,
            purchase_id=use.purchase_id,
            at=now,
            actor=actor.reference,
        )
        for use in uses
    )
    day = today(now)
    past = [each.id for each in found.values() if each.valid_until is not None and each.valid_until < day]
    if past:
        Voucher.objects.filter(pk__in=past, status=Voucher.Status.ISSUED).update(status=Voucher.Status.EXPIRED)
    done = []
    for use in uses:
        each = found[use.voucher_id]
        is_back = each.id not in past and each.status != "cancelled"
        done.append(Returned(each.code, each.shown_code, each.name, use.amount, is_back))
        _tell(use, each, "voucher.given_back", {"amount": str(use.amount), "back": is_back}, actor=actor, now=now)
    return done


@operation(permission="vouchers.use")
def note_wrong_codes(*, terminal: str, count: int, actor: Actor, now: datetime) -> int:
    """Count codes that do not exist, typed at a terminal; say how many there were within the hour.

    The refusal of such a code undoes its own transaction, so whoever caught it counts it in another. From
    `taking.MOST_WRONG_CODES` on the terminal's vouchers are refused for the rest of the hour.
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO vouchers_wrongcodes AS w (terminal, hour, attempts) VALUES (%s, %s, %s) "
            "ON CONFLICT (terminal, hour) DO UPDATE SET attempts = w.attempts + EXCLUDED.attempts",
            [terminal, hour, count],
        )
    return taking.wrong_codes(terminal, now)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request as it is compared with what was answered under its key."""

    key: str
    vouchers: list[int]
    membership: Membership | None
    basket_amount: Decimal

    def answered(self, rows: "list[VoucherHold] | list[VoucherUse]") -> "list[VoucherHold] | list[VoucherUse]":
        """`rows` if they say what is asked. Raises RequestKeyReused otherwise; none at all is no answer."""
        if not rows:
            return rows
        rows.sort(key=lambda row: row.line_no)
        member = self.membership.pk if self.membership is not None else None
        same = [row.voucher_id for row in rows] == self.vouchers and all(
            row.membership_id == member and row.basket_amount == self.basket_amount for row in rows
        )
        if not same:
            raise errors.RequestKeyReused(details={"request_key": self.key})
        return rows


def _committed(key: str) -> list[VoucherUse]:
    return list(VoucherUse.objects.filter(request_key=key, state=VoucherUse.State.COMMITTED))


def _written(by_line: Mapping[int, Decimal]) -> dict[str, str]:
    return {str(line_no): str(amount) for line_no, amount in by_line.items()}


def _wanted(
    holds: Sequence[VoucherHold], found: Sequence[Found], amounts: Mapping[str, Decimal] | None
) -> list[tuple[VoucherHold, Decimal]]:
    """The holds to be used, each with its amount."""
    if amounts is None:
        return [(hold, hold.amount) for hold in holds]
    codes = {each.id: each.code for each in found}
    asked = {normalised(code): amount for code, amount in amounts.items()}
    if unknown := set(asked) - set(codes.values()):
        raise errors.NoReservation(details={"codes": sorted(unknown)})
    chosen = [(hold, asked[codes[hold.voucher_id]]) for hold in holds if codes[hold.voucher_id] in asked]
    for hold, amount in chosen:
        if not 0 < amount <= hold.amount:
            raise InvalidInput(
                _("A voucher gives at most what was reserved: %(most)s.") % {"most": hold.amount},
                details={"field": "amounts"},
            )
    return chosen


def _use(uses: list[VoucherUse], found: Sequence[Found], key: str, *, actor: Actor, now: datetime) -> list[Given]:
    with taking.refusing_beyond_limits(key):
        VoucherUse.objects.bulk_create(sorted(uses, key=lambda use: (use.definition_id, use.voucher_id)))
    by_id = {each.id: each for each in found}
    for use in uses:
        _tell(use, by_id[use.voucher_id], "voucher.used", {"amount": str(use.amount)}, actor=actor, now=now)
    return taking.given_by(uses, found)


def _tell(use: VoucherUse, each: Found, kind: str, facts: Mapping[str, object], *, actor: Actor, now: datetime) -> None:
    if use.membership_id is None:
        return
    is_at_hand = VoucherUse._meta.get_field("membership").is_cached(use)
    customer_id = (
        use.membership.customer_id  # type: ignore[union-attr]
        if is_at_hand
        else Membership.objects.values_list("customer_id", flat=True).get(pk=use.membership_id)
    )
    log_activity(
        actor=actor,
        now=now,
        customer_id=customer_id,
        kind=kind,
        occurred_at=min(use.at, now) if kind == "voucher.used" else now,
        branch_id=use.branch_id,
        source=f"vouchers.voucher:{use.voucher_id}",
        facts={"name": each.name, **facts},
    )
