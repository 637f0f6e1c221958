"""Next purchase date: who is expected this week, who is overdue, how busy the next days will be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patron.intelligence.reports.next_date import (
    LISTS,
    ExpectedDay,
    List,
    NextVisit,
    VisitCounts,
    every_visit,
    expected_days,
    rule_errors,
    visit_counts,
    visit_rows,
)
from patron.kernel.charts import Chart, Column, Curve, Days, Series, curves
from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses._sentences import next_date_sentence
from patron.touchpoints.workspace.analyses.contract import (
    AnalysisPage,
    Answer,
    ChartPart,
    Part,
    Row,
    TablePart,
    Tile,
    Who,
)
from patron.touchpoints.workspace.analyses.desk import Desk

Words = str | Promise

LIST_LABELS: Final[dict[str, Words]] = {
    "week": gettext_lazy("Expected in the next 7 days"),
    "overdue": gettext_lazy("Overdue"),
    "quiet": gettext_lazy("Silent for long, no date"),
    "all": gettext_lazy("Everybody"),
}
RULE_LABELS: Final[dict[str, Words]] = {
    "model": gettext_lazy("This forecast"),
    "own_gap": gettext_lazy("Last visit plus the own usual gap"),
    "last_gap": gettext_lazy("Last visit plus the last gap"),
    "population_gap": gettext_lazy("Last visit plus everybody's usual gap"),
}


def build(desk: Desk) -> Answer:
    """The answer, the next days, the list, the error beside rules without a model."""
    today = desk.until
    counts = visit_counts(desk.warehouse, desk.scope, today)
    if not counts.customers:
        return Answer(_("Nobody has bought here yet, so no visit can be foretold."))
    asked = desk.choice("list", LIST_LABELS, "overdue", label=_("Customers"))
    chosen: List = next(each for each in LISTS if each == asked)
    days = expected_days(desk.warehouse, desk.scope)
    parts: list[Part] = []
    if days:
        parts.append(ChartPart(_("Visits to expect, and usual on such a day"), _chart(days), wide=True))
    parts.append(_list(desk, chosen))
    errors = rule_errors(desk.warehouse)
    if errors:
        parts.append(_rules(errors))
    return Answer(
        sentence=_sentence(desk, counts, days),
        tiles=_tiles(desk, counts, errors),
        parts=parts,
        explanation=_explanation(desk, errors),
    )


def _sentence(desk: Desk, counts: VisitCounts, days: list[ExpectedDay]) -> str:
    facts = {
        "week": formats.count(counts.week),
        "overdue": formats.count(counts.overdue),
        "money": formats.money(counts.overdue_money, desk.currency, places=0),
        "until": formats.day(desk.until + timedelta(days=7)),
    }
    busiest = max(days, key=lambda each: each.expected) if days else None
    if busiest is None:
        return (
            _(
                "%(week)s customers should come again by %(until)s; %(overdue)s are overdue and spend %(money)s a "
                "year: call those first."
            )
            % facts
        )
    facts |= {"day": formats.day(busiest.day, "full"), "visits": formats.count(busiest.expected)}
    return (
        _(
            "%(week)s customers should come again by %(until)s; %(overdue)s are overdue and spend %(money)s a year: "
            "call those first. The busiest of the next 14 days will be %(day)s with about %(visits)s visits."
        )
        % facts
    )


def _tiles(desk: Desk, counts: VisitCounts, errors: dict[str, float]) -> list[Tile]:
    metrics = desk.run.metrics
    tiles = [
        Tile(LIST_LABELS["week"], formats.count(counts.week), url=desk.url(list="week")),
        Tile(LIST_LABELS["overdue"], formats.count(counts.overdue), url=desk.url(list="overdue")),
        Tile(LIST_LABELS["quiet"], formats.count(counts.quiet), url=desk.url(list="quiet")),
    ]
    rules = [error for rule, error in errors.items() if rule != "model"]
    if "model" in errors and rules:
        tiles.append(
            Tile(
                _("Error of the date"),
                _("%(days)s days") % {"days": formats.decimal(errors["model"])},
                _("%(days)s days with the best simple rule") % {"days": formats.decimal(min(rules))},
            )
        )
    if metrics.get("coverage") is not None:
        tiles.append(
            Tile(
                _("Inside the interval"),
                formats.percent(metrics["coverage"], 0),
                _("%(share)s promised") % {"share": formats.percent(desk.run.parameters.get("interval", 0.8), 0)},
            )
        )
    return tiles


def _chart(days: list[ExpectedDay]) -> Chart:
    return curves(
        [
            Curve(_("Expected"), [(each.day, round(each.expected, 1)) for each in days]),
            Curve(_("Usual on such a weekday"), [(each.day, round(each.usual, 1)) for each in days], dashed=True),
        ],
        x=Days(_("Day")),
        y=Series(_("Visits"), "decimal"),
        reading=_("Where the solid line lies above the dashed one, plan more staff than usual on such a day."),
    )


def _list(desk: Desk, chosen: List) -> TablePart:
    rows, more = desk.more(partial(visit_rows, desk.warehouse, desk.scope, chosen, desk.until))

    def every() -> Iterator[Row]:
        for block in every_visit(desk.warehouse, desk.scope, chosen, desk.until):
            yield from (_row(each) for each in block)

    return TablePart(
        "customers",
        LIST_LABELS[chosen],
        (
            Column(_("Customer")),
            Column(_("Last visit"), "day"),
            Column(_("Expected"), "day"),
            Column(_("Earliest"), "day"),
            Column(_("Latest"), "day"),
            Column(_("Chance to come soon"), "percent"),
            Column(_("Money a year"), "money"),
            Column(_("Why")),
        ),
        [_row(each) for each in rows],
        more=more,
        every=every,
        empty=_("Nobody."),
    )


def _row(visit: NextVisit) -> Row:
    return (
        Who(visit.customer_id),
        visit.last_on,
        visit.expected_on,
        visit.earliest_on,
        visit.latest_on,
        visit.confidence,
        visit.money_per_year,
        _why(visit),
    )


def _why(visit: NextVisit) -> str:
    facts = {"gap": formats.decimal(visit.typical_gap_days), "silence": formats.count(visit.silence_days)}
    match visit.reason_code:
        case "first":
            return _("Came on one day so far, %(silence)s days ago.") % facts
        case "quiet":
            return _("Usually came every %(gap)s days, silent for %(silence)s: perhaps gone.") % facts
        case "overdue":
            return _("Usually comes every %(gap)s days, silent for %(silence)s: overdue.") % facts
        case _:
            return _("Usually comes every %(gap)s days; last came %(silence)s days ago.") % facts


def _rules(errors: dict[str, float]) -> TablePart:
    return TablePart(
        "rules",
        _("Error on weeks it had not seen"),
        (Column(_("Rule")), Column(_("Error in days"), "decimal")),
        [(str(RULE_LABELS.get(rule, rule)), error) for rule, error in errors.items()],
    )


def _explanation(desk: Desk, errors: dict[str, float]) -> list[str]:
    metrics, parameters = desk.run.metrics, desk.run.parameters
    told = [
        _(
            "From the gaps between a customer's visits, drawn towards everybody's where there are few, and from how "
            "long the customer has been silent, each day ahead gets a chance, weighted by the customer's weekdays. "
            "Half of all such customers come by the expected day; overdue are those silent for longer than nine of "
            "ten of their gaps."
        )
    ]
    if errors:
        told.append(
            _(
                "Back-test: %(customers)s customers were forecast %(window)s days ago; %(came)s came since. The share "
                "of those said to come within %(soon)s days was %(promised)s, and %(kept)s came. In the last 14 days "
                "%(expected)s visits were expected and %(actual)s came."
            )
            % {
                "customers": formats.count(metrics.get("tested_customers")),
                "window": formats.count(parameters.get("window_days")),
                "came": formats.count(metrics.get("tested_came")),
                "soon": formats.count(parameters.get("soon_days")),
                "promised": formats.percent(metrics.get("promised"), 0),
                "kept": formats.percent(metrics.get("kept"), 0),
                "expected": formats.count(metrics.get("days_expected")),
                "actual": formats.count(metrics.get("days_came")),
            }
        )
    told.append(
        _(
            "It knows no holidays and no campaigns, and counts only visits of identified customers; new customers "
            "come on top. Who is on duty is not recorded, so compare the curve with the usual day yourself."
        )
    )
    return told


PAGE: Final = AnalysisPage(
    name="next-date",
    analysis="next_date",
    title=gettext_lazy("Next purchase date"),
    question=gettext_lazy("Who comes when, and who is overdue?"),
    group="keep",
    icon="calendar-user",
    order=40,
    build=build,
    says=next_date_sentence,
)
