"""The terms of a programme as sentences in the reader's language. Pure: terms in, words out.

Where an order of words matters, it is the translation's: `%(effect)s` and what it depends on are named.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from django.utils.dates import WEEKDAYS
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from patron.business.loyalty.filters import ProductFilter, WhenFilter
from patron.business.loyalty.rules.terms import Base, Bonus, Cap, Event, Expiry, Paying, Terms
from patron.business.loyalty.rules.tiers import Tier, TierTerms
from patron.kernel.ui import formats
from patron.kernel.ui.badges import STAGE_LABELS, VALUE_CLASS_LABELS

Names = Mapping[str, str]
"""What to call products, branches and tiers, by code; a code without a name stands for itself."""

TENDERS: dict[str, str | Promise] = {
    "cash": gettext_lazy("Cash"),
    "card": gettext_lazy("Credit or debit card"),
    "mobile": gettext_lazy("Mobile payment"),
    "transfer": gettext_lazy("Bank transfer"),
    "cheque": gettext_lazy("Cheque"),
    "stored_value": gettext_lazy("Stored value"),
    "voucher": gettext_lazy("Voucher"),
    "points": gettext_lazy("Points"),
    "other": gettext_lazy("Other"),
}
CHANNELS: dict[str, str | Promise] = {
    "store": gettext_lazy("In the shop"),
    "web": gettext_lazy("Online shop"),
    "app": gettext_lazy("App"),
    "phone": gettext_lazy("By phone"),
}
KINDS: dict[str, str | Promise] = {
    "gift_card": gettext_lazy("Gift cards"),
    "stored_value": gettext_lazy("Top-ups of stored value"),
}
MEASURES: dict[str, str | Promise] = {
    "qualifying": gettext_lazy("Qualifying points"),
    "spend": gettext_lazy("Money spent"),
    "visits": gettext_lazy("Visits"),
}
ONCE: dict[str, str | Promise] = {
    "ever": gettext_lazy("once in a lifetime"),
    "year": gettext_lazy("once a year"),
    "day": gettext_lazy("once a day"),
    "always": gettext_lazy("every time"),
}
ALL = Decimal(100)
"""Per cent of a purchase."""


# --- small words -------------------------------------------------------------------------------------------------


def number(value: Decimal) -> str:
    """With as many decimals as there are."""
    return formats.decimal(value, max(0, -int(value.normalize().as_tuple().exponent)))


def points(value: Decimal, unit: str = "points") -> str:
    """`1 point`, `2.5 points`, `3 stamps`."""
    plural = 1 if value == 1 else 2
    if unit == "stamps":
        return ngettext("%(count)s stamp", "%(count)s stamps", plural) % {"count": number(value)}
    return ngettext("%(count)s point", "%(count)s points", plural) % {"count": number(value)}


def either(parts: Iterable[str]) -> str:
    """`a, b or c`."""
    listed = list(parts)
    if len(listed) < 2:
        return "".join(listed)
    return _("%(first)s or %(last)s") % {"first": _listed(listed[:-1]), "last": listed[-1]}


def _listed(parts: Sequence[str]) -> str:
    return pgettext("between the parts of a list", ", ").join(parts)


def sentence(parts: Iterable[str]) -> str:
    """Clauses as one sentence, with a capital and a stop."""
    said = pgettext("between the parts of a sentence", ", ").join(part for part in parts if part)
    return _("%(words)s.") % {"words": capfirst(said)} if said else ""


def segment(code: str) -> str:
    """`value:A` or `lifecycle:mature` by the name that people know."""
    model, _colon, label = code.partition(":")
    known = {"value": VALUE_CLASS_LABELS, "lifecycle": STAGE_LABELS}.get(model, {})
    return str(known.get(label.lower(), label or code))


def _named(codes: Iterable[str], names: Mapping[str, str | Promise]) -> str:
    return either(str(names.get(code, code)) for code in sorted(codes))


# --- earning -----------------------------------------------------------------------------------------------------


def base_words(base: Base, currency: str) -> str:
    """`1 point per HK$1.00`."""
    if base.per_amount is None:
        return _("%(points)s for each item") % {"points": points(base.points)}
    values = {"points": points(base.points), "amount": formats.money(base.per_amount, currency)}
    if base.whole_units:
        return _("%(points)s per %(amount)s") % values
    return _("%(points)s per %(amount)s, and a part of it for a part of the amount") % values


def earning_words(terms: Terms, currency: str) -> str:
    """The base rate, rounding, and how multipliers work together."""
    rounding = {
        "down": _("parts of a point are dropped"),
        "half_up": _("points are rounded to the nearest"),
        "up": _("a part of a point counts as a whole one"),
    }[terms.rounding]
    combine = {
        "multiply": _("multipliers multiply one another"),
        "add": _("multipliers add up"),
    }[terms.combine]
    several = sum(bonus.effect == "multiply" for bonus in terms.all_bonuses) > 1
    return sentence([base_words(terms.base, currency), rounding, combine if several else ""])


def bonus_words(bonus: Bonus, currency: str, names: Names | None = None) -> str:
    """The bonus as one sentence: what it gives on what, then its conditions."""
    names = names or {}
    effect = _effect(bonus, currency)
    if not bonus.products.is_open:
        effect = _("%(effect)s on %(goods)s") % {"effect": effect, "goods": goods_words(bonus.products, names)}
    return sentence([effect, *_conditions(bonus, currency, names)])


def _effect(bonus: Bonus, currency: str) -> str:
    given = points(bonus.points, bonus.unit)
    match bonus.effect:
        case "multiply" if bonus.factor == 2:
            return _("double points")
        case "multiply" if bonus.factor == 3:
            return _("triple points")
        case "multiply":
            return _("%(factor)s × points") % {"factor": number(bonus.factor)}
        case "per_amount":
            amount = formats.money(bonus.amount, currency)
            return _("%(points)s more per %(amount)s") % {"points": given, "amount": amount}
        case "per_item":
            return _("%(points)s more for each item") % {"points": given}
        case _:
            return _("%(points)s more") % {"points": given}


def goods_words(products: ProductFilter, names: Names | None = None) -> str:
    """Products, brands and the last part of categories' paths."""
    names = names or {}
    return either(
        [
            *(path.rpartition(" > ")[2] for path in sorted(products.categories)),
            *sorted(products.brands),
            *(names.get(code, code) for code in sorted(products.products)),
        ]
    )


