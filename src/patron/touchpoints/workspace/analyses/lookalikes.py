"""Look-alikes: who is like the customers we want more of, by what was known of them early."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patron.intelligence.reports.acquisition import (
    Candidate,
    SegmentLine,
    Sign,
    every_lookalike,
    list_size,
    lookalike_rows,
    segment_lines,
    signs_of,
)
from patron.kernel.charts import Chart, Column, RankedBar, Series, horizontal_bars
from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses._acquisition_words import FEATURES, band_words, sign_words
from patron.touchpoints.workspace.analyses._sentences import lookalikes_sentence
from patron.touchpoints.workspace.analyses.clusters import traits_in_words
from patron.touchpoints.workspace.analyses.contract import (
    AnalysisPage,
    Answer,
    Badge,
    ChartPart,
    Part,
    Row,
    TablePart,
    Tile,
    Who,
)
from patron.touchpoints.workspace.analyses.desk import Desk

Words = str | Promise

SEGMENTS: Final[dict[str, Words]] = {
    "vip": gettext_lazy("VIPs (the best 20 %)"),
    "class_a": gettext_lazy("A class (four fifths of sales)"),
}


def build(desk: Desk) -> Answer:
    """The answer for the chosen segment, its signs, the list, and how well each segment can be told."""
    lines = segment_lines(desk.warehouse)
    if not lines:
        return Answer(_("There are no segments to compare with yet."))
    options = {line.segment: _label(line) for line in lines}
    chosen = desk.choice("segment", options, label=_("Look like"))
    line = next(each for each in lines if each.segment == chosen)
    newer = desk.flag("newer", label=_("Newer customers and prospects only"))
    size = list_size(desk.warehouse, desk.scope, chosen, newer=newer)
    if not size:
        return Answer(_("Nobody here is outside this segment and known well enough to be compared."))
    parts: list[Part] = []
    signs = signs_of(desk.warehouse, chosen)
    if signs:
        parts.append(ChartPart(_("What sets them apart"), _chart(signs)))
    parts += [_list(desk, chosen, newer), _segments(lines)]
    return Answer(_sentence(line, size), _tiles(desk, line, size), parts, _explanation(lines[0]))


def _label(line: SegmentLine) -> str:
    known = SEGMENTS.get(line.segment)
    return str(known) if known is not None else traits_in_words(line.name)


def _sentence(line: SegmentLine, size: int) -> str:
    tenth = max(size // 10, 1)
    facts = {
        "tenth": formats.count(tenth),
        "size": formats.count(size),
        "segment": _label(line),
        "lift": formats.decimal(line.top_tenth_lift),
    }
    if line.auc_low <= 0.5:
        return (
            _(
                "What is known early does not tell “%(segment)s” from other customers better than chance: this list of "
                "%(size)s is not worth an offer."
            )
            % facts
        )
    if line.tested and line.top_rate is not None and line.base_rate is not None:
        facts |= {"top": formats.percent(line.top_rate, 0), "base": formats.percent(line.base_rate, 0)}
        return (
            _(
                "Invest in the first %(tenth)s of these %(size)s: of the best tenth found half a year ago, %(top)s "
                "have become VIPs since, of all %(base)s."
            )
            % facts
        )
    return (
        _(
            "Begin with the first %(tenth)s of these %(size)s: among the best tenth, “%(segment)s” is %(lift)s times "
            "as frequent as among all."
        )
        % facts
    )


def _tiles(desk: Desk, line: SegmentLine, size: int) -> list[Tile]:
    prospects = int(desk.run.metrics.get("prospects") or 0)
    return [
        Tile(
            _("To be compared"),
            formats.count(size),
            _("prospects") if prospects else _("customers outside the segment; there are no prospects"),
        ),
        Tile(_("Customers like that"), formats.count(line.members)),
        Tile(
            _("Told apart"),
            formats.percent(line.auc, 0),
            _("between %(low)s and %(high)s; chance is 50 %%")
            % {"low": formats.percent(line.auc_low, 0), "high": formats.percent(line.auc_high, 0)},
        ),
        Tile(_("The best tenth"), f"{formats.decimal(line.top_tenth_lift)} ×", _("as many members as among all")),
    ]


def _chart(signs: list[Sign]) -> Chart:
    bars = [
        RankedBar(
            _("%(feature)s: %(band)s")
            % {"feature": FEATURES.get(each.feature, each.feature), "band": band_words(each.band)},
            round(each.odds, 2),
        )
        for each in signs
    ]
    top = max(bars, key=lambda bar: bar.value)
    return horizontal_bars(
        bars,
        measure=Series(_("Times the odds"), "decimal"),
        heading=_("Sign"),
        reading=_("Most telling is “%(sign)s”: %(odds)s times the odds of the others.")
        % {"sign": top.label, "odds": formats.decimal(top.value)},
    )


def _list(desk: Desk, segment: str, newer: bool) -> TablePart:
    rows, more = desk.more(partial(lookalike_rows, desk.warehouse, desk.scope, segment, newer=newer))

    def every() -> Iterator[Row]:
        for block in every_lookalike(desk.warehouse, desk.scope, segment, newer=newer):
            yield from (_row(each) for each in block)

    return TablePart(
        "customers",
        _("Who is most alike"),
        (
            Column(_("Customer")),
            Column(_("Chance"), "percent"),
            Column(_("Times the average"), "decimal"),
            Column(_("New here?")),
            Column(_("Why")),
        ),
        [_row(each) for each in rows],
        more=more,
        every=every,
    )


def _row(each: Candidate) -> Row:
    since: object = ""
    if each.prospect:
        since = Badge(_("prospect"), "info")
    elif each.newer:
        since = Badge(_("newer"), "good")
    return (Who(each.customer_id), each.confidence, each.times_average, since, sign_words(each.reason))


def _segments(lines: list[SegmentLine]) -> TablePart:
    return TablePart(
        "segments",
        _("How well each segment can be told early"),
        (
            Column(_("Segment")),
            Column(_("Customers like that"), "count"),
            Column(_("Told apart"), "percent"),
            Column(_("From"), "percent"),
            Column(_("To"), "percent"),
            Column(_("The best tenth"), "decimal"),
        ),
        [(_label(each), each.members, each.auc, each.auc_low, each.auc_high, each.top_tenth_lift) for each in lines],
    )


def _explanation(vips: SegmentLine) -> list[str]:
    told = [
        _(
            "Only what is known early is used: age, sex, occupation, district, language, and the first 30 days of "
            "purchases (prospects: without purchases). A scorecard learns which of it members have more often than "
            "others; how well it does is measured on customers it had not seen."
        )
    ]
    if vips.tested:
        told.append(
            _(
                "Test by date: %(tested)s customers who were no VIPs half a year ago were scored by what was known "
                "then. Of the best tenth %(top)s have become VIPs since, of all %(base)s."
            )
            % {
                "tested": formats.count(vips.tested),
                "top": formats.percent(vips.top_rate),
                "base": formats.percent(vips.base_rate),
            }
        )
    told.append(
        _(
            "For customers who were here when the data begin, their first 30 days are the first 30 days of the data. "
            "Being alike is not yet buying: try an offer on a small sample of the list first."
        )
    )
    return told


PAGE: Final = AnalysisPage(
    name="lookalikes",
    title=gettext_lazy("Look-alikes"),
    question=gettext_lazy("Who is like the customers we want more of?"),
    group="win",
    icon="users-plus",
    order=10,
    build=build,
    says=lookalikes_sentence,
)
