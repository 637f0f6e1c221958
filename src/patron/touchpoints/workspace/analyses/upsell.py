"""Up-sell ladder: who is ready for the next better product, in which category, and what that would bring."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patron.intelligence.reports.upsell import (
    CategoryGain,
    Step,
    UpsellSummary,
    category_gains,
    every_step,
    ladder,
    step_rows,
    upsell_summary,
)
from patron.kernel.charts import Chart, Column, RankedBar, Series, horizontal_bars
from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses._sentences import upsell_sentence
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

Words = str | Promise

RUNGS: Final[dict[str, Words]] = {
    "entry": gettext_lazy("Entry"),
    "middle": gettext_lazy("Middle"),
    "premium": gettext_lazy("Premium"),
}


def build(desk: Desk) -> Answer:
    """The money, the categories, the candidates, the ladder of the chosen category."""
    summary = upsell_summary(desk.warehouse, desk.scope)
    if not summary.steps:
        return Answer(_("Nobody here is ready for a better product by these figures; look again next month."))
    gains = category_gains(desk.warehouse, desk.scope)
    options: dict[str, Words] = {"": _("All categories")}
    options |= {each.category: f"{each.category} ({formats.count(each.customers)})" for each in gains}
    category = desk.choice("category", options, "", label=_("Category"))
    parts: list[Part] = [
        ChartPart(_("Where the money is"), _chart(desk, gains)),
        _candidates(desk, category),
        _ladder(desk, category or gains[0].category),
    ]
    return Answer(_sentence(desk, summary, gains), _tiles(desk, summary), parts, _explanation(desk))


def _sentence(desk: Desk, summary: UpsellSummary, gains: list[CategoryGain]) -> str:
    return _(
        "%(customers)s customers are ready for a better product, %(steps)s steps up in all, worth about %(money)s a "
        "year if as many climb as usually do. Begin with %(category)s: %(candidates)s customers, %(gain)s a year."
    ) % {
        "customers": formats.count(summary.customers),
        "steps": formats.count(summary.steps),
        "money": formats.money(summary.money, desk.currency, places=0),
        "category": gains[0].category,
        "candidates": formats.count(gains[0].customers),
        "gain": formats.money(gains[0].money, desk.currency, places=0),
    }


def _tiles(desk: Desk, summary: UpsellSummary) -> list[Tile]:
    metrics = desk.run.metrics
    tiles = [
        Tile(
            _("Extra money a year"),
            formats.money(summary.money, desk.currency, places=0),
            _("if as many climb as usual"),
        ),
        Tile(_("Expected to climb"), formats.count(summary.expected_climbers), _("in a period, of the steps listed")),
    ]
    if metrics.get("climb_rate") is not None:
        tiles.append(
            Tile(
                _("The best fifth climbed"),
                formats.percent(metrics["climb_rate_best_fifth"], 0),
                _("%(share)s of all who could") % {"share": formats.percent(metrics["climb_rate"], 0)},
            )
        )
    return tiles


def _chart(desk: Desk, gains: list[CategoryGain]) -> Chart:
    return horizontal_bars(
        [RankedBar(each.category, round(each.money), desk.url(category=each.category)) for each in gains],
        measure=Series(_("Extra money a year"), "money"),
        heading=_("Category"),
        currency=desk.currency,
        reading=_("%(category)s promises most: %(money)s more a year. Choose a bar to see who is ready.")
        % {"category": gains[0].category, "money": formats.money(gains[0].money, desk.currency, places=0)},
    )


def _candidates(desk: Desk, category: str) -> TablePart:
    rows, more = desk.more(partial(step_rows, desk.warehouse, desk.scope, category))

    def every() -> Iterator[Row]:
        for block in every_step(desk.warehouse, desk.scope, category):
            yield from (_row(each) for each in block)

    return TablePart(
        "customers",
        _("Who is ready for what"),
        (
            Column(_("Customer")),
            Column(_("Category")),
            Column(_("For example")),
            Column(_("Extra a year"), "money"),
            Column(_("Chance"), "percent"),
            Column(_("Why")),
            Column(_("From")),
            Column(_("To")),
            Column(_("Pays per unit"), "price"),
            Column(_("Would pay"), "price"),
        ),
        [_row(each) for each in rows],
        more=more,
        every=every,
        note=_("Chance: the share of customers like this one who climb. The file adds rungs and prices per unit."),
        empty=_("Nobody is ready for a better product here."),
        only=6,
    )


def _row(step: Step) -> Row:
    return (
        Who(step.customer_id),
        step.category,
        step.product_name,
        step.extra_per_year,
        step.confidence,
        _why(step),
        str(RUNGS[step.rung]),
        str(RUNGS[step.next_rung]),
        _unit_price(step.unit_price),
        _unit_price(step.next_unit_price),
    )


def _unit_price(price: float) -> float | None:
    """None below a cent, where a unit is a drop of what is sold."""
    return price if price >= 0.005 else None


def _why(step: Step) -> str:
    facts = {"times": formats.count(step.purchases), "rung": str(RUNGS[step.rung]).lower()}
    if step.reason_code == "tasted":
        return _("Bought %(times)s times, mostly on the %(rung)s rung, dearer ones among them.") % facts
    return _("Bought %(times)s times, mostly on the %(rung)s rung.") % facts


def _ladder(desk: Desk, category: str) -> TablePart:
    return TablePart(
        "ladder",
        _("The ladder of %(category)s") % {"category": category},
        (
            Column(_("Rung")),
            Column(_("Price per unit"), "price"),
            Column(_("Products"), "count"),
            Column(_("Customers before"), "count"),
            Column(_("Then entry"), "count"),
            Column(_("Then middle"), "count"),
            Column(_("Then premium"), "count"),
            Column(_("Did not buy"), "count"),
        ),
        [
            (
                str(RUNGS[each.rung]),
                _unit_price(each.price),
                each.products,
                each.customers,
                each.to_entry,
                each.to_middle,
                each.to_premium,
                each.to_none,
            )
            for each in ladder(desk.warehouse, category)
        ],
        note=_("All branches. Where the customers of each rung stood one period of %(days)s days later.")
        % {"days": formats.count(desk.run.parameters.get("period_days", 112))},
    )


def _explanation(desk: Desk) -> list[str]:
    metrics, parameters = desk.run.metrics, desk.run.parameters
    told = [
        _(
            "The products of a category are put in the order of their price per unit and cut into three rungs with "
            "about a third of the sales each. A customer stands on the rung bought most often in the last %(days)s "
            "days, and climbs by standing higher in the period after. The chance is the share of those like the "
            "customer who climbed: same rung, as many dearer products tried, as dear a taste in other categories."
        )
        % {"days": formats.count(parameters.get("period_days", 112))},
    ]
    if metrics.get("tested"):
        told.append(
            _(
                "Back-test: chances learned from the periods before were given to %(tested)s customers and categories; "
                "%(rate)s climbed in the period after (%(promised)s had been expected), of the fifth with the best "
                "chances %(best)s."
            )
            % {
                "tested": formats.count(metrics["tested"]),
                "rate": formats.percent(metrics["climb_rate"]),
                "promised": formats.percent(metrics["promised"]),
                "best": formats.percent(metrics["climb_rate_best_fifth"]),
            }
        )
    told.append(
        _(
            "Price per unit stands for quality, so a larger pack looks like a better product. The extra money takes "
            "the same number of units at the price of the next rung, and is no promise: who climbs by chance may step "
            "down."
        )
    )
    return told


PAGE: Final = AnalysisPage(
    name="upsell",
    title=gettext_lazy("Up-sell ladder"),
    question=gettext_lazy("Who is ready for the next better product?"),
    group="sell",
    icon="stairs-up",
    order=20,
    build=build,
    says=upsell_sentence,
)