def _conditions(bonus: Bonus, currency: str, names: Names) -> list[str]:
    found = when_words(bonus.when)
    if bonus.who.tiers:
        found.append(_("for %(tiers)s members") % {"tiers": _named(bonus.who.tiers, names)})
    if bonus.who.segments:
        labels = either(segment(code) for code in sorted(bonus.who.segments))
        found.append(_("for customers who are %(segments)s") % {"segments": labels})
    if bonus.branches:
        found.append(_("in %(branches)s") % {"branches": _named(bonus.branches, names)})
    if bonus.channels:
        found.append(_("sold through: %(channels)s") % {"channels": _named(bonus.channels, CHANNELS)})
    if bonus.tenders:
        found.append(_("paid by: %(means)s") % {"means": _named(bonus.tenders, TENDERS)})
    if bonus.birthday:
        found.append(
            {
                "day": _("on the birthday"),
                "week": _("in the week of the birthday"),
                "month": _("in the month of the birthday"),
            }[bonus.birthday]
        )
    if bonus.first_purchase:
        found.append(_("on the first purchase"))
    if bonus.every_nth_visit:
        found.append(_("every %(n)s visits") % {"n": bonus.every_nth_visit})
    if bonus.minimum is not None:
        found.append(_("from %(amount)s in one purchase") % {"amount": formats.money(bonus.minimum, currency)})
    found += cap_words(bonus.cap, bonus.unit)
    if bonus.group:
        found.append(_("only the best of “%(group)s” counts") % {"group": bonus.group})
    if bonus.qualifies:
        found.append(_("counts towards the tier"))
    return found


