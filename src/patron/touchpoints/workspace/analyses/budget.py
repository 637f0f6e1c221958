"""The marketing budget, divided while you look: what if there were more, what if it worked half as well?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patron.intelligence.mining.optimising.assumptions import ACTIONS, UPLIFT, response
from patron.intelligence.reports.plans import BudgetSegment, budget_segments
from patron.kernel.charts import Chart, Column, RankedBar, Series, horizontal_bars
from patron.kernel.charts.curves import Curve, curves
from patron.kernel.ui import formats
from patron.kernel.ui.badges import STAGE_LABELS
from patron.touchpoints.workspace.analyses.contract import (
    AnalysisPage,
    Answer,
    ChartPart,
    Part,
    TablePart,
    Tile,
)
from patron.touchpoints.workspace.analyses.desk import Desk

if TYPE_CHECKING:
    from patron.intelligence.mining.optimising.budgets import Cells, Division

ACTION_LABELS: Final[dict[str, str | Promise]] = {
    "call": gettext_lazy("Calls"),
    "voucher": gettext_lazy("Vouchers"),
    "message": gettext_lazy("Messages"),
}
ACTIONS_FOR: Final[dict[str, str | Promise]] = {
    "call": gettext_lazy("calls to %(stage)s customers"),
    "voucher": gettext_lazy("vouchers for %(stage)s customers"),
    "message": gettext_lazy("messages to %(stage)s customers"),
}
Shape = Literal["exponential", "logarithmic"]
SHAPES: Final[dict[Shape, str | Promise]] = {
    "exponential": gettext_lazy("soon saturates"),
    "logarithmic": gettext_lazy("saturates slowly"),
}


@dataclass(frozen=True, slots=True)
class _Cell:
    """A stage and an action, with its curve."""

    segment: BudgetSegment
    action: str
    top: float
    dose: float

    @property
    def label(self) -> str:
        return str(ACTIONS_FOR[self.action]) % {"stage": str(STAGE_LABELS[self.segment.stage]).lower()}

    @property
    def short(self) -> str:
        return _("%(stage)s: %(action)s") % {
            "stage": STAGE_LABELS[self.segment.stage],
            "action": ACTION_LABELS[self.action],
        }


def build(desk: Desk) -> Answer:
    """The best division of the chosen budget, what equal parts would bring, and the curve of what more would."""
    symbol = formats.currency_symbol(desk.currency)
    budget = desk.number("budget", 10_000, 0, 1e9, label=_("Budget (%(currency)s)") % {"currency": symbol})
    works = desk.number("works", 100, 1, 1000, label=_("How well it works (100: as assumed)")) / 100
    most = desk.number("most", 100, 1, 100, label=_("At most for one action, %")) / 100
    curve = desk.choice("curve", dict(SHAPES.items()), label=_("More money for an action"))
    shape = next(each for each in SHAPES if each == curve)
    everything = desk.flag("all", label=_("Spend it all"))
    segments = [each for each in budget_segments(desk.warehouse, desk.scope) if each.stage in UPLIFT]
    if not segments:
        return Answer(_("There are no customers here yet, so there is nothing to spend a budget on."))
    cells = _cells(segments, works)
    division, equal = _divided(cells, budget, most=most, shape=shape, least_return=0.0 if everything else 1.0)
    return Answer(
        sentence=_sentence(desk, cells, division, budget),
        tiles=_tiles(desk, division, equal, budget),
        parts=_parts(desk, cells, division, budget=budget, most=most, shape=shape),
        explanation=_explanation(segments),
    )


def _cells(segments: Sequence[BudgetSegment], works: float) -> list[_Cell]:
    cells = []
    for segment in segments:
        for action in ACTIONS:
            top, dose = response(
                segment.customers, float(segment.money), stage=segment.stage, action=action, margin=segment.margin
            )
            cells.append(_Cell(segment, action, top * works, dose))
    return cells


def _arrays(cells: Sequence[_Cell], most: float) -> Cells:
    import numpy as np

    from patron.intelligence.mining.optimising.budgets import Cells

    return Cells(
        top=np.array([cell.top for cell in cells]),
        dose=np.array([cell.dose for cell in cells]),
        least=np.zeros(len(cells)),
        most=np.full(len(cells), most),
    )


def _divided(
    cells: Sequence[_Cell], budget: float, *, most: float, shape: Shape, least_return: float
) -> tuple[Division, float]:
    """The best division, and what equal parts bring."""
    from patron.intelligence.mining.optimising.budgets import divide, even, gain

    arrays = _arrays(cells, most * budget)
    best = divide(arrays, budget, shape=shape, least_return=least_return)
    return best, float(gain(arrays, even(arrays, budget), shape).sum())


def _best(cells: Sequence[_Cell], division: Division) -> list[int]:
    """Places of the cells that get something, the largest first."""
    return sorted(
        (place for place in range(len(cells)) if division.spend[place] >= 0.5),
        key=lambda place: (-division.spend[place], place),
    )


def _sentence(desk: Desk, cells: Sequence[_Cell], division: Division, budget: float) -> str:
    best = _best(cells, division)
    if not best:
        return _("By these figures no action would bring back its cost: keep the money.")
    spent, gained = float(division.spend.sum()), float(division.gain.sum())
    facts = {
        "first": formats.money(division.spend[best[0]], desk.currency, places=0),
        "where": cells[best[0]].label,
        "spent": formats.money(spent, desk.currency, places=0),
        "gain": formats.money(float(f"{gained:.3g}"), desk.currency, places=0),
        "kept": formats.money(budget - spent, desk.currency, places=0),
    }
    told = (
        _(
            "Spend %(spent)s, the largest part (%(first)s) on %(where)s: by the assumptions below this brings about "
            "%(gain)s of gross profit."
        )
        % facts
    )
    if budget - spent >= 1:
        return formats.sentences(told, _("Keep %(kept)s: nothing would bring it back.") % facts)
    return told


def _tiles(desk: Desk, division: Division, equal: float, budget: float) -> list[Tile]:
    spent, gained = float(division.spend.sum()), float(division.gain.sum())
    return [
        Tile(
            _("Gross profit it brings"),
            formats.money(gained, desk.currency, places=0),
            _("%(net)s after the cost") % {"net": formats.money(gained - spent, desk.currency, places=0)},
        ),
        Tile(
            _("The same money in equal parts"),
            formats.money(equal, desk.currency, places=0),
            _("%(net)s after the cost") % {"net": formats.money(equal - budget, desk.currency, places=0)},
        ),
        Tile(_("Spent"), formats.money(spent, desk.currency, places=0)),
        Tile(
            _("The last unit of money brings"),
            formats.money(division.price, desk.currency, places=2),
            _("everywhere the same, where no limit holds"),
        ),
    ]


def _parts(
    desk: Desk, cells: Sequence[_Cell], division: Division, *, budget: float, most: float, shape: Shape
) -> list[Part]:
    best = _best(cells, division)
    parts: list[Part] = []
    if best:
        top = cells[best[0]].label
        bars = horizontal_bars(
            [RankedBar(cells[place].short, round(float(division.spend[place]))) for place in best[:12]],
            measure=Series(_("Spend"), "money"),
            heading=_("Where"),
            currency=desk.currency,
            reading=_("Most goes to: %(where)s.") % {"where": top},
        )
        parts.append(ChartPart(_("Where the money goes"), bars))
    parts.append(ChartPart(_("What if the budget were another?"), _what_if(desk, cells, budget, most, shape)))
    places = sorted(range(len(cells)), key=lambda place: (-division.spend[place], -division.marginal[place], place))
    parts.append(
        TablePart(
            key="division",
            title=_("The division"),
            columns=[
                Column(_("Stage")),
                Column(_("Action")),
                Column(_("Spend"), "money"),
                Column(_("Brings"), "money"),
                Column(_("The next unit would bring"), "price"),
                Column(_("Customers"), "count"),
                Column(_("They bring a year"), "money"),
                Column(_("Assumed rise"), "percent"),
                Column(_("Cost for one"), "price"),
            ],
            rows=[
                (
                    str(STAGE_LABELS[cells[place].segment.stage]),
                    str(ACTION_LABELS[cells[place].action]),
                    round(float(division.spend[place]), 2),
                    round(float(division.gain[place]), 2),
                    round(float(division.marginal[place]), 2),
                    cells[place].segment.customers,
                    cells[place].segment.money,
                    UPLIFT[cells[place].segment.stage][cells[place].action],
                    ACTIONS[cells[place].action],
                )
                for place in places
            ],
            note=_(
                "Assumed rise: of a customer's yearly money if the action is done once, before “how well it works” is "
                "applied."
            ),
        )
    )
    return parts


def _what_if(desk: Desk, cells: Sequence[_Cell], budget: float, most: float, shape: Shape) -> Chart:
    highest = max(budget * 2, 1000.0)
    tried = [highest * step / 20 for step in range(21)]
    best, equal = [], []
    for each in tried:
        division, parts = _divided(cells, each, most=most, shape=shape, least_return=0.0)
        best.append((each, round(float(division.gain.sum()) - each, 2)))
        equal.append((each, round(parts - each, 2)))
    peak, profit = max(best, key=lambda point: point[1])
    return curves(
        [Curve(_("Best division"), best), Curve(_("Equal parts"), equal, dashed=True)],
        x=Series(_("Budget"), "money"),
        y=Series(_("Gross profit after the cost"), "money"),
        currency=desk.currency,
        reading=_("Of the budgets drawn, %(budget)s leaves most: %(profit)s after the cost.")
        % {
            "budget": formats.money(peak, desk.currency, places=0),
            "profit": formats.money(profit, desk.currency, places=0),
        },
    )


def _explanation(segments: Sequence[BudgetSegment]) -> list[str]:
    margin = segments[0].margin
    return [
        _(
            "Each action in each stage brings more the more is spent on it, but ever less: a first round for everybody "
            "brings 63 %% of what can be had (“soon saturates”). The money is divided so that the last unit of it "
            "brings the same everywhere; no other division brings more. Gross profit is %(margin)s of sales here."
        )
        % {"margin": formats.percent(margin)},
        _(
            "By how much an action raises a customer's spending, and what it costs, are assumptions until campaigns "
            "with control groups have measured them; they are in the table. With “how well it works” at 50 you see "
            "what remains if they are twice too good."
        ),
        _(
            "Stages are those of the life cycle today. A customer who gets a call and a voucher is counted as if each "
            "worked alone, which flatters both."
        ),
    ]


PAGE: Final = AnalysisPage(
    name="budget",
    title=gettext_lazy("Marketing budget"),
    question=gettext_lazy("How do we divide the marketing money?"),
    group="plan",
    icon="chart-pie",
    order=30,
    build=build,
)
