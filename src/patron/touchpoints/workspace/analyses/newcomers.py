"""Newcomers: how many come back and how soon, how long they stay, and whom to write to now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from patron.intelligence.insights.marts.contract import ALL_BRANCHES
from patron.intelligence.reports.newcomers import (
    DIMENSIONS,
    MEASURES,
    STATES,
    CurveDay,
    GroupFigures,
    Measure,
    NewcomerRow,
    State,
    StateCount,
    comparisons,
    curve_days,
    every_newcomer,
    figures_of,
    newcomer_rows,
    state_counts,
)
from patron.kernel.charts import Chart, Column, Curve, Series, curves
from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses._newcomer_groups import group_parts, tests_part
from patron.touchpoints.workspace.analyses._newcomer_proof import backtest_parts, explained
from patron.touchpoints.workspace.analyses._newcomer_words import (
    DIMENSION_LABELS,
    MEASURE_LABELS,
    STATE_LABELS,
    between,
    newcomer_sentence,
    why,
)
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

_MILESTONES: Final = (7, 14, 28, 56, 90, 180, 365)


def build(desk: Desk) -> Answer:
    """The answer, both curves, the list, groups with their tests, the test by date."""
    everybody = figures_of(desk.warehouse, "back")
    if everybody is None:
        return Answer(_("Nobody has bought here for the first time since newcomers can be told."))
    own = figures_of(desk.warehouse, "back", desk.scope.key)
    figures, branch = (everybody, ALL_BRANCHES) if own is None else (own, desk.scope.key)
    counts = state_counts(desk.warehouse, desk.scope)
    if own is None and not any(each.customers for each in counts.values()):
        return Answer(_("Nobody here has bought for the first time of late, so there are no newcomers to tell of."))
    options: dict[str, str | Promise] = {
        state: f"{STATE_LABELS[state]} ({formats.count(counts[state].customers)})" for state in STATES
    }
    asked = desk.choice("list", options, label=_("Customers"))
    chosen: State = next(each for each in STATES if each == asked)
    measured = desk.choice("of", MEASURE_LABELS, label=_("Groups compared by"))
    measure: Measure = next(each for each in MEASURES if each == measured)
    dimension = desk.choice("by", {name: DIMENSION_LABELS[name] for name in DIMENSIONS}, label=_("Groups by"))
    days = curve_days(desk.warehouse, "back", branch_id=branch)
    tests = comparisons(desk.warehouse, measure)
    return Answer(
        sentence=_sentence(desk, figures, counts, own=own is not None),
        tiles=_tiles(desk, figures, counts),
        parts=[
            *_pictures(desk, days, branch),
            _list(desk, chosen),
            *_milestones(days),
            *group_parts(desk, measure, dimension, tests[dimension]),
            tests_part(tests),
            *backtest_parts(desk),
        ],
        explanation=explained(desk),
    )


def _sentence(desk: Desk, figures: GroupFigures, counts: dict[State, StateCount], *, own: bool) -> str:
    metrics, due = desk.run.metrics, counts["due"].customers
    facts = {
        "newcomers": formats.count(figures.newcomers),
        "back": formats.count(figures.events),
        "share": formats.percent(figures.soon, 0),
        "days": formats.count(desk.run.parameters.get("soon_days")),
        "late": formats.percent(figures.late, 0),
        "watched": formats.count(figures.watched_days),
        "half": formats.count(metrics.get("median_of_returners")),
        "quiet": formats.count((metrics.get("due_until") or 0) + 1),
        "due": formats.count(due),
        "from": formats.count(metrics.get("due_from")),
        "until": formats.count(metrics.get("due_until") or desk.run.parameters.get("horizon_days")),
    }
    told = []
    if desk.scope.branch_id is not None and not own:
        told.append(_("Too few first bought in this branch for figures of its own; these are of the whole house."))
    if figures.soon is None:
        told.append(_("Of %(newcomers)s newcomers %(back)s have come back so far."))
    elif figures.watched_days > int(desk.run.parameters.get("soon_days") or 0):
        told.append(
            _("Of %(newcomers)s newcomers %(share)s come back within %(days)s days, %(late)s within %(watched)s days.")
        )
    else:
        told.append(_("Of %(newcomers)s newcomers %(share)s come back within %(days)s days."))
    if metrics.get("due_from") is None:
        told.append(_("Too few have come back to say when to write."))
        return formats.sentences(*told) % facts
    told.append(_("Half of those who come back do so by day %(half)s."))
    if metrics.get("due_until") is not None:
        told.append(_("From day %(quiet)s on hardly anybody does."))
    if not due:
        told.append(_("Nobody is at day %(from)s to %(until)s now."))
    else:
        told.append(
            ngettext(
                "Write to the %(due)s who is at day %(from)s to %(until)s now.",
                "Write to the %(due)s who are at day %(from)s to %(until)s now.",
                due,
            )
        )
    return formats.sentences(*told) % facts


def _tiles(desk: Desk, figures: GroupFigures, counts: dict[State, StateCount]) -> list[Tile]:
    metrics, due = desk.run.metrics, counts["due"]
    tiles = [
        Tile(
            STATE_LABELS["due"],
            formats.count(due.customers),
            _("about %(expected)s come within %(days)s days anyway")
            % {
                "expected": formats.count(round(due.expected)),
                "days": formats.count(desk.run.parameters.get("soon_days")),
            },
            desk.url(list="due"),
        )
    ]
    if figures.soon is not None:
        tiles.append(
            Tile(
                _("Back within %(days)s days") % {"days": formats.count(desk.run.parameters.get("soon_days"))},
                formats.percent(figures.soon, 0),
                _("between %(low)s and %(high)s")
                % {"low": formats.percent(figures.soon_low, 0), "high": formats.percent(figures.soon_high, 0)},
            )
        )
    tiles.append(_median_tile(figures))
    if metrics.get("followed"):
        tiles.append(
            Tile(
                _("Gone so far"),
                formats.count(metrics["left"]),
                _("of %(followed)s of whom it can be told; %(back)s of them have bought again since")
                % {
                    "followed": formats.count(metrics["followed"]),
                    "back": formats.count(metrics.get("left_and_back")),
                },
            )
        )
    if metrics.get("brier") is not None:
        tiles.append(
            Tile(
                _("Error of the chances"),
                formats.decimal(metrics["brier"], 3),
                _("%(baseline)s with one chance for everybody (Brier score; 0 is perfect)")
                % {"baseline": formats.decimal(metrics["brier_baseline"], 3)},
            )
        )
    return tiles


def _median_tile(figures: GroupFigures) -> Tile:
    if figures.median_days is None:
        return Tile(_("Half of all back by day"), "–", _("fewer than half have come back"))
    return Tile(
        _("Half of all back by day"),
        formats.count(figures.median_days),
        between(figures.median_low, figures.median_high),
    )


def _pictures(desk: Desk, days: Sequence[CurveDay], branch: int) -> list[Part]:
    parts: list[Part] = []
    if days:
        facts = {
            "share": formats.percent(days[-1].share, 0),
            "day": formats.count(days[-1].day),
            "sure": formats.percent(desk.run.parameters.get("confidence"), 0),
        }
        parts.append(
            ChartPart(
                _("Back, by days since the first purchase"),
                _curve(
                    _("Have come back"),
                    days,
                    _("%(share)s are back by day %(day)s; the band holds the true share with %(sure)s confidence.")
                    % facts,
                ),
            )
        )
    stay = figures_of(desk.warehouse, "stay", branch) or figures_of(desk.warehouse, "stay")
    staying = curve_days(desk.warehouse, "stay", branch_id=branch) or curve_days(desk.warehouse, "stay")
    if stay is not None and staying:
        facts = {
            "share": formats.percent(staying[-1].share, 0),
            "day": formats.count(staying[-1].day),
            "half": formats.count(stay.median_days),
        }
        told = _("%(share)s still buy after day %(day)s.") % facts
        if stay.median_days is not None:
            told = formats.sentences(told, _("Half have made their last purchase by day %(half)s.") % facts)
        parts.append(
            ChartPart(_("Still buying, by days since the first purchase"), _curve(_("Still buying"), staying, told))
        )
    return parts


def _curve(label: str, days: Sequence[CurveDay], reading: str) -> Chart:
    return curves(
        [
            Curve(
                label,
                [(each.day, each.share) for each in days],
                [(each.day, each.low) for each in days],
                [(each.day, each.high) for each in days],
            )
        ],
        x=Series(_("Days since the first purchase"), "count"),
        y=Series(_("Share"), "percent"),
        reading=reading,
    )


def _list(desk: Desk, chosen: State) -> TablePart:
    rows, more = desk.more(partial(newcomer_rows, desk.warehouse, desk.scope, chosen))

    def every() -> Iterator[Row]:
        for block in every_newcomer(desk.warehouse, desk.scope, chosen):
            yield from (_row(each) for each in block)

    return TablePart(
        "customers",
        STATE_LABELS[chosen],
        (
            Column(_("Customer")),
            Column(_("First purchase"), "day"),
            Column(_("Days silent"), "count"),
            Column(_("Chance to come soon"), "percent"),
            Column(_("Expected"), "day"),
            Column(_("First basket"), "money"),
            Column(_("Department")),
            Column(_("Came back on"), "day"),
            Column(_("Why")),
        ),
        [_row(each) for each in rows],
        note=_("Those first who are worth most to win back: chance times first basket.") if chosen == "due" else "",
        more=more,
        every=every,
        empty=_("Nobody."),
    )


def _row(each: NewcomerRow) -> Row:
    return (
        Who(each.customer_id),
        each.first_on,
        each.silence_days,
        each.chance,
        each.expected_on,
        each.first_amount,
        each.department or "",
        each.second_on,
        why(each.state, each.silence_days, each.days_to_second),
    )


def _milestones(days: Sequence[CurveDay]) -> list[Part]:
    known = {each.day: each for each in days}
    rows = [(day, known[day].share, known[day].low, known[day].high) for day in _MILESTONES if day in known]
    if not rows:
        return []
    return [
        TablePart(
            "days",
            _("By which day how many are back"),
            (
                Column(_("By day"), "count"),
                Column(_("Back by then"), "percent"),
                Column(_("At least"), "percent"),
                Column(_("At most"), "percent"),
            ),
            rows,
        )
    ]


PAGE: Final = AnalysisPage(
    name="newcomers",
    title=gettext_lazy("Newcomers"),
    question=gettext_lazy("How many newcomers come back, how soon, and how long do they stay?"),
    group="keep",
    icon="user-plus",
    order=35,
    build=build,
    says=newcomer_sentence,
    labels={state: STATE_LABELS[state] for state in STATES},
)
