"""Baskets: what is bought together, and who buys one side without the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patron.intelligence.reports.baskets import (
    Item,
    Pair,
    Part,
    Rule,
    branch_names,
    items,
    lacking,
    levels,
    matrix,
    parts,
    rules,
)
from patron.kernel.charts import Chart, Column, Series
from patron.kernel.charts.networks import Spot, Tie, network
from patron.kernel.charts.points import heatmap
from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses.contract import (
    AnalysisPage,
    Answer,
    ChartPart,
    Link,
    Row,
    TablePart,
    Tile,
    Who,
)
from patron.touchpoints.workspace.analyses.desk import Desk

Words = str | Promise

SHOWN: Final = 40
DRAWN: Final = 30
LEVELS: Final[dict[str, Words]] = {
    "category": gettext_lazy("Categories"),
    "type": gettext_lazy("Kinds of product"),
    "department": gettext_lazy("Departments"),
}
ORDERS: Final[dict[str, Words]] = {
    "lift": gettext_lazy("How much more often than usual"),
    "leverage": gettext_lazy("Most baskets beyond chance"),
    "missing": gettext_lazy("Most customers who lack the second"),
}


def build(desk: Desk) -> Answer:
    """The strongest rule in words, network and matrix, the rules, and who lacks the right side of the chosen one."""
    found = levels(desk.warehouse)
    if not found:
        return Answer(_("There are no baskets of identified customers with categories yet, so no rules can be found."))
    level = desk.choice("level", {each: LEVELS[each] for each in found}, label=_("Level"))
    part = _part(desk, level)
    order = desk.choice("order", ORDERS, label=_("Order"))
    told = rules(desk.warehouse, level, part, order)
    chosen = _chosen(desk, told)
    if chosen is None:
        return Answer(
            _(
                "In %(baskets)s baskets nothing is bought together in at least %(least)s baskets and more often than "
                "by chance. Choose a coarser level or more baskets."
            )
            % {"baskets": formats.count(part.baskets), "least": formats.count(part.min_count)},
            explanation=_explanation(desk, part),
        )
    return Answer(
        sentence=_sentence(chosen),
        tiles=_tiles(desk, part, chosen),
        parts=[
            *_pictures(desk, level, part, told),
            _rules_table(desk, told),
            _lacking_table(desk, level, part, chosen),
        ],
        explanation=_explanation(desk, part),
    )


def _part(desk: Desk, level: str) -> Part:
    there = {f"{part.part}:{part.key}": part for part in parts(desk.warehouse, level)}
    names = branch_names(desk.warehouse)
    words: dict[str, Words] = {}
    for key, part in there.items():
        words[key] = {
            "all": _("All baskets"),
            "value": _("Customers of class %(value)s") % {"value": part.key},
            "branch": _("Branch %(name)s") % {"name": names.get(part.key, part.key)},
            "season": _season(part.key),
        }[part.part]
    own = f"branch:{desk.scope.branch_id}"
    return there[desk.choice("of", words, own if own in there else "all:", label=_("Baskets"))]


def _season(key: str) -> str:
    """ "2025-Q4" in words."""
    year, _between, quarter = key.partition("-Q")
    return _("Quarter %(quarter)s of %(year)s") % {"year": year, "quarter": quarter}


def _chosen(desk: Desk, told: Sequence[Rule]) -> Rule | None:
    asked = desk.query.get("rule", "")
    return next((rule for rule in told if _key(rule) == asked), told[0] if told else None)


def _key(rule: Rule) -> str:
    return f"{rule.antecedent} > {rule.consequent}"


def _sentence(rule: Rule) -> str:
    return _(
        "Who buys %(left)s also buys %(right)s in %(share)s of baskets, %(times)s × as often as usual: put them "
        "together. %(missing)s customers buy %(left)s and never %(right)s: offer it to them."
    ) % {
        "left": rule.antecedent,
        "right": rule.consequent,
        "share": formats.percent(rule.confidence, 0),
        "times": formats.decimal(rule.lift),
        "missing": formats.count(rule.missing),
    }


def _tiles(desk: Desk, part: Part, rule: Rule) -> list[Tile]:
    tiles = [
        Tile(
            _("Baskets looked at"),
            formats.count(part.baskets),
            _("of %(customers)s customers") % {"customers": formats.count(part.customers)},
        ),
        Tile(
            _("Rules found"),
            formats.count(part.rules),
            _("each in at least %(least)s baskets") % {"least": formats.count(part.min_count)},
        ),
        Tile(
            _("Buy the first, never the second"),
            formats.count(rule.missing),
            _("of %(buyers)s who buy %(left)s") % {"buyers": formats.count(rule.buyers), "left": rule.antecedent},
        ),
    ]
    if foretold := desk.run.metrics.get("holdout_foretold"):
        tiles.append(
            Tile(
                _("Did the rules hold?"),
                formats.percent(float(desk.run.metrics["holdout_confidence"]), 0),
                _("foretold %(foretold)s; all baskets %(usual)s")
                % {
                    "foretold": formats.percent(float(foretold), 0),
                    "usual": formats.percent(float(desk.run.metrics["holdout_baseline"])),
                },
            )
        )
    return tiles


def _pictures(desk: Desk, level: str, part: Part, told: Sequence[Rule]) -> list[ChartPart]:
    drawn = [rule for rule in told if rule.second_item is None][:DRAWN]
    charts = []
    if drawn:
        charts.append(ChartPart(_("What goes with what"), _network(drawn, items(desk.warehouse, level, part))))
    if pairs := matrix(desk.warehouse, level, part):
        charts.append(ChartPart(_("What sells most, each with each"), _heatmap(pairs)))
    return charts


def _network(drawn: Sequence[Rule], sizes: dict[str, Item]) -> Chart:
    names = {name for rule in drawn for name in (rule.first_item, rule.consequent)}
    most = max((sizes[name].baskets for name in names if name in sizes), default=1)
    spots = [Spot(name, name, (sizes[name].baskets / most) ** 0.5 if name in sizes else 0.1) for name in sorted(names)]
    ties = [Tie(rule.first_item, rule.consequent, round(rule.lift, 2)) for rule in drawn]
    return network(
        spots, ties, measure=Series(_("Times as often"), "decimal"), headings=(_("Who buys"), _("also buys")),
        reading=_("An arrow leads from what is bought to what is then bought too; the thicker, the more often than "
                  "usual. Best tie: %(left)s with %(right)s, %(times)s ×.")
        % {"left": drawn[0].first_item, "right": drawn[0].consequent, "times": formats.decimal(drawn[0].lift)},
    )  # fmt: skip


def _heatmap(pairs: Sequence[Pair]) -> Chart:
    names = list(dict.fromkeys(pair.item for pair in pairs))
    best = max(pairs, key=lambda pair: pair.lift)
    return heatmap(
        {(pair.item, pair.other): round(pair.lift, 2) for pair in pairs},
        rows=names, columns=names, measure=Series(_("Times as often"), "decimal"),
        headings=(_("Item"), _("with")),
        reading=_("Of what sells most, %(left)s and %(right)s attract each other most: %(times)s × as often together "
                  "as by chance.")
        % {"left": best.item, "right": best.other, "times": formats.decimal(best.lift)},
    )  # fmt: skip


def _rules_table(desk: Desk, told: Sequence[Rule]) -> TablePart:
    def row(rule: Rule) -> Row:
        return (
            Link(rule.antecedent, desk.url(rule=_key(rule))), rule.consequent, rule.confidence,
            rule.lift, rule.count, rule.buyers, rule.missing,
        )  # fmt: skip

    return TablePart(
        key="rules",
        title=_("Rules"),
        columns=(
            Column(_("Who buys")), Column(_("also buys")), Column(_("in so many of those baskets"), "percent"),
            Column(_("× as often as usual"), "decimal"), Column(_("Baskets with both"), "count"),
            Column(_("Customers who buy the first"), "count"), Column(_("of them never the second"), "count"),
        ),
        rows=[row(rule) for rule in told[:SHOWN]],
        note=_("Choose a rule to see who buys the first and never the second."),
        every=lambda: (row(rule) for rule in told),
    )  # fmt: skip


def _lacking_table(desk: Desk, level: str, part: Part, rule: Rule) -> TablePart:
    def found(limit: int | None) -> list[Row]:
        rows = lacking(
            desk.warehouse, desk.scope, level, part, rule, as_of=desk.until, window_days=_window(desk),
            currency=desk.currency, limit=limit,
        )  # fmt: skip
        return [(Who(row.customer_id), row.baskets, row.spent, row.last_on) for row in rows]

    return TablePart(
        key="customers",
        title=_("Buy %(left)s and never %(right)s") % {"left": rule.antecedent, "right": rule.consequent},
        columns=(
            Column(_("Customer")), Column(_("Baskets with the first"), "count"), Column(_("Spent on it"), "money"),
            Column(_("Last bought"), "day"),
        ),
        rows=found(SHOWN),
        note=_("Who buys the first most often stands on top. The file holds all of them."),
        every=lambda: found(None),
        empty=_("Everybody here who buys the first also buys the second."),
    )  # fmt: skip


def _window(desk: Desk) -> int:
    return int(desk.run.parameters.get("window_days", 365))


def _explanation(desk: Desk, part: Part) -> list[Words]:
    paragraphs: list[Words] = [
        _(
            "Baskets of identified customers in the %(days)s days up to %(as_of)s: %(baskets)s baskets, %(items)s "
            "different items, %(itemsets)s sets of items in at least %(least)s baskets. Returns and cancelled receipts "
            "are left out; an item counts once a basket."
        )
        % {
            "days": formats.count(_window(desk)),
            "as_of": formats.day(desk.until),
            "baskets": formats.count(part.baskets),
            "items": formats.count(part.items),
            "itemsets": formats.count(part.itemsets),
            "least": formats.count(part.min_count),
        },
        _(
            "“× as often as usual” (lift) compares the share of baskets with both among those with the first to the "
            "share of all baskets with the second. A rule that a shorter one says as well is left out, and of the "
            "rules with the same items the surest is shown."
        ),
        _(
            "A rule says what is together, not why: an offer or neighbouring shelves may be behind it. Rules in few "
            "baskets are partly luck. How it is done: all sets of items that are together in enough baskets are found "
            "(Eclat, Zaki 2000), and rules that a simpler one says as well are left out (Bayardo 2000)."
        ),
    ]
    metrics = desk.run.metrics
    if metrics.get("holdout_foretold"):
        paragraphs.append(
            _(
                "Back-test: the %(rules)s strongest rules of categories known %(days)s days before the end foretold "
                "%(foretold)s; in the %(baskets)s baskets since, %(actual)s of those with the first held the second, "
                "against %(usual)s of all baskets."
            )
            % {
                "rules": formats.count(metrics["tested_rules"]),
                "days": formats.count(metrics["holdout_days"]),
                "foretold": formats.percent(metrics["holdout_foretold"]),
                "baskets": formats.count(metrics["holdout_baskets"]),
                "actual": formats.percent(metrics["holdout_confidence"]),
                "usual": formats.percent(metrics["holdout_baseline"]),
            }
        )
    return paragraphs


PAGE: Final = AnalysisPage(
    name="baskets",
    title=gettext_lazy("Baskets"),
    question=gettext_lazy("What is bought together, and who lacks the other half?"),
    group="sell",
    icon="basket",
    order=200,
    build=build,
)
