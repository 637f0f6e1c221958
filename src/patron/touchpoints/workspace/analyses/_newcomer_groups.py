"""The parts of the newcomers page that compare groups: their curves, their figures, and whether they differ."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from patron.intelligence.reports.baskets import branch_names
from patron.intelligence.reports.newcomers import Comparison, Measure, curve_days, group_figures
from patron.kernel.charts import Column, Curve, Series, curves
from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses._newcomer_words import DIMENSION_LABELS, between, group_words, verdict
from patron.touchpoints.workspace.analyses.contract import Badge, ChartPart, Part, TablePart, Words
from patron.touchpoints.workspace.analyses.desk import Desk

_MOST_CURVES: Final = 5
_SHARES: Final[dict[Measure, Words]] = {
    "back": gettext_lazy("Share back"),
    "stay": gettext_lazy("Share still buying"),
}


def group_parts(desk: Desk, measure: Measure, dimension: str, test: Comparison) -> list[Part]:
    """The curves of the largest groups and the figures of all; nothing where there is one group only."""
    found = group_figures(desk.warehouse, measure, dimension)
    if len(found) < 2:
        return []
    names = branch_names(desk.warehouse)
    largest = sorted(found, key=lambda each: -each.newcomers)[:_MOST_CURVES]
    drawn = []
    for each in found:
        days = curve_days(desk.warehouse, measure, dimension=dimension, group=each.group) if each in largest else []
        if days:
            label = group_words(dimension, each.group, names)
            drawn.append(Curve(label, [(point.day, point.share) for point in days]))
    told = _test_words(test)
    parts: list[Part] = []
    if drawn:
        parts.append(
            ChartPart(
                _("Groups beside one another"),
                curves(
                    drawn,
                    x=Series(_("Days since the first purchase"), "count"),
                    y=Series(str(_SHARES[measure]), "percent"),
                    reading=told,
                ),
                wide=True,
            )
        )
    soon = desk.run.parameters.get("soon_days" if measure == "back" else "lost_days")
    parts.append(
        TablePart(
            "groups",
            _("The groups in figures"),
            (
                Column(str(DIMENSION_LABELS[dimension])),
                Column(_("Newcomers"), "count"),
                Column(_("Back so far") if measure == "back" else _("Gone"), "count"),
                Column(_("Expected if all were alike"), "decimal"),
                Column(
                    (_("Back by day %(day)s") if measure == "back" else _("Still buying after day %(day)s"))
                    % {"day": formats.count(soon)},
                    "percent",
                ),
                Column(_("At least"), "percent"),
                Column(_("At most"), "percent"),
                Column(_("Half by day"), "count"),
                Column(_("Range of that day")),
            ),
            [
                (
                    group_words(dimension, each.group, names),
                    each.newcomers,
                    each.events,
                    each.expected_events,
                    each.soon,
                    each.soon_low,
                    each.soon_high,
                    each.median_days,
                    between(each.median_low, each.median_high),
                )
                for each in found
            ],
            note="" if drawn else told,
        )
    )
    return parts


def _test_words(test: Comparison) -> str:
    if test.p_adjusted is None:
        return _("The groups are too few, or too small, to be compared.")
    facts = {"groups": formats.count(test.groups), "p": formats.decimal(test.p_adjusted, 3)}
    if test.p_adjusted < 0.05:
        return _("The %(groups)s groups differ by more than chance (log-rank test, p = %(p)s).") % facts
    return (
        _("The %(groups)s groups do not differ by more than chance would make them (log-rank test, p = %(p)s).") % facts
    )


def tests_part(tests: dict[str, Comparison]) -> TablePart:
    """Every way of dividing with its test."""
    compared = sum(each.p is not None for each in tests.values())
    return TablePart(
        "tests",
        _("Do the groups differ?"),
        (
            Column(_("Groups by")),
            Column(_("Groups"), "count"),
            Column(_("Chi-squared"), "decimal"),
            Column(_("p alone")),
            Column(_("p corrected")),
            Column(_("Verdict")),
        ),
        [
            (
                DIMENSION_LABELS[name],
                each.groups,
                each.statistic,
                formats.decimal(each.p, 3),
                formats.decimal(each.p_adjusted, 3),
                Badge(*verdict(each.p_adjusted, each.groups)),
            )
            for name, each in tests.items()
        ],
        note=ngettext(
            "%(compared)s comparison was made (log-rank test).",
            "%(compared)s comparisons were made (log-rank tests); one in twenty would seem to differ by chance, so "
            "each p is corrected for their number (Holm). The verdict is by the corrected one.",
            compared,
        )
        % {"compared": formats.count(compared)},
    )
