"""What the till asks: which vouchers a member can use on a basket, and what the codes on the counter are worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from patron.business.loyalty.baskets import Basket, MemberFacts
from patron.business.loyalty.models import Membership
from patron.business.vouchers import taking
from patron.business.vouchers.errors import NoSuchVoucher, TooManyWrongCodes
from patron.business.vouchers.queries.words import promise, reason_words
from patron.business.vouchers.rules import Presented, Worth, normalised, worth_of, worth_of_all
from patron.business.vouchers.taking import Found
from patron.kernel.clock import today
from patron.kernel.errors import DomainError

MOST_SHOWN = 100

_SELECT = """
SELECT v.id, v.code, v.printed, v.definition_id, d.name, d.terms::text, v.membership_id, v.status, v.uses_left,
    v.remaining, CASE WHEN v.held > 0 THEN (
        SELECT count(*)::int FROM vouchers_voucherhold h WHERE h.voucher_id = v.id AND h.until > %(now)s
            AND h.request_key <> %(key)s) ELSE 0 END,
    v.valid_from, v.valid_until
FROM vouchers_voucher v JOIN vouchers_voucherdefinition d ON d.id = v.definition_id
"""

_OF_MEMBER = (
    _SELECT
    + """
WHERE v.membership_id = %(membership)s AND v.status = 'issued'
    AND %(day)s BETWEEN v.valid_from AND coalesce(v.valid_until, 'infinity')
    AND (d.member_limit IS NULL OR NOT EXISTS (SELECT FROM vouchers_vouchertally t
        WHERE t.definition_id = d.id AND t.scope = 'member:' || %(membership)s AND t.uses >= d.member_limit))
ORDER BY v.valid_until NULLS LAST, v.id LIMIT %(most)s
"""
)

_OF_CODES = _SELECT + "WHERE v.code = ANY(%(codes)s)"


@dataclass(frozen=True, slots=True)
class UsableVoucher:
    """A voucher of the member: what it takes off the basket by itself, and what the cashier may say.

    `promise` is what it gives in general, `words` why it gives nothing here (empty where it gives something).
    """

    code: str
    shown_code: str
    name: str
    worth: Worth
    promise: str
    words: str
    valid_until: date | None
    remaining: Decimal | None


def vouchers_at_hand(
    membership: Membership, basket: Basket, *, member: MemberFacts, now: datetime, request_key: str = ""
) -> list[UsableVoucher]:
    """The member's vouchers of the day, the most worth first, also those that this basket is too small for.

    Held ones are left out unless `request_key` holds them. One query; at most 100, those that end soonest.
    """
    values = {"membership": membership.pk, "day": today(basket.at), "now": now, "key": request_key, "most": MOST_SHOWN}
    found = [each for each in _rows(_OF_MEMBER, values) if each.held < each.uses_left]
    shown = [_shown(each, worth_of(each.terms, basket, member, remaining=each.remaining)) for each in found]
    return sorted(shown, key=lambda each: -each.worth.amount)


def usable_vouchers(
    membership: Membership, basket: Basket, *, member: MemberFacts, now: datetime, request_key: str = ""
) -> list[UsableVoucher]:
    """Those of `vouchers_at_hand` that take something off this basket."""
    at_hand = vouchers_at_hand(membership, basket, member=member, now=now, request_key=request_key)
    return [each for each in at_hand if each.worth.is_usable]


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """A code on the counter: what it takes off beside the others, or why it cannot be used.

    `refusal` is the stable code of the refusal (`no_such_voucher`, `voucher_used`, `voucher_not_applicable` …), empty
    for one that can be used; `words` say it to the cashier.
    """

    typed: str
    code: str
    shown_code: str
    name: str
    worth: Worth
    refusal: str
    words: str

    @property
    def is_usable(self) -> bool:
        return not self.refusal


def check_codes(
    codes: Sequence[str],
    basket: Basket,
    *,
    membership: Membership | None,
    member: MemberFacts | None,
    now: datetime,
    terminal: str = "",
    request_key: str = "",
) -> list[CodeCheck]:
    """What each of the codes (as typed) would do, in the order given; nothing is taken. Two queries.

    Holds of `request_key` itself do not count against it. Whoever shows codes refused as `no_such_voucher` counts them
    with `note_wrong_codes`. Raises TooManyWrongCodes.
    """
    wanted = list(dict.fromkeys(normalised(code) for code in codes))[: taking.MOST_AT_ONCE]
    if not wanted:
        return []
    if taking.wrong_codes(terminal, now) >= taking.MOST_WRONG_CODES:
        raise TooManyWrongCodes(details={"terminal": terminal})
    found = {each.code: each for each in _rows(_OF_CODES, {"codes": wanted, "now": now, "key": request_key})}
    refusals = {code: _refusal(found.get(code), membership, today(basket.at)) for code in wanted}
    fit = [found[code] for code in wanted if refusals[code] is None]
    worths = worth_of_all([Presented(each.code, each.terms, each.remaining) for each in fit], basket, member)
    typed = {normalised(code): code for code in reversed(codes)}
    return [_checked(typed[code], code, found.get(code), refusals[code], worths.get(code)) for code in wanted]


def _rows(statement: str, values: dict[str, Any]) -> list[Found]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [Found(*row) for row in cursor.fetchall()]


def _shown(each: Found, worth: Worth) -> UsableVoucher:
    return UsableVoucher(
        code=each.code,
        shown_code=each.shown_code,
        name=each.name,
        worth=worth,
        promise=promise(each.terms),
        words=reason_words(worth, each.terms),
        valid_until=each.valid_until,
        remaining=each.remaining,
    )


def _refusal(each: Found | None, membership: Membership | None, day: date) -> DomainError | None:
    if each is None:
        return NoSuchVoucher()
    try:
        taking.check_usable(each, membership, day)
    except DomainError as refusal:
        return refusal
    return None


def _checked(typed: str, code: str, each: Found | None, refusal: DomainError | None, worth: Worth | None) -> CodeCheck:
    if worth is not None and each is not None:
        is_usable = worth.is_usable
        return CodeCheck(
            typed=typed,
            code=code,
            shown_code=each.shown_code,
            name=each.name,
            worth=worth,
            refusal="" if is_usable else "voucher_not_applicable",
            words=reason_words(worth, each.terms),
        )
    return CodeCheck(
        typed=typed,
        code=code,
        shown_code=each.shown_code if each else typed,
        name=each.name if each else "",
        worth=Worth(),
        refusal=refusal.code if refusal else "",
        words=str(refusal or ""),
    )
