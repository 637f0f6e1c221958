"""Who is likely to leave: whom to call today, what is at stake, and how well it was foretold before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from patron.intelligence.reports.churn import (
    GROUPS,
    Contestant,
    Danger,
    Group,
    RiskBand,
    RiskRow,
    all_risk_rows,
    contest,
    course,
    danger,
    known_days,
    pattern,
    risk_bands,
    risk_rows,
)
from patron.kernel.charts import Chart, Column, Series
from patron.kernel.charts.curves import Curve, curves
from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses._churn_words import FIGURES, MODELS, RISKS, USES, reason_words
from patron.touchpoints.workspace.analyses._sentences import churn_sentence
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

GROUP_LABELS: Final[dict[Group, Promise]] = {
    "high": gettext_lazy("High risk"),
    "raised": gettext_lazy("High or some risk"),
    "vips": gettext_lazy("VIPs at risk"),
    "all": gettext_lazy("Everybody who bought lately"),
}
_TONES: Final[dict[str, Tone]] = {"high": "bad", "medium": "warn", "low": "neutral"}
_FIRST = 10
_MONTH = 4


def build(desk: Desk) -> Answer:
    """The list by money at stake, the course of those who left, and the test by date."""
    sums = {group: danger(desk.warehouse, desk.scope, group) for group in GROUPS}
    if not sums["all"].customers:
        return Answer(_("Nobody here has bought lately, so nobody is at risk of leaving."))
    options: dict[str, str | Promise] = {
        group: f"{label} ({formats.count(sums[group].customers)})" for group, label in GROUP_LABELS.items()
    }
    chosen = next(group for group in GROUPS if group == desk.choice("group", options, "high", label=_("Customers")))
    bands, models = risk_bands(desk.warehouse), contest(desk.warehouse)
    return Answer(
        sentence=_sentence(desk, sums),
        tiles=_tiles(desk, sums, models),
        parts=[*_pictures(desk, bands), _list(desk, chosen), _figures(desk), *_proofs(desk, models, bands)],
        explanation=_explanation(desk),
    )


def _sentence(desk: Desk, sums: dict[Group, Danger]) -> str:
    high, vips = sums["high"], sums["vips"]
    facts = {
        "customers": formats.count(high.customers),
        "leavers": formats.count(high.expected_leavers),
        "days": _horizon(desk),
        "money": formats.money(high.money, desk.currency, places=0),
        "vips": formats.count(vips.customers),
        "vip_money": formats.money(vips.money, desk.currency, places=0),
        "loss": formats.money(sums["all"].expected_loss, desk.currency, places=0),
        "all": formats.count(sums["all"].customers),
        "all_leavers": formats.count(sums["all"].expected_leavers),
    }
    if not high.customers:
        told = _(
            "Nobody is at high risk of leaving within %(days)s days; of all %(all)s who bought lately about "
            "%(all_leavers)s will, and take %(loss)s a year."
        )
    else:
        told = ngettext(
            "%(customers)s customer is at high risk of leaving within %(days)s days and spends %(money)s a year: "
            "call today.",
            "%(customers)s customers are at high risk of leaving within %(days)s days (about %(leavers)s of them will) "
            "and spend %(money)s a year: call the first ten today.",
            high.customers,
        )
        if 1 < high.customers <= _FIRST:
            told = _(
                "%(customers)s customers are at high risk of leaving within %(days)s days (about %(leavers)s of them "
                "will) and spend %(money)s a year: call them today."
            )
    if not vips.customers:
        return told % facts
    also = ngettext(
        "%(vips)s VIP with %(vip_money)s a year is at risk, too.",
        "%(vips)s VIPs with %(vip_money)s a year are at risk, too.",
        vips.customers,
    )
    return formats.sentences(told % facts, also % facts)


def _tiles(desk: Desk, sums: dict[Group, Danger], models: list[Contestant]) -> list[Tile]:
    everybody, high = sums["all"], sums["high"]
    tiles = [
        Tile(
            _("Expected to leave"),
            formats.count(everybody.expected_leavers),
            _("of %(customers)s, within %(days)s days")
            % {"customers": formats.count(everybody.customers), "days": _horizon(desk)},
        ),
        Tile(
            _("Expected loss a year"),
            formats.money(everybody.expected_loss, desk.currency, places=0),
            _("probability × money of the last 12 months, all customers"),
        ),
        Tile(
            _("At stake among the first ten"),
            formats.money(high.first_ten_loss, desk.currency, places=0),
            _("expected loss a year, high risk"),
        ),
    ]
    best = next((model for model in models if model.chosen), None)
    rules = [model.auc for model in models if model.validation_auc is None]
    if best is not None and rules:
        tiles.append(
            Tile(
                _("Foretold in the right order"),
                _("%(share)s of pairs") % {"share": formats.percent(best.auc)},
                _("best simple rule %(share)s; tested on %(customers)s customers, %(left)s of whom left")
                % {
                    "share": formats.percent(max(rules)),
                    "customers": formats.count(desk.run.metrics.get("test_customers")),
                    "left": formats.count(desk.run.metrics.get("test_left")),
                },
            )
        )
    return tiles


def _list(desk: Desk, group: Group) -> TablePart:
    asked = desk.query.get("after", "0")
    rows, following = risk_rows(
        desk.warehouse, desk.scope, group, after=int(asked) if asked.isdecimal() and len(asked) < 10 else 0
    )
    return TablePart(
        key="risks",
        title=_("Whom to call, by money at stake"),
        columns=[
            Column(_("Customer")),
            Column(_("Risk")),
            Column(_("Probability"), "percent"),
            Column(_("Likely range")),
            Column(_("Money a year"), "money"),
            Column(_("Expected loss"), "money"),
            Column(_("Days silent"), "count"),
            Column(_("Why")),
        ],
        rows=[_risk(desk, row) for row in rows],
        note=_("Likely range: in 95 of 100 cases the share who leave among such customers lies in it."),
        more=desk.url(after=str(following)) if following is not None else "",
        every=lambda: _every(desk, group),
        empty=_("Nobody in this list: choose another one above."),
    )


def _every(desk: Desk, group: Group) -> Iterator[Row]:
    return (_risk(desk, row) for row in all_risk_rows(desk.warehouse, desk.scope, group))


def _risk(desk: Desk, row: RiskRow) -> Row:
    metrics = desk.run.metrics
    return (
        Who(row.customer_id),
        Badge(RISKS.get(row.risk, row.risk), _TONES.get(row.risk, "neutral")),
        row.probability,
        _("%(low)s to %(high)s") % {"low": formats.percent(row.low, 0), "high": formats.percent(row.high, 0)},
        row.money_per_year,
        row.expected_loss,
        row.days_since_last,
        reason_words(
            row, horizon=_horizon(desk), lookback=int(metrics.get("lookback_days") or 0), currency=desk.currency
        ),
    )


def _pictures(desk: Desk, bands: list[RiskBand]) -> list[Part]:
    parts: list[Part] = []
    if weeks := course(desk.warehouse):
        drawn = curves(
            [
                Curve(_("Customers who then left"), [(week.week, week.left) for week in weeks]),
                Curve(_("Customers who stayed"), [(week.week, week.stayed) for week in weeks], dashed=True),
            ],
            x=Series(_("Weeks before the day"), "count"),
            y=Series(_("Visits per customer and week"), "ratio"),
            reading=_(
                "From the first month of these weeks to the last the visits of leavers changed by %(left)s, those of "
                "the others by %(stayed)s."
            )
            % {
                "left": formats.percent(_change([week.left for week in weeks]), 0, signed=True),
                "stayed": formats.percent(_change([week.stayed for week in weeks]), 0, signed=True),
            },
        )
        parts.append(ChartPart(_("What they did before they left"), drawn))
    if bands:
        parts.append(ChartPart(_("Leavers found by calling the most endangered first"), _gain_chart(bands)))
    return parts


def _change(weekly: Sequence[float]) -> float | None:
    """The last four weeks against the first four; None where there was nothing to change."""
    first, last = sum(weekly[:_MONTH]), sum(weekly[-_MONTH:])
    return last / first - 1 if first else None


def _gain_chart(bands: list[RiskBand]) -> Chart:
    total = sum(band.customers for band in bands)
    reached = [sum(band.customers for band in bands[: place + 1]) / total for place in range(len(bands))]
    fifth = min(1, len(bands) - 1)
    return curves(
        [
            Curve(_("By this analysis"), [(0, 0), *zip(reached, (band.gain for band in bands), strict=True)]),
            Curve(
                _("By the best simple rule"),
                [(0, 0), *zip(reached, (band.baseline_gain for band in bands), strict=True)],
            ),
            Curve(_("By chance"), [(0, 0), *((share, share) for share in reached)], dashed=True),
        ],
        x=Series(_("Customers called"), "percent"),
        y=Series(_("Leavers among them"), "percent"),
        reading=_(
            "Calling %(called)s of the customers reached %(found)s of those who then left; the simple rule %(rule)s."
        )
        % {
            "called": formats.percent(reached[fifth], 0),
            "found": formats.percent(bands[fifth].gain, 0),
            "rule": formats.percent(bands[fifth].baseline_gain, 0),
        },
    )


def _calibration_chart(bands: list[RiskBand]) -> Chart:
    ordered = sorted(bands, key=lambda band: band.predicted)
    top = ordered[-1]
    return curves(
        [
            Curve(
                _("Left"),
                [(band.predicted, band.observed) for band in ordered],
                low=[(band.predicted, band.low) for band in ordered],
                high=[(band.predicted, band.high) for band in ordered],
            ),
            Curve(_("Exactly as foretold"), [(band.predicted, band.predicted) for band in ordered], dashed=True),
        ],
        x=Series(_("Foretold"), "percent"),
        y=Series(_("Left"), "percent"),
        reading=_("Of the most endangered tenth %(foretold)s were foretold to leave, and %(left)s left.")
        % {"foretold": formats.percent(top.predicted), "left": formats.percent(top.observed)},
    )


def _figures(desk: Desk) -> TablePart:
    rows: list[Row] = []
    for line in pattern(desk.warehouse):
        if line.figure in FIGURES:
            label, style = FIGURES[line.figure]
            written = [formats.by_name(value, style, currency=desk.currency) for value in (line.left, line.stayed)]
            rows.append((str(label), *written, line.standardised))
    metrics = desk.run.metrics
    return TablePart(
        key="pattern",
        title=_("How leavers differ, before it is known"),
        columns=[
            Column(_("Figure")),
            Column(_("Those who left")),
            Column(_("Those who stayed")),
            Column(_("Difference in standard deviations"), "ratio"),
        ],
        rows=rows[:_FIRST],
        every=lambda: rows,
        note=_("Means of %(left)s who left and %(stayed)s who stayed, over all days whose leavers are known.")
        % {"left": formats.count(metrics.get("left_known")), "stayed": formats.count(metrics.get("stayed_known"))},
    )


def _proofs(desk: Desk, models: list[Contestant], bands: list[RiskBand]) -> list[Part]:
    parts: list[Part] = []
    if models:
        parts.append(
            TablePart(
                key="models",
                title=_("Tested on a day whose leavers are known"),
                columns=[
                    Column(_("Method")),
                    Column(_("Pairs in the right order"), "percent"),
                    Column(_("From"), "percent"),
                    Column(_("To"), "percent"),
                    Column(_("Used today")),
                ],
                rows=[
                    (str(MODELS.get(model.model, model.model)), model.auc, model.low, model.high,
                     _("yes") if model.chosen else "")
                    for model in models
                ],
                note=_(
                    "A pair is one who left and one who stayed; it is in the right order when the one who left was "
                    "foretold the higher risk. By chance half of them are."
                ),
            )
        )  # fmt: skip
    if bands:
        parts.append(ChartPart(_("Foretold and come true"), _calibration_chart(bands), wide=True))
        parts.append(
            TablePart(
                key="bands",
                title=_("The test, tenth by tenth"),
                columns=[
                    Column(_("Tenth"), "count"),
                    Column(_("Customers"), "count"),
                    Column(_("Foretold"), "percent"),
                    Column(_("Left"), "count"),
                    Column(_("Share that left"), "percent"),
                    Column(_("Times the average"), "ratio"),
                    Column(_("Leavers reached so far"), "percent"),
                    Column(_("By the best simple rule"), "percent"),
                ],
                rows=[
                    (band.band, band.customers, band.predicted, band.left, band.observed, band.lift, band.gain,
                     band.baseline_gain)
                    for band in bands
                ],
            )
        )  # fmt: skip
    parts.append(
        TablePart(
            key="days",
            title=_("Days learned from and tested on"),
            columns=[Column(_("Day"), "day"), Column(_("Used as")), Column(_("At risk"), "count"),
                     Column(_("Left"), "count"), Column(_("Share that left"), "percent")],
            rows=[
                (each.day, str(USES.get(each.use, each.use)), each.customers, each.left,
                 each.left / each.customers if each.customers else None)
                for each in known_days(desk.warehouse)
            ],
        )
    )  # fmt: skip
    return parts


def _explanation(desk: Desk) -> list[str]:
    metrics = desk.run.metrics
    facts = {
        "days": _horizon(desk),
        "active": metrics.get("active_days"),
        "lookback": metrics.get("lookback_days"),
    }
    return [
        _(
            "At risk is who bought within the last %(active)s days. Left means: no purchase in the %(days)s days "
            "after. Customers silent for longer are gone already; see the life cycle and the win-back lists."
        )
        % facts,
        _(
            "On past days we looked only at what was known by then: %(lookback)s days of visits, money, kinds of "
            "goods, discounts. Two models learned from the earlier days who then left; the better one on a later day "
            "was chosen and its scores turned into probabilities there; the last day whose leavers are known is the "
            "test. Today's probabilities come from the same steps, moved on to today."
        )
        % facts,
        _(
            "Expected loss is the probability times the customer's money of the last 12 months. Reasons are what the "
            "model weighs most for this customer; they are signs, not proven causes."
        ),
    ]


def _horizon(desk: Desk) -> int:
    return int(desk.run.metrics.get("horizon_days") or 0)


PAGE: Final = AnalysisPage(
    name="churn",
    title=gettext_lazy("Who is likely to leave"),
    question=gettext_lazy("Who will leave, what would it cost, and whom should we call today?"),
    group="keep",
    icon="user-minus",
    order=200,
    build=build,
    says=churn_sentence,
    labels=RISKS,
)
