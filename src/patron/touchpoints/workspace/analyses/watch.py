"""Watch: which good customers behave unlike themselves today, why, and how often such alarms were right."""

from collections.abc import Iterator, Mapping
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from patron.intelligence.reports.watch import (
    Group,
    RuleCheck,
    WatchCounts,
    WatchRow,
    every_watch_row,
    rule_checks,
    watch_counts,
    watch_rows,
)
from patron.kernel import charts
from patron.kernel.charts import Column
from patron.kernel.ui import formats
from patron.kernel.ui.badges import STAGE_LABELS
from patron.touchpoints.workspace.analyses.contract import (
    AnalysisPage,
    Answer,
    Badge,
    ChartPart,
    Finding,
    Part,
    Row,
    TablePart,
    Tile,
    Tone,
    Who,
    Words,
)
from patron.touchpoints.workspace.analyses.desk import Desk

GROUP_LABELS: Mapping[str, Words] = {
    "vip": gettext_lazy("VIPs"),
    "class_a": gettext_lazy("A class"),
    "all": gettext_lazy("everybody"),
}
KIND_LABELS: Mapping[str, Words] = {
    "silence": gettext_lazy("Stopped coming"),
    "spend_low": gettext_lazy("Spend far less"),
    "spend_high": gettext_lazy("Spend far more"),
    "basket_low": gettext_lazy("Smaller baskets"),
    "basket_high": gettext_lazy("Larger baskets"),
    "returns": gettext_lazy("Bring much back"),
}
SEVERITIES: Mapping[str, tuple[Words, Tone]] = {
    "unusual": (gettext_lazy("unusual"), "warn"),
    "very": (gettext_lazy("very unusual"), "warn"),
    "extreme": (gettext_lazy("extreme"), "bad"),
}
RULE_LABELS: Mapping[str, Words] = {
    "own_rhythm": gettext_lazy("Alarm by their own rhythm"),
    "thirty_days": gettext_lazy("Silent for 30 days or more"),
    "others": gettext_lazy("No alarm"),
}
GROUPS: tuple[Group, ...] = ("vip", "class_a", "all")
HEAD: Mapping[Group, Words] = {
    "vip": gettext_lazy("%(fresh)s of %(judged)s VIPs began to behave unlike themselves in the last four weeks"),
    "class_a": gettext_lazy(
        "%(fresh)s of %(judged)s A-class customers began to behave unlike themselves in the last four weeks"
    ),
    "all": gettext_lazy("%(fresh)s of %(judged)s customers began to behave unlike themselves in the last four weeks"),
}
NOBODY: Mapping[Group, Words] = {
    "vip": gettext_lazy("None of the %(judged)s VIPs began to behave unusually in the last four weeks."),
    "class_a": gettext_lazy(
        "None of the %(judged)s A-class customers began to behave unusually in the last four weeks."
    ),
    "all": gettext_lazy("None of the %(judged)s customers began to behave unusually in the last four weeks."),
}


def build(desk: Desk) -> Answer:
    """The answer for the chosen group, the list with reasons, and the check of past alarms."""
    asked = desk.choice("group", GROUP_LABELS, "vip", label=_("Customers"))
    group: Group = next(each for each in GROUPS if each == asked)
    fresh = (
        desk.choice("since", {"fresh": _("in the last 4 weeks"), "any": _("at any time")}, label=_("Began")) == "fresh"
    )
    counts = watch_counts(desk.warehouse, desk.scope, group)
    checks = rule_checks(desk.warehouse)
    parts: list[Part] = []
    if counts.kinds:
        parts.append(ChartPart(_("What changed in the last four weeks"), _kinds_chart(counts)))
    parts.append(_list(desk, group, fresh))
    parts.append(_checks_table(checks))
    return Answer(
        sentence=_sentence(counts, group),
        tiles=_tiles(desk, counts, checks),
        parts=parts,
        explanation=_explanation(desk),
    )


def _sentence(counts: WatchCounts, group: Group) -> str:
    if not counts.judged:
        return _("Nobody here has come often enough to know what is usual for them.")
    told = {"judged": formats.count(counts.judged), "fresh": formats.count(counts.fresh)}
    if not counts.fresh:
        return str(NOBODY[group]) % told
    head = str(HEAD[group]) % told
    silent = counts.kinds.get("silence", 0)
    if not silent:
        return _("%(head)s. Ask them what changed, those with most money first.") % {"head": head}
    return ngettext(
        "%(head)s; %(silent)s stopped coming. Call those with most money first.",
        "%(head)s; %(silent)s stopped coming. Call those with most money first.",
        silent,
    ) % {"head": head, "silent": formats.count(silent)}


