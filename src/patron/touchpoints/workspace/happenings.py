"""What happened with a customer, in words: from a row of the log to a line of the timeline."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, ngettext

from patron.core.activities.timeline import Happening
from patron.core.customers.queries import choices
from patron.kernel.clock import house_zone, today
from patron.kernel.ui import formats
from patron.touchpoints.workspace.forms.customers import OUTCOMES

TOPICS: tuple[tuple[str, str | Promise], ...] = (
    ("purchases", gettext_lazy("Purchases")),
    ("points", gettext_lazy("Points")),
    ("contact", gettext_lazy("Calls and visits")),
    ("customer", gettext_lazy("Details")),
)
FIELD_LABELS: Mapping[str, str | Promise] = {
    "name": gettext_lazy("Full name"),
    "family_name": gettext_lazy("Family name"),
    "given_name": gettext_lazy("Given name"),
    "latin_name": gettext_lazy("Name in Latin letters"),
    "kind": gettext_lazy("Kind"),
    "sex": gettext_lazy("Sex"),
    "birth_on": gettext_lazy("Birthday"),
    "occupation": gettext_lazy("Occupation"),
    "language": gettext_lazy("Language"),
    "preferred_channel": gettext_lazy("Prefers to be reached by"),
    "preferences": gettext_lazy("Preferences"),
    "home_branch": gettext_lazy("Branch"),
    "owner": gettext_lazy("Looked after by"),
    "registered_on": gettext_lazy("Registered on"),
    "photo": gettext_lazy("Photo"),
    "external_ids": gettext_lazy("Number in another system"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline. `amount` stands at the right; `heading` opens a new day or month."""

    heading: str
    when: str
    instant: str
    icon: str
    title: str
    text: str
    amount: str
    amount_is_loss: bool
    url: str
    vivid: bool


def events_of(
    happenings: Iterable[Happening], *, number: str, notes: Mapping[int, str], now: datetime
) -> Sequence[Event]:
    """The lines of the timeline of the customer with this `number`; `notes` are texts of notes by their key."""
    events: list[Event] = []
    shown_heading = ""
    on = today(now)
    shown = list(happenings)
    given = _points_given(shown)
    for happening in shown:
        if happening.id in given.told_elsewhere:
            continue
        day = today(happening.occurred_at)
        heading = _heading(day, on)
        title, text, amount, url = _words(happening, number=number, notes=notes)
        if happening.id in given.of_purchase:
            text = _SEPARATOR.join(part for part in (text, given.of_purchase[happening.id]) if part)
        events.append(
            Event(
                heading=heading if heading != shown_heading else "",
                when=_when(happening.occurred_at, on),
                instant=happening.occurred_at.isoformat(),
                icon=happening.kind.icon,
                title=title,
                text=text,
                amount=amount,
                amount_is_loss=amount.startswith("−"),
                url=url,
                vivid=happening.kind.topic in ("purchases", "contact"),
            )
        )
        shown_heading = heading
    return events


@dataclass(frozen=True, slots=True)
class _Given:
    """Points that are told with their purchase: words by the purchase's row, and rows not told again."""

    of_purchase: Mapping[int, str]
    told_elsewhere: frozenset[int]


def _points_given(shown: Sequence[Happening]) -> _Given:
    """Points earned by a purchase stand in the purchase's own line: two lines for one visit say no more than one."""
    rows = {row.source_id: row for row in shown if row.kind.code in ("purchase.completed", "purchase.returned")}
    of_purchase: dict[int, str] = {}
    told: set[int] = set()
    for row in shown:
        purchase = rows.get(row.facts.get("purchase")) if row.kind.code.startswith("points.") else None
        points = _decimal(row.facts.get("points"))
        if purchase is not None and points is not None and purchase.id not in of_purchase:
            of_purchase[purchase.id] = gettext("%(points)s points") % {"points": formats.signed_count(points)}
            told.add(row.id)
    return _Given(of_purchase, frozenset(told))


def _heading(day: date, on: date) -> str:
    """Today, yesterday, then months: what happened lately is looked at day by day, older things by and large."""
    if day == on:
        return gettext("Today")
    if (on - day).days == 1:
        return gettext("Yesterday")
    if day.year == on.year and day.month == on.month:
        return gettext("Earlier this month")
    return formats.day(day, "month")


def _when(at: datetime, on: date) -> str:
    """The time of what happened today or yesterday, else the day, with its year where it is not this one."""
    day = today(at)
    if 0 <= (on - day).days <= 1:
        return formats.instant(at, house_zone(), "time")
    return formats.day(day, "short")


def _words(happening: Happening, *, number: str, notes: Mapping[int, str]) -> tuple[str, str, str, str]:
    """Title, text, amount and address."""
    family = happening.kind.code.partition(".")[0]
    teller = _TELLERS.get(happening.kind.code) or _TELLERS.get(family)
    title = str(happening.kind.label)
    told = teller(happening, notes) if teller else {}
    text = _SEPARATOR.join(part for part in (told.get("text", ""), *_place(happening)) if part)
    url = ""
    if family == "purchase" and happening.source_id is not None:
        url = f"{reverse('customer', args=[number])}?tab=purchases&purchase={happening.source_id}#receipt"
    elif family in ("points", "voucher"):
        url = f"{reverse('customer', args=[number])}?tab=loyalty"
    elif family == "stored_value":
        url = reverse("wallet", args=[number])
    elif family == "gift" and happening.source_id is not None:
        url = reverse("gift-order", args=[happening.source_id])
    return told.get("title") or title, text, told.get("amount", ""), url


