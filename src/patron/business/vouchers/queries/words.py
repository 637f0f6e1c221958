"""Vouchers in words: what their terms promise, and why one gives nothing."""

from datetime import date
from decimal import Decimal

from django.utils import dates
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from patron.business.vouchers.rules import Kind, Reason, VoucherTerms, Worth
from patron.kernel.ui import formats

_SEVERAL = 4
"""So many names are written out; of more, how many there are."""


def promise(terms: VoucherTerms) -> str:
    """What it gives, in a few words: `HK$50 off`, `10 % off, at most HK$80`."""
    match terms.kind:
        case Kind.AMOUNT:
            words = _("%(amount)s off") % {"amount": _money(terms.value, terms)}
        case Kind.PERCENT:
            words = _("%(percent)s off") % {"percent": formats.percent(terms.value / 100, _places(terms.value))}
        case Kind.PRODUCT:
            words = ngettext("%(count)s piece for nothing", "%(count)s pieces for nothing", int(terms.value)) % {
                "count": formats.count(terms.value)
            }
        case Kind.FREE_ITEM:
            words = ngettext(
                "the cheapest piece for nothing", "the %(count)s cheapest pieces for nothing", int(terms.value)
            ) % {"count": formats.count(terms.value)}
        case Kind.SHIPPING:
            words = _("delivery for nothing, up to %(amount)s") % {"amount": _money(terms.value, terms)}
    if terms.most is not None:
        words = _("%(promise)s, at most %(amount)s") % {"promise": words, "amount": _money(terms.most, terms)}
    return words


def conditions(terms: VoucherTerms) -> list[str]:
    """What it asks for, each in a few words; nothing for a voucher without conditions."""
    return [words for words in (*_of_goods(terms), *_of_occasion(terms), *_of_use(terms)) if words]


def sentence(terms: VoucherTerms) -> str:
    """The whole promise as one sentence for people."""
    words = promise(terms)
    if asked := conditions(terms):
        words = _("%(promise)s: %(conditions)s") % {"promise": words, "conditions": _("; ").join(asked)}
    return _("%(words)s.") % {"words": words[0].upper() + words[1:]}


def reason_words(worth: Worth, terms: VoucherTerms) -> str:
    """What the cashier may say when a voucher gives nothing; empty where it gives something."""
    match worth.reason:
        case Reason.NONE:
            return ""
        case Reason.BRANCH:
            return _("This voucher is not for this branch.")
        case Reason.WHEN:
            return _("This voucher is not for this day or hour.")
        case Reason.MEMBER_NEEDED:
            return _("This voucher is for members: ask for the card.")
        case Reason.WHO:
            return _("This voucher is for other members.")
        case Reason.NO_ITEMS:
            return _("Nothing in the basket is what this voucher is for.")
        case Reason.MINIMUM_QUANTITY:
            return _("%(count)s more of what it is for, and the voucher can be used.") % {
                "count": formats.decimal(worth.missing, 0 if worth.missing == worth.missing // 1 else 2)
            }
        case Reason.MINIMUM_SPEND:
            return _("Spend %(amount)s more, and the voucher can be used.") % {"amount": _money(worth.missing, terms)}
        case Reason.NOT_COMBINABLE:
            return _("This voucher cannot be used together with the others.")
        case Reason.NOTHING_LEFT:
            return _("Nothing is left on this voucher.")
        case Reason.NOTHING_TO_PAY:
            return _("Nothing is left to pay for what this voucher is for.")


def _of_goods(terms: VoucherTerms) -> list[str]:
    goods = terms.products
    return [
        _("on %(names)s") % {"names": _named(goods.categories | goods.brands | goods.products)}
        if not goods.is_open
        else "",
        _("from %(amount)s") % {"amount": _money(terms.minimum_spend, terms)} if terms.minimum_spend else "",
        _("from %(count)s pieces") % {"count": formats.count(terms.minimum_quantity)} if terms.minimum_quantity else "",
    ]


def _of_occasion(terms: VoucherTerms) -> list[str]:
    when = terms.when
    return [
        _("in %(names)s") % {"names": _named(terms.branches)} if terms.branches else "",
        _span(when.from_on, when.until_on),
        _("on %(days)s") % {"days": _("; ").join(str(dates.WEEKDAYS[day - 1]) for day in sorted(when.weekdays))}
        if when.weekdays
        else "",
        _("from %(start)s to %(end)s")
        % {
            "start": f"{when.from_time:%H:%M}" if when.from_time else "00:00",
            "end": f"{when.until_time:%H:%M}" if when.until_time else "24:00",
        }
        if when.from_time or when.until_time
        else "",
        _("for members of %(names)s") % {"names": _named(terms.who.tiers | terms.who.segments)}
        if not terms.who.is_open
        else "",
    ]


def _of_use(terms: VoucherTerms) -> list[str]:
    return [
        _("usable %(count)s times") % {"count": formats.count(terms.uses)} if terms.uses > 1 else "",
        ngettext("%(count)s for each member", "%(count)s for each member", terms.member_limit)
        % {"count": formats.count(terms.member_limit)}
        if terms.member_limit
        else "",
        _("what is left stays on it") if terms.partial_use else "",
        "" if terms.combinable else _("not together with others"),
        _("may be handed over") if terms.transferable else "",
    ]


def _span(first: date | None, last: date | None) -> str:
    if first and last:
        return _("from %(first)s to %(last)s") % {"first": formats.day(first), "last": formats.day(last)}
    if first:
        return _("from %(first)s on") % {"first": formats.day(first)}
    return _("up to %(last)s") % {"last": formats.day(last)} if last else ""


def _named(names: frozenset[str]) -> str:
    ordered = sorted(names)
    if len(ordered) <= _SEVERAL:
        return _(", ").join(ordered)
    return _("%(first)s and %(count)s others") % {"first": ordered[0], "count": formats.count(len(ordered) - 1)}


def _money(amount: Decimal, terms: VoucherTerms) -> str:
    return formats.money(amount, terms.currency, places=0 if amount == amount // 1 else None)


def _places(value: Decimal) -> int:
    return 0 if value == value // 1 else 1 if value * 10 == value * 10 // 1 else 2
