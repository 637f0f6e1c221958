"""Events: who has a birthday, an anniversary, a new baby or a new branch, and so deserves a word."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from patron.intelligence.reports.events import (
    EventRow,
    customers_with_events,
    event_counts,
    event_rows,
    every_event_row,
)
from patron.kernel import charts
from patron.kernel.charts import Column
from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses.contract import (
    AnalysisPage,
    Answer,
    Badge,
    ChartPart,
    Finding,
    Row,
    TablePart,
    Tile,
    Who,
    Words,
)
from patron.touchpoints.workspace.analyses.desk import Desk

KIND_LABELS: Mapping[str, Words] = {
    "birthday": gettext_lazy("Birthday"),
    "anniversary": gettext_lazy("Anniversary of joining"),
    "milestone": gettext_lazy("Milestone visit"),
    "next_milestone": gettext_lazy("Milestone at the next visit"),
    "baby": gettext_lazy("Perhaps a new baby"),
    "pet": gettext_lazy("Perhaps a new pet"),
    "moved": gettext_lazy("Perhaps moved house"),
    "came_back": gettext_lazy("Came back after a long time"),
    "first_category": gettext_lazy("First purchase in a department"),
}


def build(desk: Desk) -> Answer:
    """The answer, how many of each kind, and the list of the chosen kind."""
    counts = event_counts(desk.warehouse, desk.scope)
    found = {each.kind: KIND_LABELS[each.kind] for each in counts if each.kind in KIND_LABELS}
    options = {"": _("all kinds"), **found}
    kind = desk.choice("kind", options, "", label=_("Event"))
    customers = customers_with_events(desk.warehouse, desk.scope)
    rows, more = desk.more(partial(event_rows, desk.warehouse, desk.scope, kind))
    days = int(desk.run.parameters.get("days", 14))
    vips = sum(each.vips for each in counts)
    most = max(counts, key=lambda each: each.events, default=None)
    ahead = sum(each.ahead for each in counts)
    if not counts:
        sentence = _("Nobody here has an event in these days.")
    else:
        sentence = ngettext(
            "%(customers)s customer had an event in the last %(days)s days or has one in the next.",
            "%(customers)s customers had an event in the last %(days)s days or have one in the next.",
            customers,
        ) % {"customers": formats.count(customers), "days": formats.count(days)}
        if vips:
            first = ngettext(
                "%(vips)s of the events is a VIP's: start there.",
                "%(vips)s of the events are VIPs': start there.",
                vips,
            )
            sentence = formats.sentences(sentence, first % {"vips": formats.count(vips)})

    def every() -> Iterator[Row]:
        for block in every_event_row(desk.warehouse, desk.scope, kind):
            yield from (_row(each) for each in block)

    return Answer(
        sentence=sentence,
        tiles=[
            Tile(_("Events"), formats.count(sum(each.events for each in counts))),
            Tile(_("Of VIPs"), formats.count(vips)),
            Tile(_("Still ahead"), formats.count(ahead)),
        ],
        parts=[
            ChartPart(
                _("Events by kind"),
                charts.horizontal_bars(
                    [
                        charts.RankedBar(
                            str(KIND_LABELS.get(each.kind, each.kind)), each.events, url=desk.url(kind=each.kind)
                        )
                        for each in counts
                    ],
                    measure=charts.Series(_("Events"), "count"),
                    heading=_("Event"),
                    reading=_("Most frequent: %(event)s, %(count)s in these days.")
                    % {
                        "event": KIND_LABELS.get(most.kind, most.kind),
                        "count": formats.count(most.events),
                    }
                    if most
                    else None,
                ),
            ),
            TablePart(
                "events",
                _("Who, and what"),
                (
                    Column(_("Customer")),
                    Column(_("Event")),
                    Column(_("Day"), "day"),
                    Column(_("What is known")),
                    Column(_("VIP")),
                    Column(_("Money a year"), "money"),
                ),
                [_row(each) for each in rows],
                more=more,
                every=every,
                empty=_("None in these days."),
            ),
        ],
        explanation=_explanation(),
    )


def _row(row: EventRow) -> Row:
    return (
        Who(row.customer_id),
        str(KIND_LABELS.get(row.kind, row.kind)),
        row.happens_on if row.happens_on is not None else _("next visit"),
        _told(row.kind, row.number, row.detail),
        Badge(_("VIP"), "vip") if row.vip else "",
        row.money_per_year,
    )


def says(found: Finding) -> str:
    """The event of a customer, for their page."""
    kind, on = str(found.label), found.facts["happens_on"]
    number = found.facts["number"]
    told = _told(kind, None if number is None else int(number), str(found.facts["detail"]))
    if on is None:
        return f"{KIND_LABELS[kind]}: {told}"
    return f"{KIND_LABELS[kind]} ({formats.day(date.fromisoformat(str(on)))}): {told}"


def _told(kind: str, count: int | None, detail: str) -> str:
    number = formats.count(count)
    match kind:
        case "birthday":
            return _("A birthday voucher was given.")
        case "anniversary":
            return ngettext("%(count)s year a member", "%(count)s years a member", count or 0) % {"count": number}
        case "milestone" | "next_milestone":
            return _("Visit number %(count)s") % {"count": number}
        case "baby" | "pet":
            return _("Bought such goods on two days, never before.")
        case "came_back":
            return _("After %(count)s days away") % {"count": number}
        case _:
            return detail


def _explanation() -> list[str]:
    return [
        _(
            "Days of birth never leave the database, so a birthday shows by the voucher that the programme gave for "
            "it; anniversaries are of joining the programme."
        ),
        _(
            "A new baby or pet: such goods on two days within eight weeks, and never in the half year before. Which "
            "categories say so is a setting. It is a guess: never congratulate on it, offer what helps."
        ),
        _(
            "Moved: at least five visits of which seven in ten are at a new branch, where before at most two in ten "
            "were, and this a thousand times likelier with the change than without; not where the old branch has "
            "closed. A first purchase counts for a department and for customers known for half a year."
        ),
    ]


PAGE = AnalysisPage(
    name="events",
    title=pgettext_lazy("page", "Events"),
    question=gettext_lazy("Who has an event these days that deserves a word?"),
    group="keep",
    icon="calendar-heart",
    order=20,
    build=build,
    says=says,
    labels=KIND_LABELS,
)
