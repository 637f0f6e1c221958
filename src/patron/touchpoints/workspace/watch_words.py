"""What is worth a look, in words that accuse nobody."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from patron.business.loyalty.queries import Finding, Thresholds
from patron.kernel.ui import formats

TITLES: Mapping[str, str | Promise] = {
    "own_card": gettext_lazy("Served by the member's namesake"),
    "same_cashier": gettext_lazy("Mostly with one cashier"),
    "after_adjustment": gettext_lazy("Redeemed soon after an adjustment"),
    "adjustments": gettext_lazy("Many adjustments by one person"),
    "returns": gettext_lazy("Returns after the points were spent"),
    "many_a_day": gettext_lazy("Many purchases in a day"),
    "in_a_row": gettext_lazy("Purchases in quick succession"),
    "two_branches": gettext_lazy("Two branches within minutes"),
    "wrong_codes": gettext_lazy("Many wrong voucher codes"),
}

LABELS: Mapping[str, str | Promise] = {
    "purchases_a_day": gettext_lazy("Purchases in a day, from"),
    "purchases_in_a_row": gettext_lazy("Purchases in quick succession, from"),
    "in_a_row_minutes": gettext_lazy("… within minutes"),
    "same_cashier": gettext_lazy("Purchases with one cashier, from"),
    "same_cashier_percent": gettext_lazy("… per cent of the member's purchases, from"),
    "returns_after_spending": gettext_lazy("Returns after spending, from"),
    "adjustments": gettext_lazy("Adjustments by one person, from"),
    "redeemed_after_minutes": gettext_lazy("Redeemed after an adjustment, within minutes"),
    "branches_minutes": gettext_lazy("Two branches, within minutes"),
    "wrong_codes": gettext_lazy("Wrong voucher codes at a terminal, from"),
}

MOST_ALLOWED = 100_000


@dataclass(frozen=True, slots=True)
class Said:
    """A finding in words: what was seen, and what it may mean, innocent reasons included."""

    title: str
    seen: str
    meaning: str


def said(finding: Finding, *, who: str, branches: Mapping[int, str]) -> Said:
    """What was found, with its numbers. `who` is the name of the cashier or member of staff."""
    facts = finding.facts
    values = {"times": formats.count(finding.times), "points": formats.count(finding.points), "who": who}
    match finding.rule:
        case "own_card":
            seen = ngettext(
                "%(times)s purchase was served by %(who)s, who has the same name or phone as the member.",
                "%(times)s purchases were served by %(who)s, who has the same name or phone as the member.",
                finding.times,
            )
            meaning = _("Staff may be members too. Who serves oneself also decides what earns points.")
        case "same_cashier":
            values |= {"of": formats.count(facts["of"])}
            seen = _("%(times)s of %(of)s purchases were with %(who)s.")
            meaning = _("A regular at one counter looks like this, and so does a card kept behind it.")
        case "after_adjustment":
            values |= {"given": formats.count(facts["given"]), "minutes": formats.count(facts["minutes"])}
            if facts["by_same"]:
                seen = _("%(who)s gave %(given)s points, and redeemed %(points)s of them %(minutes)s minutes later.")
            else:
                seen = _("%(who)s gave %(given)s points; %(points)s were redeemed %(minutes)s minutes later.")
            meaning = _("Making good for a complaint at the counter looks like this. See the reason given.")
        case "adjustments":
            values |= {"members": formats.count(facts["members"]), "largest": formats.count(facts["largest"])}
            seen = _("%(who)s gave points by hand %(times)s times to %(members)s members, %(largest)s at most.")
            meaning = _("Whoever answers complaints adjusts often. Compare with colleagues in the same work.")
        case "returns":
            values |= {"taken": formats.count(facts["taken"])}
            seen = _("%(times)s returns took %(taken)s points back, of which %(points)s had been spent.")
            meaning = _("Buying, redeeming and bringing back leaves the gift for nothing. Most returns are honest.")
        case "many_a_day":
            seen = _("%(times)s purchases on one day earned %(points)s points.")
            meaning = _("A family may share a card, and so may strangers in a queue.")
        case "in_a_row":
            values |= {
                "purchases": formats.count(facts["purchases"]),
                "minutes": formats.count(facts["minutes"]),
            }
            seen = _("%(purchases)s purchases within %(minutes)s minutes (%(times)s ×).")
            meaning = _("One purchase split over several receipts, or the card used for other people's purchases.")
        case _:
            values |= {
                "minutes": formats.count(facts["minutes"]),
                "from": branches.get(facts["from"], "–"),
                "to": branches.get(facts["to"], "–"),
            }
            seen = _("Used in %(from)s and %(minutes)s minutes later in %(to)s.")
            meaning = _("The number may be known to two people, or a till's clock be wrong.")
    return Said(str(TITLES[finding.rule]), seen % values, meaning)


def typed_thresholds(typed: Mapping[str, str]) -> Thresholds:
    """The thresholds of the address; the usual ones where it has none or what cannot be one."""
    usual = Thresholds()
    found: dict[str, int] = {}
    for name in Thresholds.__dataclass_fields__:
        text = typed.get(name, "")
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else 0
        least = 2 if name == "purchases_in_a_row" else 1
        found[name] = number if least <= number <= MOST_ALLOWED else getattr(usual, name)
    return Thresholds(**found)