def when_words(when: WhenFilter) -> list[str]:
    """Weekdays, hours and days."""
    found = []
    if when.weekdays:
        days = either(str(WEEKDAYS[day - 1]) for day in sorted(when.weekdays))
        found.append(_("every %(days)s") % {"days": days})
    hours = {
        "start": f"{when.from_time:%H:%M}" if when.from_time else "",
        "end": f"{when.until_time:%H:%M}" if when.until_time else "",
    }
    if hours["start"] and hours["end"]:
        found.append(_("from %(start)s to %(end)s o'clock") % hours)
    elif hours["start"]:
        found.append(_("from %(start)s o'clock") % hours)
    elif hours["end"]:
        found.append(_("until %(end)s o'clock") % hours)
    days_ = {"start": formats.day(when.from_on), "end": formats.day(when.until_on)}
    if when.from_on and when.until_on:
        found.append(_("from %(start)s to %(end)s") % days_)
    elif when.from_on:
        found.append(_("from %(start)s on") % days_)
    elif when.until_on:
        found.append(_("until %(end)s") % days_)
    return found


def cap_words(cap: Cap, unit: str = "points") -> list[str]:
    """The most points (or stamps) of a purchase, a day and a period."""
    found = []
    if cap.purchase is not None:
        found.append(_("at most %(points)s a purchase") % {"points": points(cap.purchase, unit)})
    if cap.day is not None:
        found.append(_("at most %(points)s a day") % {"points": points(cap.day, unit)})
    if cap.period is not None:
        values = {"points": points(cap.period, unit), "days": cap.period_days}
        found.append(_("at most %(points)s in %(days)s days") % values)
    return found


def limits_words(terms: Terms) -> str:
    """Caps on everything, and when points can be used."""
    if terms.pending_days:
        usable = ngettext(
            "points can be used after %(days)s day", "points can be used after %(days)s days", terms.pending_days
        ) % {"days": terms.pending_days}
    else:
        usable = _("points can be used at once")
    return sentence([*cap_words(terms.cap), usable])


def exclusion_words(terms: Terms, names: Names | None = None) -> str:
    """What earns nothing."""
    parts = []
    if terms.excluded_kinds:
        parts.append(_named(terms.excluded_kinds, KINDS))
    if terms.excluded is not None and not terms.excluded.is_open:
        parts.append(goods_words(terms.excluded, names))
    if terms.excluded_tenders:
        parts.append(_("what is paid by: %(means)s") % {"means": _named(terms.excluded_tenders, TENDERS)})
    what = pgettext("between the clauses of a sentence", "; ").join(parts)
    return sentence([_("no points for: %(what)s") % {"what": what} if parts else _("everything earns")])


def expiry_words(expiry: Expiry) -> str:
    """How long points live."""
    n = expiry.n
    match expiry.kind:
        case "days":
            words = ngettext("points live %(n)s day", "points live %(n)s days", n)
        case "month_end":
            words = ngettext(
                "points live %(n)s month, to the end of that month",
                "points live %(n)s months, to the end of that month",
                n,
            )
            words = words if n else _("points live to the end of the month")
        case "year_end":
            words = ngettext(
                "points live to the end of the year after", "points live to the end of the year %(n)s years later", n
            )
            words = words if n else _("points live to the end of the year")
        case "rolling":
            words = ngettext(
                "points live %(n)s month after the last activity", "points live %(n)s months after the last activity", n
            )
        case _:
            words = _("points live for ever")
    return sentence([words % {"n": n} if "%(n)s" in words else words])


def paying_words(paying: Paying | None, currency: str) -> str:
    """What points pay at the till."""
    if paying is None:
        return sentence([_("points do not pay for purchases")])
    least = _("from %(points)s on") % {"points": points(paying.least)} if paying.least else ""
    share = formats.percent(paying.most_share / 100, 0)
    most = _("at most %(share)s of a purchase") % {"share": share} if paying.most_share < ALL else ""
    return sentence([_paid_by(paying, currency), least, most])


def _paid_by(paying: Paying, currency: str) -> str:
    """`100 points pay HK$1.00`."""
    values = {"count": number(paying.points), "amount": formats.money(paying.amount, currency)}
    plural = 1 if paying.points == 1 else 2
    return ngettext("%(count)s point pays %(amount)s", "%(count)s points pay %(amount)s", plural) % values


