"""Lifetime value: what the customers of today will bring, and who is probably gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patron.intelligence.reports.clv import (
    LISTS,
    ClvModel,
    ClvRow,
    ClvSummary,
    List,
    alive_tenths,
    all_clv_rows,
    clv_rows,
    clv_summary,
    compared_models,
    estimates,
    holdout,
    list_sizes,
    tracking,
)
from patron.kernel.charts import Bin, Chart, Column, Series, histogram
from patron.kernel.charts.curves import Curve, Days, curves
from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses._sentences import clv_sentence, words_of
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

LIST_LABELS: Final[dict[str, Words]] = {
    "best": gettext_lazy("Most to come"),
    "gone": gettext_lazy("Once good, probably gone"),
    "doubtful": gettext_lazy("Hard to say"),
    "once": gettext_lazy("Bought on one day only"),
}
MODEL_LABELS: Final[dict[str, Words]] = {
    "bgnbd": "BG/NBD",
    "mbgnbd": "MBG/NBD",
    "paretonbd": "Pareto/NBD",
    "gammagamma": gettext_lazy("Gamma-gamma (spending)"),
    "as_before": gettext_lazy("As many as in the period before"),
    "silent_gone": gettext_lazy("The long silent are gone, the others go on"),
}
VALUE_LABELS: Final[dict[str, tuple[Words, Tone]]] = {
    "high": (gettext_lazy("High"), "vip"),
    "medium": (gettext_lazy("Medium"), "good"),
    "low": (gettext_lazy("Low"), "neutral"),
    "gone": (gettext_lazy("Probably gone"), "bad"),
}


def build(desk: Desk) -> Answer:
    """The value to come, the back-test, the probability of being a customer still, and the lists."""
    summary = clv_summary(desk.warehouse, desk.scope)
    if summary is None:
        return Answer(_("There are no customers with purchases here yet, so there is nothing to forecast."))
    sizes = list_sizes(desk.warehouse, desk.scope)
    options = {key: f"{label} ({formats.count(sizes[key])})" for key, label in LIST_LABELS.items()}
    chosen = next(each for each in LISTS if each == desk.choice("list", options, label=_("Customers")))
    models = compared_models(desk.warehouse)
    return Answer(
        sentence=_sentence(desk, summary),
        tiles=_tiles(desk, summary, models),
        parts=[*_pictures(desk), _list(desk, chosen), *_proofs(desk, models)],
        explanation=_explanation(desk, models),
    )


def _sentence(desk: Desk, summary: ClvSummary) -> str:
    facts = {
        "value": formats.money(_roughly(float(summary.value)), desk.currency, places=0),
        "weeks": formats.count(_weeks(desk)),
        "customers": formats.count(summary.for_80),
        "gone": formats.count(summary.gone_good),
    }
    if not summary.gone_good:
        return (
            _(
                "The customers you have today will bring about %(value)s in the next %(weeks)s weeks; "
                "80 %% of it comes from %(customers)s customers."
            )
            % facts
        )
    return (
        _(
            "The customers you have today will bring about %(value)s in the next %(weeks)s weeks; "
            "80 %% of it comes from %(customers)s customers. %(gone)s who once were good are probably gone."
        )
        % facts
    )


def _roughly(value: float) -> float:
    """To three figures: what is only expected is not known to the dollar."""
    return float(f"{value:.3g}")


def _weeks(desk: Desk) -> float:
    return float(desk.run.parameters.get("horizon", 52))


def _tiles(desk: Desk, summary: ClvSummary, models: list[ClvModel]) -> list[Tile]:
    tiles = [
        Tile(
            _("Value to come"),
            formats.money(summary.value, desk.currency, places=0),
            _("%(purchases)s visits expected, discounted") % {"purchases": formats.count(summary.purchases)},
        ),
        Tile(
            _("Bring %(share)s of it") % {"share": formats.percent(0.8, 0)},
            formats.count(summary.for_80),
            _("%(share)s of %(customers)s customers")
            % {
                "share": formats.percent(summary.for_80 / summary.customers),
                "customers": formats.count(summary.customers),
            },
        ),
        Tile(
            _("Still customers, probably"),
            formats.count(summary.alive),
            _("the sum of everybody's probability"),
        ),
        Tile(
            _("Once good, probably gone"),
            formats.count(summary.gone_good),
            _("had spent %(money)s") % {"money": formats.money(summary.gone_good_spent, desk.currency, places=0)}
            if summary.gone_good
            else "",
            desk.url(list="gone"),
        ),
    ]
    used = _chosen(models)
    if used and used.actual:
        weeks = formats.decimal(float(desk.run.metrics.get("holdout_weeks") or 0))
        tiles.append(
            Tile(
                _("Error of the forecast"),
                formats.percent(used.predicted / used.actual - 1, signed=True),
                _("on %(weeks)s weeks it had not seen") % {"weeks": weeks},
            )
        )
    return tiles


def _chosen(models: list[ClvModel]) -> ClvModel | None:
    return next((model for model in models if model.chosen), None)


def _pictures(desk: Desk) -> list[Part]:
    weeks = tracking(desk.warehouse)
    parts: list[Part] = []
    if weeks:
        cut = next((week.ends_on for week in weeks if week.held_out), weeks[-1].ends_on)
        reading = _(
            "Solid is what came, dashed what was forecast; what comes after %(day)s the model had not seen."
        ) % {"day": formats.day(cut)}
        parts.append(
            ChartPart(
                _("Visits so far, and as forecast"),
                curves(
                    [
                        Curve(_("Came"), [(week.ends_on, week.actual_total) for week in weeks]),
                        Curve(_("Forecast"), [(week.ends_on, week.predicted_total) for week in weeks], dashed=True),
                    ],
                    x=Days(_("Week until")),
                    y=Series(_("Visits after the first")),
                    reading=reading,
                ),
            )
        )
        parts.append(
            ChartPart(
                _("Visits by week, and as forecast"),
                curves(
                    [
                        Curve(_("Came"), [(week.ends_on, week.actual) for week in weeks]),
                        Curve(_("Forecast"), [(week.ends_on, week.predicted) for week in weeks], dashed=True),
                    ],
                    x=Days(_("Week until")),
                    y=Series(_("Visits after the first")),
                    reading=reading,
                ),
            )
        )
    parts.append(ChartPart(_("How sure is it that they are still customers?"), _alive(desk), wide=True))
    return parts


def _alive(desk: Desk) -> Chart:
    tenths = alive_tenths(desk.warehouse, desk.scope)
    bins = [Bin(place * 10, place * 10 + 10, count) for place, count in enumerate(tenths)]
    facts = {"sure": formats.count(sum(tenths[9:])), "gone": formats.count(sum(tenths[:3]))}
    return histogram(
        bins,
        measure=Series(_("Probability of being a customer still, %"), "count"),
        counted=_("Customers"),
        reading=_("%(sure)s customers are still there with 90 %% or more, %(gone)s with less than 30 %%.") % facts,
    )


def _list(desk: Desk, chosen: List) -> TablePart:
    warehouse, scope = desk.warehouse, desk.scope

    def every() -> Iterator[Row]:
        return (_row(row) for row in all_clv_rows(warehouse, scope, chosen))

    return TablePart(
        key="customers",
        title=LIST_LABELS[chosen],
        columns=[
            Column(_("Customer")),
            Column(_("Value to come")),
            Column(_("Expected"), "money"),
            Column(_("at least"), "money"),
            Column(_("at most"), "money"),
            Column(_("Still a customer"), "percent"),
            Column(_("Days silent"), "count"),
            Column(_("Visits expected"), "decimal"),
            Column(_("A visit brings"), "money"),
            Column(_("Visits so far"), "count"),
            Column(_("Spent so far"), "money"),
        ],
        rows=[_row(row) for row in clv_rows(warehouse, scope, chosen)],
        note=_(
            "The first 50; the file has all of them, and what they did so far. At least and at most hold for 8 "
            "customers in 10 by the model."
        ),
        only=9,
        every=every,
        empty=_("Nobody here belongs to this list."),
    )


def _row(row: ClvRow) -> Row:
    label, tone = VALUE_LABELS[row.label]
    return (
        Who(row.customer_id),
        Badge(label, tone),
        row.clv,
        row.clv_low,
        row.clv_high,
        row.p_alive,
        row.silent_days,
        row.expected_purchases,
        row.expected_spend,
        row.frequency + 1,
        row.spent,
    )


def _proofs(desk: Desk, models: list[ClvModel]) -> list[Part]:
    groups = holdout(desk.warehouse)
    parts: list[Part] = []
    if groups:
        parts.append(
            TablePart(
                key="holdout",
                title=_("The weeks kept back: visits per customer, by how often they had come before"),
                columns=[
                    Column(_("Visits after the first, before")),
                    Column(_("Customers"), "count"),
                    Column(_("Came"), "ratio"),
                    Column(_("Forecast"), "ratio"),
                    Column(_("As before"), "ratio"),
                    Column(_("Silent means gone"), "ratio"),
                ],
                rows=[
                    (
                        _("7 and more") if group.frequency == 7 else str(group.frequency),
                        group.customers,
                        group.actual,
                        group.model,
                        group.as_before,
                        group.silent_gone,
                    )
                    for group in groups
                ],
                note=_("The whole organisation, whichever branch is chosen."),
            )
        )
    if models:
        parts.append(
            TablePart(
                key="models",
                title=_("Which way of forecasting does best?"),
                columns=[
                    Column(_("Way of forecasting")),
                    Column(_("Used")),
                    Column(_("Visits forecast"), "count"),
                    Column(_("Visits that came"), "count"),
                    Column(_("Typical error per customer"), "ratio"),
                    Column(_("Mean error per customer"), "ratio"),
                ],
                rows=[
                    (
                        str(MODEL_LABELS[model.model]),
                        Badge(_("used"), "good") if model.chosen else "",
                        model.predicted,
                        model.actual,
                        model.rmse,
                        model.mae,
                    )
                    for model in models
                ],
                note=_("Typical error: root of the mean square. Smaller is better in both."),
            )
        )
    parts.append(
        TablePart(
            key="parameters",
            title=_("What was estimated"),
            columns=[
                Column(_("Model")),
                Column(_("Symbol")),
                Column(_("Estimate")),
                Column(_("Standard error")),
            ],
            rows=[
                (
                    str(MODEL_LABELS[each.model]),
                    each.symbol,
                    f"{each.estimate:,.4g}",
                    "–" if each.standard_error is None else f"{each.standard_error:,.3g}",
                )
                for each in estimates(desk.warehouse)
            ],
        )
    )
    return parts


def _explanation(desk: Desk, models: list[ClvModel]) -> list[str]:
    metrics = desk.run.metrics
    told = [
        _(
            "Every customer buys at a pace of their own and stops some day without saying so. From how often and how "
            "lately each one bought, the model works out whether they are still a customer and how many visits to "
            "expect; from what they spent per visit, drawn towards everybody's mean where visits are few, what each "
            "visit brings. Visits of one day count as one; days on which more was brought back than bought are left "
            "out. Money that comes later counts less, by the yearly rate in the settings."
        ),
    ]
    used = _chosen(models)
    rules = [model for model in models if model.model in {"as_before", "silent_gone"}]
    if used and rules:
        best = min(rules, key=lambda rule: rule.rmse)
        told.append(
            _(
                "Back-test: fitted on what was known before %(day)s, the model forecast %(predicted)s visits of "
                "%(customers)s customers for the weeks since; %(actual)s came. It was off by %(error)s visits per "
                "customer; the better of two rules without a model (“%(rule)s”) by %(baseline)s. "
                "The range given for each customer held for %(coverage)s of them."
            )
            % {
                "day": formats.day(date.fromisoformat(str(metrics["holdout_from"]))),
                "predicted": formats.count(used.predicted),
                "customers": formats.count(metrics.get("holdout_customers")),
                "actual": formats.count(used.actual),
                "error": formats.decimal(used.rmse, 2),
                "rule": MODEL_LABELS[best.model],
                "baseline": formats.decimal(best.rmse, 2),
                "coverage": formats.percent(metrics.get("holdout_coverage"), 0),
            }
        )
    else:
        told.append(
            _("There is no back-test yet: too little time has passed to keep some weeks back and learn from the rest.")
        )
    weeks = float(desk.run.parameters.get("lookback") or 0)
    if weeks:
        told.append(
            _(
                "Paces drift, so the model learns them from the last %(weeks)s weeks, the time that forecast best in a "
                "test before the weeks kept back; who was silent for longer counts as gone."
            )
            % {"weeks": formats.count(weeks)}
        )
    told.append(
        _(
            "The model knows no seasons and no campaigns, and takes the first purchase in the data for the first ever. "
            "Where nearly everybody comes every week, as in a grocery, it says little more than “as before”: look at "
            "the error above before you plan with it."
        )
    )
    return told


PAGE: Final = AnalysisPage(
    name="clv",
    title=gettext_lazy("Lifetime value"),
    question=gettext_lazy("What will today's customers bring, and who is gone already?"),
    group="who",
    icon="hourglass-high",
    order=40,
    build=build,
    says=clv_sentence,
    labels=words_of(VALUE_LABELS),
)
