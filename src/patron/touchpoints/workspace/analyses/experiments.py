"""Experiments: how many customers a test needs, what those there are can show, whether the method keeps its word."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from patron.intelligence.mining.experimenting import power
from patron.intelligence.reports.experiments import (
    BaseRate,
    PlaceboRow,
    Treatment,
    base_rates,
    placebo_p_values,
    placebo_rows,
    treatments,
)
from patron.kernel import charts
from patron.kernel.charts import Column
from patron.kernel.ui import formats
from patron.kernel.ui.badges import STAGE_LABELS, VALUE_CLASS_LABELS
from patron.touchpoints.workspace.analyses.contract import (
    AnalysisPage,
    Answer,
    Badge,
    ChartPart,
    Part,
    TablePart,
    TextPart,
    Tile,
    Words,
)
from patron.touchpoints.workspace.analyses.desk import Desk

RETURN = "return"
SPEND = "spend"
TIER_LABELS: Mapping[str, Words] = {
    "silver": gettext_lazy("Silver"),
    "gold": gettext_lazy("Gold"),
    "platinum": gettext_lazy("Platinum"),
    "diamond": gettext_lazy("Diamond"),
}
PLACEBO_LABELS: Mapping[str, Words] = {
    "return": gettext_lazy("Came back within 28 days"),
    "spend": gettext_lazy("Spent in 28 days"),
    "spend_cuped": gettext_lazy("Spent in 28 days, what was known before taken out"),
}
OCCASION_LABELS: Mapping[str, Words] = {
    "birthday": gettext_lazy("for a birthday"),
    "tier": gettext_lazy("for reaching a tier"),
    "points": gettext_lazy("bought with points"),
    "enrolment": gettext_lazy("for joining"),
    "campaign": gettext_lazy("in a campaign"),
    "hand": gettext_lazy("by hand"),
}
#: Standard deviations between two groups before; above, they were unlike to begin with.
UNLIKE = 0.1


def build(desk: Desk) -> Answer:
    """The planner for the chosen segment and measure, then the placebo and the treatments that were no experiment."""
    rates = base_rates(desk.warehouse, desk.scope)
    if not rates:
        return Answer(_("Nobody here had bought before the last four weeks, so no experiment can be planned yet."))
    by_key = {_key(each): each for each in rates}
    chosen = by_key[
        desk.choice("segment", {key: _segment(each) for key, each in by_key.items()}, "all", label=_("Customers"))
    ]
    measure = desk.choice(
        "measure", {RETURN: _("They come back within 28 days"), SPEND: _("They spend in 28 days")}, label=_("Measure")
    )
    label = _("Rise to see (percentage points)") if measure == RETURN else _("Rise to see (%)")
    rise = desk.number("rise", 3 if measure == RETURN else 5, 0.1, 100, label=label) / 100
    design = power.Design(
        power=desk.number("power", 80, 50, 99, label=_("Chance of seeing it (%)")) / 100,
        treated_share=desk.number("treated", 50, 5, 95, label=_("Share treated (%)")) / 100,
    )
    plan = _Plan(chosen, measure, rise, design)
    placebos = placebo_rows(desk.warehouse)
    return Answer(
        sentence=plan.sentence(desk.currency),
        tiles=plan.tiles(desk.currency),
        parts=[
            ChartPart(_("Chance of seeing a rise with the customers there are"), plan.chart()),
            *_placebo_chart(desk),
            _segments_table(rates, design),
            _placebo_table(placebos),
            *_treatments_part(treatments(desk.warehouse)),
            TextPart(_("How to run an experiment"), _how_to()),
        ],
        explanation=_explanation(placebos),
    )


class _Plan:
    """One design for one segment: what it needs and what those there are can show."""

    def __init__(self, base: BaseRate, measure: str, rise: float, design: power.Design) -> None:
        self.base, self.measure, self.rise, self.design = base, measure, rise, design
        self.treated = round(base.customers * design.treated_share)
        self.control = base.customers - self.treated

    def needed(self) -> power.Sizes | None:
        """The customers needed; none where the rise cannot be: nobody spends, or more than all would come."""
        if self.measure == RETURN:
            lifted = self.base.return_rate + self.rise
            return power.rate_sizes(self.base.return_rate, lifted, self.design) if lifted <= 1 else None
        if self.base.spend <= 0:
            return None
        return power.mean_sizes(
            self.base.spend_deviation, self.base.spend * self.rise, self.design, explained=self.base.explained
        )

    def smallest(self) -> float | None:
        """The smallest rise that those there are can show: of a rate in points ÷ 100, of money as a share."""
        return smallest_rise(self.base, self.measure, self.treated, self.control, self.design)

    def sentence(self, currency: str) -> str:
        needed, smallest = self.needed(), self.smallest()
        if needed is None:
            return self._impossible()
        told = self._told(currency)
        if self.design.treated_share == 0.5:
            told["groups"] = _("%(count)s customers in each group") % {"count": formats.count(needed.treated)}
        else:
            told["groups"] = _("%(treated)s treated customers and %(control)s in the control group") % {
                "treated": formats.count(needed.treated),
                "control": formats.count(needed.control),
            }
        asked = (
            _("To see the share that comes back within 28 days rise from %(base)s to %(lifted)s you need %(groups)s.")
            if self.measure == RETURN
            else _("To see the spend of 28 days rise from %(base)s to %(lifted)s a customer you need %(groups)s.")
        ) % told
        told["smallest"] = self._rise_in_words(smallest)
        if smallest is None:
            seen = _("There are %(customers)s here (%(segment)s), too few to see any rise reliably.") % told
        elif needed.total <= self.base.customers:
            seen = (
                _("There are %(customers)s here (%(segment)s): enough. They would show a rise of %(smallest)s.") % told
            )
        else:
            seen = (
                _("There are %(customers)s here (%(segment)s): the smallest rise they could show is %(smallest)s.")
                % told
            )
        return formats.sentences(asked, seen)

    def _impossible(self) -> str:
        if self.measure == RETURN:
            return _(
                "%(base)s of these customers come back anyway, so a rise of %(rise)s cannot be. Choose a smaller one."
            ) % {"base": formats.percent(self.base.return_rate), "rise": self._rise_in_words(self.rise)}
        return _("Nobody here (%(segment)s) spent anything in these 28 days. Choose other customers.") % {
            "segment": _segment(self.base)
        }

    def _told(self, currency: str) -> dict[str, str]:
        told = {"customers": formats.count(self.base.customers), "segment": _segment(self.base)}
        if self.measure == RETURN:
            return told | {
                "base": formats.percent(self.base.return_rate),
                "lifted": formats.percent(self.base.return_rate + self.rise),
            }
        return told | {
            "base": formats.money(self.base.spend, currency),
            "lifted": formats.money(self.base.spend * (1 + self.rise), currency),
        }

    def _rise_in_words(self, rise: float | None) -> str:
        if rise is None:
            return formats.NO_VALUE
        if self.measure == RETURN:
            return _("%(points)s percentage points") % {"points": formats.decimal(rise * 100)}
        return formats.percent(rise)

    def tiles(self, currency: str) -> list[Tile]:
        needed = self.needed()
        rate = self.measure == RETURN
        return [
            Tile(_("Customers there are"), formats.count(self.base.customers), _segment(self.base)),
            Tile(
                _("Come back within 28 days") if rate else _("Spend in 28 days"),
                formats.percent(self.base.return_rate) if rate else formats.money(self.base.spend, currency),
                ""
                if rate
                else _("standard deviation %(deviation)s")
                % {"deviation": formats.money(self.base.spend_deviation, currency, places=0)},
            ),
            Tile(
                _("Customers needed"),
                formats.NO_VALUE if needed is None else formats.count(needed.total),
                _("both groups together"),
            ),
            Tile(
                _("Smallest rise they could show"),
                self._rise_in_words(self.smallest()),
                _("seen in %(power)s of experiments") % {"power": formats.percent(self.design.power, 0)}
                if self.smallest() is not None
                else _("none: too few customers"),
            ),
        ]

    def chart(self) -> charts.Chart:
        widest = max(self.rise * 2, (self.smallest() or self.rise) * 1.5)
        if self.measure == RETURN:
            widest = min(widest, 1 - self.base.return_rate)
        rises = [widest * step / 40 for step in range(41)]
        counted = self.measure == RETURN  # in percentage points, where a rise of money is a share
        drawn = [(100 * rise if counted else rise, self.chance(rise)) for rise in rises]
        return charts.curves(
            [
                charts.Curve(_("Chance of seeing it"), drawn),
                charts.Curve(_("Wanted"), [(rise, self.design.power) for rise, _chance in drawn], dashed=True),
            ],
            x=charts.Series(_("Rise in percentage points"), "decimal")
            if counted
            else charts.Series(_("Rise"), "percent"),
            y=charts.Series(_("Chance"), "percent"),
            reading=_("A rise of %(rise)s is seen in %(chance)s of experiments with %(customers)s customers.")
            % {
                "rise": self._rise_in_words(min(self.rise, widest)),
                "chance": formats.percent(self.chance(min(self.rise, widest))),
                "customers": formats.count(self.base.customers),
            },
        )

    def chance(self, rise: float) -> float:
        """The chance that the customers there are show such a rise."""
        if min(self.treated, self.control) < 2:
            return 0.0
        if self.measure == RETURN:
            lifted = min(self.base.return_rate + rise, 1.0)
            return power.rate_power(self.base.return_rate, lifted, self.treated, self.control, alpha=self.design.alpha)
        return power.mean_power(
            self.base.spend_deviation,
            self.base.spend * rise,
            self.treated,
            self.control,
            alpha=self.design.alpha,
            explained=self.base.explained,
        )


def smallest_rise(base: BaseRate, measure: str, treated: int, control: int, design: power.Design) -> float | None:
    """See :meth:`_Plan.smallest`."""
    if min(treated, control) < 2:
        return None
    if measure == RETURN:
        return power.smallest_rate_lift(base.return_rate, treated, control, design)
    if base.spend <= 0 or base.spend_deviation <= 0:
        return None
    found = power.smallest_mean_difference(base.spend_deviation, treated, control, design, explained=base.explained)
    return None if found is None else found / base.spend


def _key(base: BaseRate) -> str:
    return "all" if base.kind == "all" else f"{base.kind}-{base.key.lower()}"


def _segment(base: BaseRate) -> str:
    match base.kind:
        case "stage":
            return str(STAGE_LABELS.get(base.key, base.key))
        case "value_class":
            return str(VALUE_CLASS_LABELS.get(base.key.lower(), base.key))
        case "tier":
            return str(TIER_LABELS.get(base.key, base.key.replace("-", " ").capitalize()))
        case _:
            return _("all customers")


def _points(rise: float | None) -> float | None:
    """A difference of two shares in percentage points."""
    return None if rise is None else 100 * rise


def _segments_table(rates: Sequence[BaseRate], design: power.Design) -> TablePart:
    rows = []
    for base in rates:
        treated = round(base.customers * design.treated_share)
        sizes = (treated, base.customers - treated)
        rows.append(
            (
                _segment(base),
                base.customers,
                base.return_rate,
                _points(smallest_rise(base, RETURN, *sizes, design)),
                base.spend,
                base.spend_deviation,
                smallest_rise(base, SPEND, *sizes, design),
            )
        )
    return TablePart(
        "segments",
        _("What each segment could show"),
        (
            Column(_("Segment")),
            Column(_("Customers"), "count"),
            Column(_("Come back"), "percent"),
            Column(_("Smallest rise (percentage points)"), "decimal"),
            Column(_("Spend"), "money"),
            Column(_("Standard deviation"), "money"),
            Column(_("Smallest rise in spend"), "percent"),
        ),
        rows,
        note=_("Segments as they stood on the day before the four weeks that were measured."),
    )


def _placebo_chart(desk: Desk) -> list[Part]:
    found = placebo_p_values(desk.warehouse, "spend_cuped")
    splits = next((each.splits for each in placebo_rows(desk.warehouse)), 0)
    if not found:
        return []
    bins = [charts.Bin(5 * (place - 1), 5 * place, round(share * splits)) for place, share in found]
    return [
        ChartPart(
            _("Placebo: p-values where nothing was tried"),
            charts.histogram(
                bins,
                measure=charts.Series(_("p-value in hundredths"), "count"),
                counted=_("Placebo experiments"),
                reading=_("Below 0.05 fall %(share)s; %(promised)s is what the method promises.")
                % {"share": formats.percent(found[0][1]), "promised": formats.percent(0.05, 0)},
            ),
        )
    ]


def _placebo_table(rows: Sequence[PlaceboRow]) -> TablePart:
    return TablePart(
        "placebo",
        _("Placebo: the method tried on customers who were all treated alike"),
        (
            Column(_("Measure")),
            Column(_("Experiments"), "count"),
            Column(_("False alarms"), "percent"),
            Column(_("Verdict")),
            Column(_("Width of the interval"), "decimal"),
            Column(_("Variance taken out"), "percent"),
        ),
        [
            (
                str(PLACEBO_LABELS.get(each.measure, each.measure)),
                each.splits,
                each.alarms,
                Badge(_("keeps its word"), "good") if each.keeps_level else Badge(_("too many alarms"), "bad"),
                each.width * (100 if each.measure == RETURN else 1),
                each.explained,
            )
            for each in rows
        ],
        note=_("Width: of the interval at 95 %, in points for coming back and in money for spend."),
    )


def _treatments_part(found: Sequence[Treatment]) -> list[Part]:
    if not found:
        return []
    unlike = [each for each in found if abs(each.apart or 0) > UNLIKE]
    title = _("Vouchers are no experiment: nobody drew lots")
    table = TablePart(
        "treatments",
        title,
        (
            Column(_("Voucher")),
            Column(_("Given")),
            Column(_("First given"), "day"),
            Column(_("Holders"), "count"),
            Column(_("Others"), "count"),
            Column(_("Holders spent before"), "money"),
            Column(_("Others spent before"), "money"),
            Column(_("Apart (deviations)"), "ratio"),
            Column(_("Comparable?")),
        ),
        [
            (
                each.definition,
                str(OCCASION_LABELS.get(each.occasion, each.occasion)),
                each.first_on,
                each.holders,
                each.others,
                each.holders_before,
                each.others_before,
                each.apart,
                Badge(_("unlike before"), "bad") if each in unlike else Badge(_("not drawn by lot"), "warn"),
            )
            for each in found
        ],
        note=_(
            "Who was given a voucher was chosen or earned it. What they spend afterwards cannot be laid to the "
            "voucher, not even where both spent alike before. Spend before is that of 84 days."
        ),
    )
    return [table]


def _how_to() -> list[str]:
    return [
        _(
            "Decide before you begin: who takes part, what you measure and for how long, and how often you will look. "
            "Draw the lots, treat one group, leave the other alone, and compare once the time is over."
        ),
        _(
            "The planner shows how many customers that takes. If there are too few, choose a bolder treatment, more "
            "customers, a longer time, or a measure that varies less."
        ),
        _(
            "Looking early is allowed if it was planned: the first looks then ask for a much larger effect, and "
            "the last for hardly more than a single look."
        ),
    ]


def _explanation(rows: Sequence[PlaceboRow]) -> list[str]:
    paragraphs = [
        _(
            "Sizes: the normal formula for two rates (Fleiss, Levin, Paik 2003) and for two means (with Guenther's "
            "correction), two-sided at 5 %. For spend the planner counts on what was known before being taken out "
            "(CUPED), with the share of variance that the 84 days before foretell in the segment."
        ),
        _(
            "Results are judged by the score interval of Miettinen and Nurminen for rates and by a studentised "
            "bootstrap for money; planned looks share the risk of a false alarm by an O'Brien-Fleming type of spending."
        ),
    ]
    if rows:
        paragraphs.insert(
            0,
            _(
                "Base rates and spread are those of %(customers)s customers from %(opened)s to %(closed)s, the last 28 "
                "whole days of the data. The placebo splits the same customers in halves by lot %(splits)s times."
            )
            % {
                "customers": formats.count(rows[0].customers),
                "opened": formats.day(rows[0].opened_on),
                "closed": formats.day(rows[0].closed_on),
                "splits": formats.count(rows[0].splits),
            },
        )
    return paragraphs


PAGE = AnalysisPage(
    name="experiments",
    title=pgettext_lazy("page", "Experiments"),
    question=gettext_lazy("How many customers does an experiment need, and can its result be trusted?"),
    group="prove",
    icon="flask",
    order=10,
    build=build,
    analysis="experiment_planning",
)