def event_words(event: Event) -> str:
    """Points for something other than a purchase."""
    values = {"points": points(event.points), "event": event.name or event.code, "once": ONCE[event.once]}
    return sentence([_("%(points)s for %(event)s, %(once)s") % values])


# --- tiers -------------------------------------------------------------------------------------------------------


def tier_words(tier: Tier, measure: str, currency: str) -> str:
    """Where a tier begins and what it brings."""
    if tier.invitation_only:
        begins = _("by invitation")
    else:
        begins = {
            "qualifying": _("from %(value)s qualifying points on") % {"value": number(tier.threshold)},
            "spend": _("from %(value)s spent on") % {"value": formats.money(tier.threshold, currency)},
            "visits": _("from %(value)s visits on") % {"value": number(tier.threshold)},
        }[measure]
    brings = [_("%(factor)s × points") % {"factor": number(tier.multiplier)}] if tier.multiplier != 1 else []
    brings += [benefit.name for benefit in tier.benefits]
    words = _("%(tier)s: %(begins)s") % {"tier": tier.name, "begins": begins}
    return sentence([words, *brings])


def ladder_words(tiers: TierTerms) -> str:
    """What counts towards tiers, over which time, and how one falls."""
    if not tiers.ladder:
        return sentence([_("no tiers")])
    window = {
        "rolling": ngettext("over the last %(n)s month", "over the last %(n)s months", tiers.months)
        % {"n": tiers.months},
        "calendar_year": _("over the calendar year"),
        "membership_year": _("over the member's own year"),
    }[tiers.window]
    falls = _("one tier down at a time") if tiers.soft_landing else _("down to the tier that is still reached")
    grace = ngettext("%(n)s day of grace", "%(n)s days of grace", tiers.grace_days) % {"n": tiers.grace_days}
    count = ngettext("%(n)s tier", "%(n)s tiers", len(tiers.ladder)) % {"n": len(tiers.ladder)}
    measured = _("by %(measure)s %(window)s") % {"measure": str(MEASURES[tiers.measure]).lower(), "window": window}
    return sentence([count, measured, falls, grace if tiers.grace_days else ""])


# --- the whole ---------------------------------------------------------------------------------------------------


def summary(terms: Terms, currency: str, names: Names | None = None) -> str:
    """The programme in one sentence: base rate, up to three bonuses, expiry, what points pay, tiers."""
    parts = [base_words(terms.base, currency)]
    parts += [_bare(bonus_words(bonus, currency, names)) for bonus in terms.bonuses[:3]]
    if more := len(terms.bonuses) - 3:
        parts += [ngettext("%(n)s more bonus", "%(n)s more bonuses", more) % {"n": more}] if more > 0 else []
    parts.append(_bare(expiry_words(terms.expiry)))
    if terms.paying is not None:
        parts.append(_paid_by(terms.paying, currency))
    if terms.tiers.ladder:
        tiers = len(terms.tiers.ladder)
        parts.append(ngettext("%(n)s tier", "%(n)s tiers", tiers) % {"n": tiers})
    said = pgettext("between the clauses of a sentence", "; ").join(parts)
    return _("%(words)s.") % {"words": capfirst(said)}


def _bare(words: str) -> str:
    """A sentence as a clause."""
    return words[:1].lower() + words[1:].rstrip(".。") if words[1:2].islower() else words.rstrip(".。")


def sentences(terms: Terms, currency: str, names: Names | None = None) -> list[str]:
    """Every rule as a sentence, in the order of the builder: to compare two versions."""
    return [
        earning_words(terms, currency),
        *(bonus_words(bonus, currency, names) for bonus in terms.bonuses),
        limits_words(terms),
        exclusion_words(terms, names),
        expiry_words(terms.expiry),
        paying_words(terms.paying, currency),
        ladder_words(terms.tiers),
        *(tier_words(tier, terms.tiers.measure, currency) for tier in terms.tiers.ladder),
        *(event_words(event) for event in terms.events),
    ]
