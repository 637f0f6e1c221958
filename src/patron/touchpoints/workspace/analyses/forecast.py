"""The sales forecast: what the next weeks will bring, by branch and department, and how far off such forecasts were."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patron.intelligence.reports.forecast import (
    Dimension,
    ForecastSeries,
    ForecastWeek,
    all_series,
    coming_holidays,
    forecast_of,
    methods_of,
    sold_before,
)
from patron.kernel.charts import Chart, Column, Curve, Days, Series, curves
from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses._holiday_words import holiday_words
from patron.touchpoints.workspace.analyses.contract import (
    AnalysisPage,
    Answer,
    Badge,
    ChartPart,
    Link,
    Part,
    Row,
    TablePart,
    Tile,
    Tone,
)
from patron.touchpoints.workspace.analyses.desk import Desk

Words = str | Promise

METHOD_LABELS: Final[dict[str, Words]] = {
    "average": gettext_lazy("Mean of recent weeks"),
    "exponential": gettext_lazy("Exponential smoothing"),
    "theta": gettext_lazy("Theta method"),
    "pooled": gettext_lazy("Regression over all series"),
    "combined": gettext_lazy("Mean of four methods"),
    "last_year": gettext_lazy("Last year's shape"),
    "seasonal_naive": gettext_lazy("The last week again"),
}
KIND_LABELS: Final[dict[str, tuple[Words, Tone]]] = {
    "regular": (gettext_lazy("Regular"), "good"),
    "sparse": (gettext_lazy("Now and then"), "neutral"),
    "new": (gettext_lazy("New, few weeks yet"), "info"),
    "closed": (gettext_lazy("Nothing for eight weeks"), "bad"),
    "empty": (gettext_lazy("Never sold"), "neutral"),
}
_LISTED: Final = 40
_OFFERED: Final = 60


def build(desk: Desk) -> Answer:
    """The next week of what was chosen, the weeks ahead with their band, the table of branches or departments."""
    bound = desk.scope.branch_id is not None
    labels: dict[str, Words] = {"branch": _("Branches"), "department": _("Departments")}
    # Departments are sold by the whole house: who sees one branch sees that branch.
    asked_by = "branch" if bound else desk.choice("by", labels, label=_("Divided by"))
    by: Dimension = "branch" if asked_by == "branch" else "department"
    listed = all_series(desk.warehouse, desk.scope, by)
    options: dict[str, Words] = {} if bound else {"": _("The whole house")}
    options |= {each.series: _named(each, by) for each in listed[:_OFFERED]}
    asked = desk.query.get("of", "")
    options |= {each.series: _named(each, by) for each in listed if each.series == asked}
    if not options:
        return Answer(_("Nothing was sold here yet, so there is nothing to forecast."))
    chosen = desk.choice("of", options, label=_("Forecast of"))
    dimension: Dimension = by if chosen or "" not in options else "total"
    weeks = forecast_of(desk.warehouse, dimension, chosen)
    if not weeks:
        return Answer(_("Nothing was sold here yet, so there is nothing to forecast."))
    return Answer(
        sentence=_sentence(desk, str(options[chosen]), dimension, weeks),
        tiles=_tiles(desk, dimension, chosen, weeks),
        parts=[*_pictures(desk, dimension, chosen, weeks), _list(desk, by, listed), *_methods(desk, dimension, chosen)],
        explanation=_explanation(desk),
    )


def _named(series: ForecastSeries, dimension: Dimension) -> str:
    if series.name:
        return series.name
    return _("Branch not known") if dimension == "branch" else _("Department not known")


def _money(desk: Desk, value: Decimal | float) -> str:
    return formats.money(value, desk.currency, places=0)


def _sentence(desk: Desk, name: str, dimension: Dimension, weeks: list[ForecastWeek]) -> str:
    week = weeks[0]
    facts = {
        "name": name,
        "from": formats.day(week.starts_on, "short"),
        "to": formats.day(week.ends_on, "short"),
        "forecast": _money(desk, week.forecast),
        "low": _money(desk, week.low),
        "high": _money(desk, week.high),
    }
    if dimension == "total":
        told = (
            _("Sales from %(from)s to %(to)s will be about %(forecast)s, in 8 of 10 cases %(low)s to %(high)s.") % facts
        )
    else:
        told = (
            _("%(name)s will sell about %(forecast)s from %(from)s to %(to)s, in 8 of 10 cases %(low)s to %(high)s.")
            % facts
        )
    return formats.sentences(told, _compared(week))


def _compared(week: ForecastWeek) -> str:
    """Against the last four weeks and last year, in words; nothing where nothing was sold."""
    if week.recent <= 0:
        return ""
    change = float(week.forecast / week.recent - 1)
    facts = {"share": formats.percent(abs(change), 0)}
    if abs(change) < 0.015:
        recent = _("That is like the mean week of the last four: plan staff and stock as usual.")
    elif change > 0:
        recent = _("That is %(share)s more than the mean week of the last four: plan more staff and stock.") % facts
    else:
        recent = _("That is %(share)s less than the mean week of the last four: order less and plan an offer.") % facts
    if not week.last_year or week.last_year <= 0:
        return recent
    year = float(week.forecast / week.last_year - 1)
    facts = {"share": formats.percent(abs(year), 0)}
    than = _("It is %(share)s more than a year ago.") if year >= 0 else _("It is %(share)s less than a year ago.")
    return formats.sentences(recent, than % facts)


def _tiles(desk: Desk, dimension: Dimension, series: str, weeks: list[ForecastWeek]) -> list[Tile]:
    total = sum((week.forecast for week in weeks), Decimal(0))
    tiles = [
        Tile(
            _("Next week"),
            _money(desk, weeks[0].forecast),
            _("%(low)s to %(high)s") % {"low": _money(desk, weeks[0].low), "high": _money(desk, weeks[0].high)},
        ),
        Tile(
            _("Next %(weeks)s weeks") % {"weeks": formats.count(len(weeks))},
            _money(desk, total),
            _("until %(day)s") % {"day": formats.day(weeks[-1].ends_on)},
        ),
        Tile(_("Mean week of the last four"), _money(desk, weeks[0].recent)),
    ]
    compared = methods_of(desk.warehouse, dimension, series)
    errors = {each.method: each.error_share for each in compared}
    used = next((each for each in compared if each.chosen), None)
    if used is not None and used.error_share is not None:
        tiles.append(
            Tile(
                _("Missed in the past by"),
                formats.percent(used.error_share),
                _("the last week again: %(share)s") % {"share": formats.percent(errors.get("seasonal_naive"))},
            )
        )
    return tiles


def _pictures(desk: Desk, dimension: Dimension, series: str, weeks: list[ForecastWeek]) -> list[Part]:
    sold = sold_before(desk.warehouse, dimension, series)
    parts: list[Part] = [ChartPart(_("Sales by week, and what is expected"), _curve(desk, sold, weeks), wide=True)]
    holidays = {each.date: holiday_words(each.name) for each in coming_holidays(desk.warehouse)}
    parts.append(
        TablePart(
            key="weeks",
            title=_("The weeks ahead"),
            columns=[
                Column(_("Week from"), "day"),
                Column(_("To"), "day"),
                Column(_("Expected"), "money"),
                Column(_("at least"), "money"),
                Column(_("at most"), "money"),
                Column(_("A year ago"), "money"),
                Column(_("Holidays")),
            ],
            rows=[
                (
                    week.starts_on,
                    week.ends_on,
                    week.forecast,
                    week.low,
                    week.high,
                    week.last_year,
                    _holidays(week, holidays),
                )
                for week in weeks
            ],
            note=_holiday_note(desk),
        )
    )
    return parts


def _holidays(week: ForecastWeek, holidays: Mapping[date, str]) -> str:
    return _(", ").join(name for day, name in holidays.items() if week.starts_on <= day <= week.ends_on)


def _holiday_note(desk: Desk) -> str:
    between = _("At least and at most hold for 8 weeks in 10.")
    if any(each.used for each in coming_holidays(desk.warehouse)):
        return f"{between} " + _("Public holidays and the days before great feasts are counted on.")
    return f"{between} " + _("Public holidays are shown only: counting on them did not improve forecasts of the past.")


def _curve(desk: Desk, sold: list[tuple[date, Decimal]], weeks: list[ForecastWeek]) -> Chart:
    ahead = [(week.starts_on, week.forecast) for week in weeks]
    low, high = [(week.starts_on, week.low) for week in weeks], [(week.starts_on, week.high) for week in weeks]
    if sold:
        # The curve of the forecast begins where the sales end.
        day, amount = sold[-1]
        ahead, low, high = [(day, amount), *ahead], [(day, amount), *low], [(day, amount), *high]
    facts = {
        "first": _money(desk, weeks[0].forecast),
        "last": _money(desk, weeks[-1].forecast),
        "weeks": formats.count(len(weeks)),
        "before": _money(desk, sold[-1][1]) if sold else "–",
    }
    return curves(
        [
            Curve(_("Sold"), sold),
            Curve(_("Expected"), ahead, low, high, dashed=True),
        ],
        x=Days(_("Week from")),
        y=Series(_("Sales"), "money"),
        currency=desk.currency,
        reading=_("The last week brought %(before)s; expected are %(first)s next week and %(last)s in week %(weeks)s.")
        % facts,
    )


def _list(desk: Desk, by: Dimension, listed: list[ForecastSeries]) -> TablePart:
    def row(each: ForecastSeries) -> Row:
        label, tone = KIND_LABELS.get(each.kind, (each.kind, "neutral"))
        return (
            Link(_named(each, by), desk.url(by=by, of=each.series)),
            Badge(label, tone),
            each.next_week,
            each.low,
            each.high,
            each.recent,
            each.change,
            each.error_share,
            each.ahead,
            each.naive_error_share,
            str(METHOD_LABELS.get(each.method, each.method)),
        )

    alive = [each for each in listed if each.kind not in {"closed", "empty"}]
    note = _(
        "Error: how far forecasts of past weeks were off, as a share of sales. The file adds the method, and the error "
        "of repeating the last week."
    )
    if len(alive) > _LISTED:
        first = _("The largest %(shown)s; the file has all %(all)s.") % {
            "shown": formats.count(_LISTED),
            "all": formats.count(len(listed)),
        }
        note = formats.sentences(first, note)
    return TablePart(
        key="series",
        title=_("Branches") if by == "branch" else _("Departments"),
        columns=[
            Column(_("Branch") if by == "branch" else _("Department")),
            Column(_("Sells")),
            Column(_("Next week"), "money"),
            Column(_("at least"), "money"),
            Column(_("at most"), "money"),
            Column(_("Mean week of the last four"), "money"),
            Column(_("Change"), "percent"),
            Column(_("Error"), "percent"),
            Column(_("All weeks ahead"), "money"),
            Column(_("Error of the last week again"), "percent"),
            Column(_("Method")),
        ],
        rows=[row(each) for each in alive[:_LISTED]],
        note=note,
        every=lambda: (row(each) for each in listed),
        empty=_("Nothing sells here at present."),
        only=8,
    )


def _methods(desk: Desk, dimension: Dimension, series: str) -> list[Part]:
    found = methods_of(desk.warehouse, dimension, series)
    if not found:
        return []
    return [
        TablePart(
            key="methods",
            title=_("Which way of forecasting does best here?"),
            columns=[Column(_("Way of forecasting")), Column(_("Used")), Column(_("Error"), "percent")],
            rows=[
                (
                    str(METHOD_LABELS.get(each.method, each.method)),
                    Badge(_("used"), "good") if each.chosen else "",
                    each.error_share,
                )
                for each in found
            ],
            note=_("%(tests)s forecasts of the past, eight weeks each. Smaller is better.")
            % {"tests": formats.count(found[0].tests)},
        )
    ]


def _explanation(desk: Desk) -> list[str]:
    metrics = desk.run.metrics
    told = [
        _(
            "Sales of all customers, known or not, by day from %(first)s to %(last)s. The past is forecast at up to 14 "
            "dates, two weeks apart, each time from what was known by then, with a mean, exponential smoothing, the "
            "theta method, one regression over all branches and departments (days of the week, recent level, holidays) "
            "and their mean. Each series gets the way that was off least. Branches and departments are scaled so that "
            "they add up to the whole."
        )
        % {"first": _day(metrics.get("first_day")), "last": _day(metrics.get("last_day"))},
    ]
    if metrics.get("branch_error_share") is not None:
        told.append(
            _(
                "Proof: at %(tests)s past dates, choosing only by what was known then, forecasts of a week were off by "
                "%(total)s of sales for the whole house (the last week again: %(total_naive)s), by %(branch)s per "
                "branch (%(branch_naive)s) and by %(department)s per department (%(department_naive)s). The range "
                "given held for %(inside)s of the weeks of branches."
            )
            % {
                "tests": formats.count(metrics["branch_tests"]),
                "total": formats.percent(metrics.get("total_error_share")),
                "total_naive": formats.percent(metrics.get("total_naive_error_share")),
                "branch": formats.percent(metrics["branch_error_share"]),
                "branch_naive": formats.percent(metrics["branch_naive_error_share"]),
                "department": formats.percent(metrics.get("department_error_share")),
                "department_naive": formats.percent(metrics.get("department_naive_error_share")),
                "inside": formats.percent(metrics["branch_coverage_80"], 0),
            }
        )
    else:
        told.append(
            _("There is no proof yet: it needs about half a year of sales, to forecast some of it from the rest.")
        )
    if int(metrics.get("history_days") or 0) < 2 * 364:
        told.append(
            _(
                "With %(weeks)s weeks of sales the shape of the year is not known: a season such as summer or the "
                "weeks before a feast shows only as far as the last weeks show it."
            )
            % {"weeks": formats.count(int(metrics.get("history_days") or 0) // 7)}
        )
    return told


def _date(text: object) -> date | None:
    return date.fromisoformat(text) if isinstance(text, str) else None


def _day(text: object) -> str:
    day = _date(text)
    return formats.day(day) if day else "–"


PAGE: Final = AnalysisPage(
    name="forecast",
    title=gettext_lazy("Sales forecast"),
    question=gettext_lazy("How much will each branch and each department sell in the coming weeks?"),
    group="plan",
    icon="trending-up",
    order=20,
    build=build,
)
