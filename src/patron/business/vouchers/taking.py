"""Taking vouchers: what a reservation and a use do alike. Inside the transaction of an operation.

Vouchers are locked first, all of a request in key order; what a member, a terminal or a budget may still take is
written behind them by the database, definitions in key order. So no two requests wait for each other in a circle.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db import IntegrityError, connection
from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.baskets import Basket, MemberFacts
from patron.business.loyalty.models import Membership
from patron.business.vouchers import errors
from patron.business.vouchers.models import VoucherHold, VoucherUse
from patron.business.vouchers.rules import Presented, VoucherTerms, Worth, grouped, normalised, worth_of_all
from patron.kernel.clock import today
from patron.kernel.errors import InvalidInput

LONGEST_KEY = 120
MOST_WRONG_CODES = 10
"""Codes that do not exist, typed at one terminal within an hour, before it takes no more vouchers."""

MOST_AT_ONCE = 20

_LOCK = """
SELECT v.id, v.code, v.printed, v.definition_id, d.name, d.terms::text, v.membership_id, v.status, v.uses_left,
    v.remaining, v.held, v.valid_from, v.valid_until
FROM vouchers_voucher v JOIN vouchers_voucherdefinition d ON d.id = v.definition_id
WHERE v.{by} = ANY(%s) ORDER BY v.id FOR NO KEY UPDATE OF v
"""

_WRONG = "SELECT coalesce(sum(attempts), 0) FROM vouchers_wrongcodes WHERE terminal = %s AND hour > %s"


@dataclass(frozen=True, slots=True)
class Found:
    """A voucher whose row is locked (or was just read)."""

    id: int
    code: str
    printed: str
    definition_id: int
    name: str
    terms_text: str
    membership_id: int | None
    status: str
    uses_left: int
    remaining: Decimal | None
    held: int
    valid_from: date
    valid_until: date | None

    @property
    def shown_code(self) -> str:
        return self.printed or grouped(self.code)

    @property
    def terms(self) -> VoucherTerms:
        return read_terms(self.terms_text)


@dataclass(frozen=True, slots=True)
class Given:
    """What a voucher gives (reserved) or gave (used): `amount` in all, `by_line` of the basket."""

    code: str
    shown_code: str
    name: str
    amount: Decimal
    by_line: Mapping[int, Decimal]


@lru_cache(maxsize=1024)
def read_terms(text: str) -> VoucherTerms:
    """The terms of a definition from the text of their JSON; the same text gives the same object."""
    return VoucherTerms.read(json.loads(text))


def lock_by_codes(codes: Sequence[str]) -> list[Found]:
    """The vouchers of these codes (as typed), locked, in the order given.

    Raises InvalidInput for the same code twice or too many, NoSuchVoucher.
    """
    wanted = [normalised(code) for code in codes]
    if not wanted or len(wanted) > MOST_AT_ONCE or len(set(wanted)) != len(wanted):
        raise InvalidInput(
            _("Present each voucher once, and at most %(most)s at a time.") % {"most": MOST_AT_ONCE},
            details={"field": "codes"},
        )
    found = {each.code: each for each in _rows(_LOCK.format(by="code"), [wanted])}
    unknown = [typed for typed, code in zip(codes, wanted, strict=True) if code not in found]
    if unknown:
        raise errors.NoSuchVoucher(details={"codes": unknown})
    return [found[code] for code in wanted]


def lock_by_ids(ids: Sequence[int]) -> list[Found]:
    """The vouchers of these keys, locked."""
    return _rows(_LOCK.format(by="id"), [list(ids)])


def _rows(statement: str, parameters: list[Any]) -> list[Found]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [Found(*row) for row in cursor.fetchall()]


def checked_key(request_key: str) -> str:
    if not 0 < len(request_key) <= LONGEST_KEY:
        raise InvalidInput(
            _("A request key has 1 to %(most)s characters.") % {"most": LONGEST_KEY}, details={"field": "request_key"}
        )
    return request_key


def wrong_codes(terminal: str, now: datetime) -> int:
    """How many codes that do not exist were typed at `terminal` within this hour of the clock."""
    if not terminal:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_WRONG, [terminal, now - timedelta(hours=1)])
        return int(cursor.fetchone()[0])


def require_calm(terminal: str, now: datetime) -> None:
    """Raise TooManyWrongCodes where guessing goes on."""
    if wrong_codes(terminal, now) >= MOST_WRONG_CODES:
        raise errors.TooManyWrongCodes(details={"terminal": terminal})


def without_stale_holds(found: Sequence[Found], now: datetime) -> list[Found]:
    """The locked vouchers once holds that have ended are gone. Reads holds only where there are any."""
    held = [each.id for each in found if each.held]
    if not held:
        return list(found)
    stale: dict[int, int] = {}
    for hold in VoucherHold.objects.filter(voucher_id__in=held, until__lte=now):
        stale[hold.voucher_id] = stale.get(hold.voucher_id, 0) + 1
    drop_holds(VoucherHold.objects.filter(voucher_id__in=stale, until__lte=now))
    return [replace(each, held=each.held - stale.get(each.id, 0)) for each in found]


def drop_holds(holds: Any) -> int:
    """Delete holds one after another in the order of their definitions, so that budgets are locked in that order."""
    ordered = list(holds.order_by("definition_id", "pk").values_list("pk", flat=True))
    for pk in ordered:
        VoucherHold.objects.filter(pk=pk)._raw_delete("default")
    return len(ordered)


def check_usable(each: Found, membership: Membership | None, day: date) -> None:
    """Raise why this voucher cannot be taken on `day`, whatever is bought."""
    details = {"code": each.shown_code}
    if each.status == "cancelled":
        raise errors.VoucherCancelled(details=details)
    if each.uses_left == 0:
        raise errors.VoucherUsed(details=details)
    if day < each.valid_from or (each.valid_until is not None and day > each.valid_until):
        raise errors.VoucherExpired(
            details={**details, "valid_from": str(each.valid_from), "valid_until": str(each.valid_until or "")}
        )
    if each.membership_id is not None and (membership is None or membership.pk != each.membership_id):
        raise errors.VoucherOfAnother(details=details)
    if each.held >= each.uses_left:
        raise errors.VoucherInUse(details=details)


def worths(found: Sequence[Found], basket: Basket, member: MemberFacts | None) -> dict[str, Worth]:
    """What each of the vouchers is worth beside the others, by code."""
    return worth_of_all([Presented(each.code, each.terms, each.remaining) for each in found], basket, member)


def decide(
    found: Sequence[Found], basket: Basket, membership: Membership | None, member: MemberFacts | None
) -> dict[str, Worth]:
    """What each of the locked vouchers gives. Raises why one of them cannot be taken."""
    if membership is not None and membership.status != Membership.Status.ACTIVE:
        membership = None
    for each in found:
        check_usable(each, membership, today(basket.at))
    decided = worths(found, basket, member if membership is not None else None)
    for each in found:
        if not decided[each.code].is_usable:
            raise errors.VoucherNotApplicable(
                details={
                    "code": each.shown_code,
                    "reason": str(decided[each.code].reason),
                    "missing": str(decided[each.code].missing),
                }
            )
    return decided


@contextmanager
def refusing_beyond_limits(request_key: str) -> Iterator[None]:
    """Tell what the database refuses in the words of the limit that was reached."""
    try:
        yield
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or ""
        if name in ("voucher_tally_within", "voucher_budget"):
            limit = "budget" if name == "voucher_budget" else "times"
            raise errors.VoucherLimitReached(details={"limit": limit}) from error
        if name in ("voucher_hold_once", "voucher_hold_of_request", "voucher_use_once"):
            raise errors.RequestKeyReused(details={"request_key": request_key}) from error
        if name in ("voucher_not_usable", "voucher_uses_within", "vouchers_voucher_uses_left_check"):
            raise errors.VoucherUsed from error
        raise


def given_by(rows: Sequence[VoucherHold | VoucherUse], found: Sequence[Found]) -> list[Given]:
    """Rows of holds or uses as an answer, in the order in which the vouchers were presented."""
    by_id = {each.id: each for each in found}
    return [
        Given(
            code=by_id[row.voucher_id].code,
            shown_code=by_id[row.voucher_id].shown_code,
            name=by_id[row.voucher_id].name,
            amount=row.amount,
            by_line={int(line_no): Decimal(amount) for line_no, amount in row.by_line.items()},
        )
        for row in sorted(rows, key=lambda row: row.line_no)
    ]
