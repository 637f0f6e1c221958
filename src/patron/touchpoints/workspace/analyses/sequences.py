"""Sequences: what is bought after what, how soon, and who is due to hear of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patron.intelligence.reports.sequences import (
    SequenceRule,
    choices,
    due,
    paths,
    sequence_rules,
)
from patron.kernel.charts import Chart, Column, Series
from patron.kernel.charts.bars import RankedBar, horizontal_bars
from patron.kernel.charts.networks import Spot, Tie, network
from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses.contract import (
    AnalysisPage,
    Answer,
    ChartPart,
    Link,
    Part,
    Row,
    TablePart,
    Tile,
    Who,
)
from patron.touchpoints.workspace.analyses.desk import Desk

Words = str | Promise

SHOWN: Final = 40
DRAWN: Final = 25
BARS: Final = 8
LEVELS: Final[dict[str, Words]] = {
    "category": gettext_lazy("Categories"),
    "type": gettext_lazy("Kinds of product"),
    "department": gettext_lazy("Departments"),
}
ORDERS: Final[dict[str, Words]] = {
    "lift": gettext_lazy("How much more often than after any visit"),
    "confidence": gettext_lazy("How often it follows"),
    "own_lift": gettext_lazy("How much more often than the same customers usually"),
    "due": gettext_lazy("Most customers due now"),
}


def build(desk: Desk) -> Answer:
    """The strongest sequel in words, pictures, the rules, who is due, and longer paths."""
    there = choices(desk.warehouse)
    if not there:
        return Answer(_("There are no purchases of identified customers with categories yet, so nothing follows."))
    level = desk.choice("level", {each: LEVELS[each] for each in there}, label=_("Level"))
    options = {str(days): _("%(days)s days") % {"days": days} for days in there[level]}
    days = int(desk.choice("days", options, "14" if "14" in options else None, label=_("Within")))
    order = desk.choice("order", ORDERS, label=_("Order"))
    told = sequence_rules(desk.warehouse, level, days, order)
    chosen = _chosen(desk, told)
    if chosen is None:
        return Answer(
            _("Nothing follows anything more often than after any visit. Choose another level or more days."),
            explanation=_explanation(desk),
        )
    return Answer(
        sentence=_sentence(chosen, days, _due_here(desk, level, days, chosen)),
        tiles=_tiles(desk, chosen),
        parts=[
            ChartPart(_("What leads to what"), _network(told)),
            ChartPart(_("How often, and how often anyway"), _bars(told, days)),
            _rules_table(desk, told, days),
            _due_table(desk, level, days, chosen),
            *_paths(desk),
        ],
        explanation=_explanation(desk),
    )


def _chosen(desk: Desk, told: Sequence[SequenceRule]) -> SequenceRule | None:
    asked = desk.query.get("rule", "")
    return next((rule for rule in told if _key(rule) == asked), told[0] if told else None)


def _key(rule: SequenceRule) -> str:
    return f"{rule.first_item} > {rule.then_item}"


def _due_here(desk: Desk, level: str, days: int, rule: SequenceRule) -> int:
    """How many are due: in a branch its own customers."""
    if desk.scope.branch_id is None:
        return rule.due
    found = due(desk.warehouse, desk.scope, level, days, rule, as_of=desk.until, currency=desk.currency, limit=None)
    return sum(1 for _row in found)


def _sentence(rule: SequenceRule, days: int, due_here: int) -> str:
    facts = {
        "first": rule.first_item,
        "then": rule.then_item,
        "share": formats.percent(rule.confidence, 0),
        "days": formats.count(days),
        "usually": formats.count(round(rule.median_days)),
        "times": formats.decimal(rule.lift),
        "due": formats.count(due_here),
    }
    if not due_here:
        return (
            _(
                "After %(first)s, %(share)s buy %(then)s within %(days)s days (usually %(usually)s days later), "
                "%(times)s × as often as after any visit. Nobody is due just now."
            )
            % facts
        )
    return (
        _(
            "After %(first)s, %(share)s buy %(then)s within %(days)s days (usually %(usually)s days later), "
            "%(times)s × as often as after any visit. %(due)s customers have just bought %(first)s and not %(then)s "
            "since: tell them now."
        )
        % facts
    )


def _tiles(desk: Desk, rule: SequenceRule) -> list[Tile]:
    tiles = [
        Tile(
            _("It happened"),
            formats.count(rule.followed),
            _("after %(occasions)s visits, to %(customers)s customers")
            % {"occasions": formats.count(rule.occasions), "customers": formats.count(rule.customers)},
        ),
        Tile(
            _("Usually later"),
            _("%(days)s days") % {"days": formats.count(round(rule.median_days))},
            _("half of them sooner"),
        ),
        Tile(
            _("Than the same customers usually"),
            _("%(times)s ×") % {"times": formats.decimal(rule.own_lift, 2)},
            _("the moment counts") if rule.own_lift >= 1.1 else _("it is the customer, not the moment"),
        ),
    ]
    metrics = desk.run.metrics
    if metrics.get("holdout_foretold"):
        tiles.append(
            Tile(
                _("Did the rules hold?"),
                formats.percent(float(metrics["holdout_confidence"])),
                _("foretold %(foretold)s; any visit %(usual)s")
                % {
                    "foretold": formats.percent(float(metrics["holdout_foretold"])),
                    "usual": formats.percent(float(metrics["holdout_baseline"])),
                },
            )
        )
    return tiles


def _network(told: Sequence[SequenceRule]) -> Chart:
    drawn = told[:DRAWN]
    most = max((rule.occasions for rule in drawn), default=1)
    sizes: dict[str, float] = {}
    for rule in drawn:
        sizes.setdefault(rule.then_item, 0.2)
    sizes |= {rule.first_item: (rule.occasions / most) ** 0.5 for rule in drawn}
    return network(
        [Spot(name, name, size) for name, size in sorted(sizes.items())],
        [Tie(rule.first_item, rule.then_item, round(rule.lift, 2)) for rule in drawn],
        measure=Series(_("× as often as after any visit"), "decimal"), headings=(_("After buying"), _("then")),
        reading=_("An arrow leads from what is bought to what follows; the thicker, the more often than after any "
                  "visit. First: %(first)s, then %(then)s.")
        % {"first": drawn[0].first_item, "then": drawn[0].then_item},
    )  # fmt: skip


def _bars(told: Sequence[SequenceRule], days: int) -> Chart:
    shown = told[:BARS]
    best = max(shown, key=lambda rule: rule.confidence)
    return horizontal_bars(
        [RankedBar(f"{rule.first_item}\n→ {rule.then_item}", rule.confidence) for rule in shown],
        measure=Series(_("Followed within %(days)s days") % {"days": days}, "percent"),
        heading=_("After → then"),
        reading=_("Most often: after %(first)s comes %(then)s, %(share)s of the time; after any visit %(usual)s.")
        % {
            "first": best.first_item, "then": best.then_item, "share": formats.percent(best.confidence),
            "usual": formats.percent(best.usual),
        },
    )  # fmt: skip


def _rules_table(desk: Desk, told: Sequence[SequenceRule], days: int) -> TablePart:
    def row(rule: SequenceRule) -> Row:
        return (
            Link(rule.first_item, desk.url(rule=_key(rule))), rule.then_item, rule.confidence, rule.usual,
            rule.lift, rule.own_lift, rule.median_days, rule.due, rule.followed, rule.customers,
        )  # fmt: skip

    return TablePart(
        key="rules",
        title=_("What follows within %(days)s days") % {"days": days},
        columns=(
            Column(_("After buying")), Column(_("then")), Column(_("so often"), "percent"),
            Column(_("after any visit"), "percent"), Column(_("× as often"), "decimal"),
            Column(_("× the same customers usually"), "decimal"), Column(_("Days later, usually"), "decimal"),
            Column(_("Due now"), "count"), Column(_("Times it happened"), "count"), Column(_("Customers"), "count"),
        ),
        rows=[row(rule) for rule in told[:SHOWN]],
        note=_("Choose a rule to see who is due. The file adds how many times it happened, and to how many."),
        only=8,
        every=lambda: (row(rule) for rule in told),
    )  # fmt: skip


def _due_table(desk: Desk, level: str, days: int, rule: SequenceRule) -> TablePart:
    def found(limit: int | None) -> list[Row]:
        rows = due(desk.warehouse, desk.scope, level, days, rule, as_of=desk.until, currency=desk.currency, limit=limit)
        return [(Who(row.customer_id), row.last_on, row.usually_on) for row in rows]

    return TablePart(
        key="due",
        title=_("Have just bought %(first)s, not yet %(then)s") % {"first": rule.first_item, "then": rule.then_item},
        columns=(Column(_("Customer")), Column(_("Bought on"), "day"), Column(_("Usually comes for it by"), "day")),
        rows=found(SHOWN),
        note=_("Bought the first in the last %(days)s days. The file holds all of them.") % {"days": days},
        every=lambda: found(None),
        empty=_("Nobody is due just now."),
    )


def _paths(desk: Desk) -> list[Part]:
    found = [path for steps in (3, 2) for path in paths(desk.warehouse, steps)]
    if not found:
        return []
    every = [(path.path, path.customers, path.support, path.confidence) for path in found]
    within = float(desk.run.parameters.get("within", 0))
    return [
        TablePart(
            key="paths",
            title=_("Paths that many customers take"),
            columns=(
                Column(_("Steps")), Column(_("Customers"), "count"), Column(_("of all customers"), "percent"),
                Column(_("go on to the last step"), "percent"),
            ),
            rows=every[:SHOWN],
            note=_("From first to last within %(days)s days, at least once in the year.")
            % {"days": formats.count(within)} if within else _("At least once in the year."),
            every=lambda: iter(every),
        )
    ]  # fmt: skip


def _explanation(desk: Desk) -> list[Words]:
    run = desk.run
    paragraphs: list[Words] = [
        _(
            "Visits of %(customers)s identified customers in the %(days)s days up to %(as_of)s. For each visit with "
            "the first item it is counted whether the second follows on a later day in time; visits too recent to "
            "know are left out. A rule needs at least %(least)s customers."
        )
        % {
            "customers": formats.count(run.metrics.get("customers", 0)),
            "days": formats.count(run.parameters.get("window_days", 365)),
            "as_of": formats.day(desk.until),
            "least": formats.count(run.parameters.get("least_customers", 0)),
        },
        _(
            "“After any visit” is the share of all visits, whatever was bought, that the second item follows. "
            "“× the same customers usually” compares with the other visits of the very customers who buy the first: "
            "near 1 they simply like both and any day will do; well above 1 the first really leads to the second."
        ),
        _(
            "A sequel is no proof that one purchase causes the other. Paths are series of purchases that many "
            "customers make in the same order, whatever they buy in between (PrefixSpan, Pei et al. 2004)."
        ),
    ]
    metrics = run.metrics
    if metrics.get("holdout_foretold"):
        paragraphs.append(
            _(
                "Back-test: the %(rules)s strongest rules known %(days)s days before the end foretold %(foretold)s "
                "within 14 days; since then it was %(actual)s, against %(usual)s after any visit. Compared with the "
                "same customers' other visits they were at %(own)s ×."
            )
            % {
                "rules": formats.count(metrics["tested_rules"]),
                "days": formats.count(metrics["holdout_days"]),
                "foretold": formats.percent(metrics["holdout_foretold"]),
                "actual": formats.percent(metrics["holdout_confidence"]),
                "usual": formats.percent(metrics["holdout_baseline"]),
                "own": formats.decimal(metrics["holdout_own_lift"], 2),
            }
        )
    return paragraphs


PAGE: Final = AnalysisPage(
    name="sequences",
    title=gettext_lazy("Sequences"),
    question=gettext_lazy("What is bought after what, how soon, and who is due?"),
    group="sell",
    icon="arrow-ramp-right",
    order=210,
    build=build,
)