def _tiles(desk: Desk, counts: WatchCounts, checks: list[RuleCheck]) -> list[Tile]:
    own = next((each for each in checks if each.rule == "own_rhythm" and each.customers), None)
    per_1000 = float(desk.run.parameters.get("alarms_per_1000", 0))
    return [
        Tile(_("Began in the last 4 weeks"), formats.count(counts.fresh)),
        Tile(_("Their money a year"), formats.money(counts.fresh_money, desk.currency, places=0), _("last 365 days")),
        Tile(
            _("False alarms to expect"),
            formats.decimal(counts.judged * per_1000 / 1000),
            _("at most, on a day, if nobody had changed"),
        ),
        Tile(
            _("Past alarms that were right"),
            formats.NO_VALUE if own is None else formats.percent(own.confirmed / own.customers, 0),
            _("spent less than half in the 28 days after"),
        ),
    ]


def _kinds_chart(counts: WatchCounts) -> charts.Chart:
    ranked = sorted(counts.kinds.items(), key=lambda each: -each[1])
    return charts.horizontal_bars(
        [charts.RankedBar(str(KIND_LABELS.get(kind, kind)), count) for kind, count in ranked],
        measure=charts.Series(_("Customers"), "count"),
        heading=_("Change"),
        reading=_("Most frequent: %(change)s, %(count)s customers.")
        % {"change": KIND_LABELS.get(ranked[0][0], ranked[0][0]), "count": formats.count(ranked[0][1])},
    )


def _list(desk: Desk, group: Group, fresh: bool) -> TablePart:
    rows, more = desk.more(partial(watch_rows, desk.warehouse, desk.scope, group, fresh=fresh))

    def every() -> Iterator[Row]:
        for block in every_watch_row(desk.warehouse, desk.scope, group, fresh=fresh):
            yield from (_row(each, desk.currency) for each in block)

    return TablePart(
        "customers",
        _("Who, and why"),
        (
            Column(_("Customer")),
            Column(_("Change")),
            Column(_("Why")),
            Column(_("Since"), "day"),
            Column(_("How unusual")),
            Column(_("Stage")),
            Column(_("Money a year"), "money"),
        ),
        [_row(each, desk.currency) for each in rows],
        more=more,
        every=every,
        empty=_("Nobody: all behave as usual."),
    )


def _row(row: WatchRow, currency: str) -> Row:
    label, tone = SEVERITIES.get(row.severity, (row.severity, "neutral"))
    return (
        Who(row.customer_id),
        str(KIND_LABELS.get(row.kind, row.kind)),
        _why(row.kind, row.usual, row.now, currency),
        row.since,
        Badge(label, tone),
        str(STAGE_LABELS.get(row.stage, "")),
        row.money_per_year,
    )


def says(found: Finding) -> str:
    """What is unusual about a customer, for their page."""
    kind = str(found.reason_code)
    why = _why(kind, float(found.facts["usual"]), float(found.facts["now"]), found.currency)
    return f"{KIND_LABELS[kind]}: {why}"


def _why(kind: str, usual: float, now: float, currency: str) -> str:
    match kind:
        case "silence":
            return _("Usually comes every %(usual)s days; silent for %(now)s.") % {
                "usual": formats.decimal(usual),
                "now": formats.count(now),
            }
        case "spend_low" | "spend_high":
            words = _("Spent %(now)s in the last four weeks; %(usual)s is usual.")
        case "basket_low" | "basket_high":
            words = _("Spends %(now)s a visit; %(usual)s is usual.")
        case _:
            return _("Brought goods back on %(now)s days in the last four weeks; %(usual)s is usual.") % {
                "usual": formats.decimal(usual),
                "now": formats.count(now),
            }
    return words % {"now": formats.money(now, currency), "usual": formats.money(usual, currency)}


def _checks_table(checks: list[RuleCheck]) -> TablePart:
    return TablePart(
        "checks",
        _("Were past alarms right?"),
        (
            Column(_("Rule")),
            Column(_("Days looked at"), "count"),
            Column(_("Customers pointed at"), "count"),
            Column(_("Then spent less than half"), "percent"),
            Column(_("Money a year"), "money"),
        ),
        [
            (
                str(RULE_LABELS.get(each.rule, each.rule)),
                each.days,
                each.customers,
                each.confirmed / each.customers if each.customers else None,
                each.money_per_year,
            )
            for each in checks
        ],
        note=_(
            "The watch as of three past days, four weeks apart, knowing only what was known then, against the "
            "28 days after."
        ),
    )


def _explanation(desk: Desk) -> list[str]:
    return [
        _(
            "Each customer is compared with their own history only. Silence is counted in days of usual trading, so "
            "that a day on which the shops were shut counts for nobody; what everybody did, a season or a feast, is "
            "taken off spend and baskets."
        ),
        _(
            "An alarm means that so much or so little would be seen rarely had nothing changed: at most %(per_1000)s "
            "of 1,000 customers who behave as always on any day, over six kinds of change together."
        )
        % {"per_1000": formats.decimal(float(desk.run.parameters.get("alarms_per_1000", 0)))},
        _("Judged: who came often enough; others are never called unusual."),
    ]


PAGE = AnalysisPage(
    name="watch",
    title=pgettext_lazy("page", "Watch"),
    question=gettext_lazy("Which good customers behave unlike themselves today?"),
    group="keep",
    icon="eye",
    order=10,
    build=build,
    says=says,
    labels=KIND_LABELS,
)
