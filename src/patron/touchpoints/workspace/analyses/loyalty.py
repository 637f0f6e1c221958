"""Loyalty: who stays, whose cycle grows longer, which group answers price cuts, and where sales are heading."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patron.intelligence.reports.loyalty import (
    LISTS,
    List,
    LoyaltyGroup,
    LoyaltyRow,
    LoyaltySummary,
    LoyaltyWeek,
    all_loyalty_rows,
    list_sizes,
    loyalty_groups,
    loyalty_rows,
    loyalty_summary,
    loyalty_weeks,
    retention_curve,
    weekday_shares,
)
from patron.kernel.charts import Column, Curve, Days, Series, curves
from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses._loyalty_groups import (
    DIMENSION_LABELS,
    age_answer,
    group_name,
    groups_table,
    prices_table,
)
from patron.touchpoints.workspace.analyses._sentences import loyalty_sentence, words_of
from patron.touchpoints.workspace.analyses.contract import (
    AnalysisPage,
    Answer,
    Badge,
    ChartPart,
    Part,
    Row,
    TablePart,
    Tile,
    Tone,
    Who,
)
from patron.touchpoints.workspace.analyses.desk import Desk

Words = str | Promise

LIST_LABELS: Final[dict[List, Words]] = {
    "drifting": gettext_lazy("Cycle growing longer"),
    "wavering": gettext_lazy("Wavering"),
    "firm": gettext_lazy("Firm"),
    "gone": gettext_lazy("Gone"),
    "switching": gettext_lazy("At home in no branch"),
}
LABELS: Final[dict[str, tuple[Words, Tone]]] = {
    "firm": (gettext_lazy("Firm"), "good"),
    "steady": (gettext_lazy("Steady"), "info"),
    "wavering": (gettext_lazy("Wavering"), "warn"),
    "drifting": (gettext_lazy("Drifting away"), "bad"),
    "gone": (gettext_lazy("Gone"), "neutral"),
    "unproven": (gettext_lazy("Not to be told yet"), "neutral"),
}
WEEKDAYS: Final[tuple[Words, ...]] = (
    gettext_lazy("Monday"),
    gettext_lazy("Tuesday"),
    gettext_lazy("Wednesday"),
    gettext_lazy("Thursday"),
    gettext_lazy("Friday"),
    gettext_lazy("Saturday"),
    gettext_lazy("Sunday"),
)


def build(desk: Desk) -> Answer:
    """The answer, sales taken apart, groups, the list, price cuts by age."""
    summary = loyalty_summary(desk.warehouse, desk.scope)
    if summary is None:
        return Answer(_("There are no customers with purchases here yet, so nothing can be said of loyalty."))
    sizes = list_sizes(desk.warehouse, desk.scope)
    options: dict[str, Words] = {key: f"{label} ({formats.count(sizes[key])})" for key, label in LIST_LABELS.items()}
    chosen = next(each for each in LISTS if each == desk.choice("list", options, label=_("Customers")))
    dimension = desk.choice("by", DIMENSION_LABELS, label=_("Groups by"))
    groups = loyalty_groups(desk.warehouse, dimension)
    names: dict[str, Words] = {"": _("All customers")}
    names |= {each.group or "-": group_name(dimension, each.group) for each in groups}
    picked = desk.choice("group", names, label=_("Sales of"))
    of = ("all", "all") if not picked else (dimension, "" if picked == "-" else picked)
    weeks = loyalty_weeks(desk.warehouse, *of)
    ages = loyalty_groups(desk.warehouse, "age_band")
    return Answer(
        sentence=_sentence(desk, summary, ages),
        tiles=_tiles(desk, summary),
        parts=[
            *_pictures(desk, of, weeks),
            _list(desk, chosen),
            groups_table(dimension, groups),
            prices_table(ages),
        ],
        explanation=_explanation(desk),
    )


def _sentence(desk: Desk, summary: LoyaltySummary, ages: list[LoyaltyGroup]) -> str:
    facts = {
        "firm": formats.count(summary.firm),
        "customers": formats.count(summary.customers),
        "share": formats.percent(summary.firm / summary.customers, 0),
        "drifting": formats.count(summary.drifting),
        "money": formats.money(summary.drifting_spent, desk.currency, places=0),
    }
    told = _("%(firm)s of %(customers)s customers (%(share)s) are firm.") % facts
    if summary.drifting:
        leaving = _(
            "%(drifting)s come less and less often; they spent %(money)s in the last year: speak to them first."
        )
        told = formats.sentences(told, leaving % facts)
    return formats.sentences(told, age_answer(ages))


def _tiles(desk: Desk, summary: LoyaltySummary) -> list[Tile]:
    metrics = desk.run.metrics
    return [
        Tile(
            _("Loyalty, mean"),
            formats.decimal(summary.loyalty, 0) if summary.loyalty is not None else "–",
            _("of 100: persistence, firmness, stability"),
        ),
        Tile(
            _("Firm"),
            formats.count(summary.firm),
            _("steady %(steady)s, wavering %(wavering)s")
            % {"steady": formats.count(summary.steady), "wavering": formats.count(summary.wavering)},
            desk.url(list="firm"),
        ),
        Tile(
            _("Cycle growing longer"),
            formats.count(summary.drifting),
            _("at most %(share)s of them by chance") % {"share": formats.percent(_false_share(desk), 0)},
            desk.url(list="drifting"),
        ),
        Tile(
            _("Expected in four weeks"),
            formats.money(summary.expected_spend, desk.currency, places=0),
            _("%(visits)s visits") % {"visits": formats.count(summary.expected_visits)},
        ),
        Tile(
            _("Still here after half a year"),
            formats.percent(metrics.get("retained_26_weeks")),
            _("of all who began, the whole organisation"),
        ),
    ]


def _day(text: object) -> str:
    return formats.day(date.fromisoformat(text)) if isinstance(text, str) else "–"


def _false_share(desk: Desk) -> float:
    return float(desk.run.parameters.get("false_share") or 0.1)


def _pictures(desk: Desk, of: tuple[str, str], weeks: list[LoyaltyWeek]) -> list[Part]:
    past = [week for week in weeks if week.actual is not None]
    if not past:
        return []
    ahead = [week for week in weeks if week.forecast is not None]
    bridge = [(past[-1].starts_on, past[-1].actual)] if ahead else []
    first, last = past[0].trend or 0.0, past[-1].trend or 0.0
    facts = {
        "from": formats.money(first, desk.currency, places=0),
        "to": formats.money(last, desk.currency, places=0),
        "next": formats.money(ahead[0].forecast, desk.currency, places=0) if ahead else "–",
        "least": formats.money(min(week.irregular or 0 for week in past), desk.currency, places=0),
        "most": formats.money(max(week.irregular or 0 for week in past), desk.currency, places=0),
    }
    drawn = [Curve(_("Irregular"), [(week.starts_on, week.irregular) for week in past])]
    days = weekday_shares(desk.warehouse)
    if not days:
        drawn.append(Curve(_("Season"), [(week.starts_on, week.season) for week in past], dashed=True))
    axis, money = Days(_("Week from")), Series(_("Sales"), "money")
    parts: list[Part] = [
        ChartPart(
            _("Where sales are heading: weeks, trend and the weeks ahead"),
            curves(
                [
                    Curve(_("Sold"), [(week.starts_on, week.actual) for week in past]),
                    Curve(_("Trend"), [(week.starts_on, week.trend) for week in past]),
                    Curve(
                        _("Expected"),
                        [*bridge, *((week.starts_on, week.forecast) for week in ahead)],
                        [*bridge, *((week.starts_on, week.low) for week in ahead)],
                        [*bridge, *((week.starts_on, week.high) for week in ahead)],
                        dashed=True,
                    ),
                ],
                x=axis,
                y=money,
                currency=desk.currency,
                reading=_("The trend went from %(from)s to %(to)s a week; next week about %(next)s are expected.")
                % facts,
            ),
            wide=True,
        ),
        ChartPart(
            _("What is left: neither trend nor season"),
            curves(
                drawn,
                x=axis,
                y=money,
                currency=desk.currency,
                reading=_("Single weeks lay between %(least)s and %(most)s off the trend.") % facts,
                height="short",
            ),
        ),
    ]
    kept = retention_curve(desk.warehouse, *of)
    if kept:
        told = {"share": formats.percent(kept[-1][1]), "weeks": formats.count(kept[-1][0])}
        parts.append(
            ChartPart(
                _("Still here, by weeks since the first visit"),
                curves(
                    [Curve(_("Still here"), kept)],
                    x=Series(_("Weeks since the first visit"), "count"),
                    y=Series(_("Share"), "percent"),
                    reading=_("%(share)s are still here %(weeks)s weeks after their first visit.") % told,
                    height="short",
                ),
            )
        )
    if days:
        parts.append(_weekdays(days))
    return parts


def _weekdays(days: list[tuple[int, float]]) -> TablePart:
    best = max(days, key=lambda each: each[1])
    least = min(days, key=lambda each: each[1])
    return TablePart(
        key="weekdays",
        title=_("Days of the week"),
        columns=[Column(_("Day")), Column(_("Above or below a mean day"), "percent")],
        rows=[(WEEKDAYS[weekday - 1], share) for weekday, share in days],
        note=_("The best day is %(best)s, the quietest %(least)s; the whole organisation, the trend taken out.")
        % {"best": WEEKDAYS[best[0] - 1], "least": WEEKDAYS[least[0] - 1]},
    )


def _list(desk: Desk, chosen: List) -> TablePart:
    def every() -> Iterator[Row]:
        return (_row(row) for row in all_loyalty_rows(desk.warehouse, desk.scope, chosen))

    return TablePart(
        key="customers",
        title=LIST_LABELS[chosen],
        columns=[
            Column(_("Customer")),
            Column(_("Loyal?")),
            Column(_("How loyal, of 100"), "count"),
            Column(_("Came every … days"), "decimal"),
            Column(_("lately every … days"), "decimal"),
            Column(_("Longer by a factor of")),
            Column(_("Last visit"), "day"),
            Column(_("Spent in the last year"), "money"),
            Column(_("Persistence"), "decimal"),
            Column(_("Firmness"), "decimal"),
            Column(_("Stability"), "decimal"),
            Column(_("Bought at cut prices"), "percent"),
            Column(_("At the main branch"), "percent"),
            Column(_("Share of wallet, estimate"), "percent"),
            Column(_("Visits in four weeks")),
            Column(_("Money in four weeks"), "money"),
        ],
        rows=[_row(row) for row in loyalty_rows(desk.warehouse, desk.scope, chosen)],
        note=_(
            "The first 50, those with the most money first. The file has all of them, with persistence, firmness, "
            "stability, price cuts, branch and what to expect in four weeks."
        ),
        only=8,
        every=every,
        empty=_("Nobody here belongs to this list."),
    )


def _row(row: LoyaltyRow) -> Row:
    label, tone = LABELS[row.label]
    factor = (
        f"{formats.decimal(row.gap_ratio_low, 1)}–{formats.decimal(row.gap_ratio_high, 1)}"
        if row.gap_ratio_low is not None
        else ""
    )
    return (
        Who(row.customer_id),
        Badge(label, tone),
        row.loyalty,
        row.earlier_gap_days,
        row.recent_gap_days,
        factor,
        row.last_on,
        row.spent,
        row.persistence,
        row.firmness,
        row.stability,
        row.cut_price_share,
        row.main_branch_share,
        row.wallet_proxy,
        f"{formats.decimal(row.expected_visits, 1)} ({formats.count(row.visits_low)}–{formats.count(row.visits_high)})",
        row.expected_spend,
    )


def _explanation(desk: Desk) -> list[str]:
    metrics = desk.run.metrics
    facts = {
        "customers": formats.count(metrics.get("customers")),
        "first": _day(metrics.get("first_day")),
        "last": _day(metrics.get("measured_until")),
        "tested": formats.count(metrics.get("cycles_tested")),
        "share": formats.percent(_false_share(desk), 0),
        "everybody": formats.decimal(metrics.get("median_gap_ratio"), 2),
        "error": formats.decimal(metrics.get("visits_error"), 2),
        "naive": formats.decimal(metrics.get("visits_naive_error"), 2),
        "inside": formats.percent(metrics.get("visits_inside_80"), 0),
        "asked": formats.count(metrics.get("tested_customers")),
    }
    told = [
        _(
            "%(customers)s customers, purchases from %(first)s to %(last)s. Persistence: in how many periods of four "
            "weeks they came, since when, and whether they are still here. Firmness: how little common ups and "
            "downs, price cuts, other branches and other brands move them. Stability: how regular the days between "
            "visits are, how evenly visits are spread, and whether the rhythm stays. Each runs from 0 to 100; loyalty "
            "is their mean."
        )
        % facts,
        _(
            "A cycle grows longer when the days between recent visits, with the silence until today, are longer than "
            "before by more than chance: tested for %(tested)s customers, with at most %(share)s false alarms. The "
            "median customer's gaps changed by a factor of %(everybody)s; a season moves everybody."
        )
        % facts,
        _(
            "Trend and season come from STL, which a few odd weeks do not bend. With less than two years of data only "
            "the days of the week are known as season; over full weeks they add up to nothing. The share of wallet is "
            "an estimate: everyday kinds of goods bought here, compared with the top tenth of the same age; what is "
            "bought elsewhere is never seen."
        ),
    ]
    if metrics.get("visits_error") is not None:
        told.append(
            _(
                "Back-test: four weeks ago the visits since then were foretold for %(asked)s customers with a typical "
                "error of %(error)s visits; repeating the four weeks before would have missed by %(naive)s. The range "
                "given held for %(inside)s of them."
            )
            % facts
        )
    return told


PAGE: Final = AnalysisPage(
    name="loyalty",
    title=gettext_lazy("How loyal they are"),
    question=gettext_lazy("How long, how firmly and how steadily do customers keep buying, and who is drifting away?"),
    group="keep",
    icon="heart-handshake",
    order=30,
    build=build,
    says=loyalty_sentence,
    labels=words_of(LABELS),
)