_SEPARATOR = " · "


def _place(happening: Happening) -> tuple[str, ...]:
    return (happening.branch,) if happening.kind.topic in ("purchases", "contact") else ()


def _purchase(happening: Happening, _notes: Mapping[int, str]) -> dict[str, str]:
    facts = happening.facts
    net = _decimal(facts.get("net", facts.get("net_amount")))
    lines = facts.get("lines")
    items = (
        ngettext("%(count)s line", "%(count)s lines", int(lines)) % {"count": formats.count(int(lines))}
        if isinstance(lines, int)
        else ""
    )
    return {"amount": formats.money(net, str(facts.get("currency", ""))) if net is not None else "", "text": items}


def _points(happening: Happening, _notes: Mapping[int, str]) -> dict[str, str]:
    points = _decimal(happening.facts.get("points"))
    if points is None:
        return {}
    return {"amount": gettext("%(points)s points") % {"points": formats.signed_count(points)}}


def _stored_value(happening: Happening, _notes: Mapping[int, str]) -> dict[str, str]:
    amount = _decimal(happening.facts.get("amount"))
    if amount is None:
        return {}
    return {"amount": formats.money(amount, settings.CURRENCY, places=2), "text": happening.branch}


def _gift(happening: Happening, _notes: Mapping[int, str]) -> dict[str, str]:
    name, quantity = str(happening.facts.get("name", "")), happening.facts.get("quantity")
    return {"text": f"{quantity} × {name}" if isinstance(quantity, int) and quantity > 1 else name}


def _voucher(happening: Happening, _notes: Mapping[int, str]) -> dict[str, str]:
    """Its name, what it gave, and what else is to be known: handed over which way, why it was taken back."""
    facts, amount = happening.facts, _decimal(happening.facts.get("amount"))
    ways = {"in": gettext("received"), "out": gettext("handed over")}
    parts = [str(facts.get("name", "")), ways.get(str(facts.get("way")), ""), str(facts.get("reason", ""))]
    if facts.get("back") is False:
        parts.append(gettext("its last day is past, so it does not come back"))
    return {
        "text": _SEPARATOR.join(part for part in parts if part),
        "amount": formats.money(amount, settings.CURRENCY) if amount is not None else "",
    }


def _contact(happening: Happening, _notes: Mapping[int, str]) -> dict[str, str]:
    outcome = str(dict(OUTCOMES).get(str(happening.facts.get("outcome")), ""))
    kind = str(happening.kind.label)
    title = gettext("%(kind)s: %(outcome)s") % {"kind": kind, "outcome": outcome} if outcome else kind
    return {"title": title, "text": str(happening.facts.get("by", ""))}


def _consent(happening: Happening, _notes: Mapping[int, str]) -> dict[str, str]:
    facts = happening.facts
    purpose = dict(choices.consent_purpose_choices()).get(str(facts.get("purpose")), "")
    channel = dict(choices.consent_channel_choices()).get(str(facts.get("channel")), "")
    allowed = gettext("Allows %(purpose)s over %(channel)s") if facts.get("granted") else None
    sentence = allowed or gettext("Refuses %(purpose)s over %(channel)s")
    return {"title": sentence % {"purpose": purpose.lower(), "channel": channel}}


def _note(happening: Happening, notes: Mapping[int, str]) -> dict[str, str]:
    text = notes.get(happening.source_id or 0, "")
    return {"text": text}


def _updated(happening: Happening, _notes: Mapping[int, str]) -> dict[str, str]:
    fields = happening.facts.get("fields")
    names = [str(FIELD_LABELS.get(name, name)) for name in fields] if isinstance(fields, list) else []
    return {"text": ", ".join(names)}


def _contact_point(happening: Happening, _notes: Mapping[int, str]) -> dict[str, str]:
    return {"text": dict(choices.contact_kind_choices()).get(str(happening.facts.get("contact")), "")}


def _related(happening: Happening, _notes: Mapping[int, str]) -> dict[str, str]:
    kind = dict(choices.relation_kind_choices()).get(str(happening.facts.get("kind")), "")
    return {"text": _SEPARATOR.join(part for part in (kind, str(happening.facts.get("other", ""))) if part)}


def _decimal(value: Any) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None


_TELLERS: dict[str, Callable[[Happening, Mapping[int, str]], dict[str, str]]] = {
    "purchase": _purchase,
    "points": _points,
    "stored_value": _stored_value,
    "gift": _gift,
    "voucher": _voucher,
    "contact": _contact,
    "customer.consent_recorded": _consent,
    "customer.note_written": _note,
    "customer.updated": _updated,
    "customer.contact_added": _contact_point,
    "customer.contact_removed": _contact_point,
    "customer.related": _related,
    "customer.relation_ended": _related,
}
