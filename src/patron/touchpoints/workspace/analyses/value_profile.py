"""Value profile: are those under 35 worth more? The same asked of sex, work, place, time with us and branch."""

from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from patron.intelligence.reports.value_profile import (
    QUESTIONS,
    GroupRow,
    ProfileCustomer,
    ProfileSummary,
    Question,
    all_by_contribution,
    curve,
    group_rows,
    least_contributing,
    profile_summary,
)
from patron.kernel import charts
from patron.kernel.charts import Column
from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses._sentences import value_profile_sentence
from patron.touchpoints.workspace.analyses.contract import (
    AnalysisPage,
    Answer,
    Badge,
    ChartPart,
    Part,
    Row,
    TablePart,
    TextPart,
    Tile,
    Tone,
    Who,
    Words,
)
from patron.touchpoints.workspace.analyses.desk import Desk

QUESTION_LABELS: Mapping[Question, Words] = {
    "young": gettext_lazy("Under 35 or not"),
    "age": gettext_lazy("Age"),
    "sex": gettext_lazy("Sex"),
    "occupation": gettext_lazy("Occupation"),
    "district": gettext_lazy("District"),
    "newcomer": gettext_lazy("New or existing"),
    "tenure": gettext_lazy("Years with us"),
    "branch": gettext_lazy("Home branch"),
}
GROUP_LABELS: Mapping[str, Words] = {
    "under_35": gettext_lazy("Under 35"),
    "35_and_over": gettext_lazy("35 and over"),
    "under_25": gettext_lazy("Under 25"),
    "25_34": "25–34",
    "35_44": "35–44",
    "45_54": "45–54",
    "55_64": "55–64",
    "65_and_over": gettext_lazy("65 and over"),
    "female": gettext_lazy("Women"),
    "male": gettext_lazy("Men"),
    "other": pgettext_lazy("sex", "Other"),
    "new": gettext_lazy("New (registered within the year)"),
    "existing": gettext_lazy("Existing"),
    "under_1": gettext_lazy("Less than a year"),
    "1_2": gettext_lazy("1–2 years"),
    "2_4": gettext_lazy("2–4 years"),
    "4_and_over": gettext_lazy("4 years and more"),
}
VERDICT_LABELS: Mapping[str, tuple[Words, Tone]] = {
    "more": (gettext_lazy("worth more"), "good"),
    "less": (gettext_lazy("worth less"), "warn"),
    "unproven": (gettext_lazy("no proof"), "neutral"),
    "too_few": (gettext_lazy("too few"), "neutral"),
}
KIND_LABELS: Mapping[str, Words] = {
    "keep": gettext_lazy("Important to keep"),
    "win_back": gettext_lazy("Important to win back"),
    "develop": gettext_lazy("New and promising"),
    "low": gettext_lazy("Of low value"),
    "general": gettext_lazy("In between"),
}
BY_PACE = ("newcomer", "tenure")
NAMED = 3
"""Groups that the sentence names at most."""
SHOWN = 15
"""Bars at most; the table has all."""


def build(desk: Desk) -> Answer:
    """The answer to the chosen question; the groups; how the money is spread, and what serving customers leaves."""
    summary = profile_summary(desk.warehouse, desk.scope)
    if summary is None:
        return Answer(_("Nobody here bought anything in the last year, so there is nothing to compare."))
    asked = [each for each in QUESTIONS if each != "branch" or desk.scope.branch_id is None]
    chosen = desk.choice("by", {each: QUESTION_LABELS[each] for each in asked}, label=_("Compare by"))
    question = next(each for each in asked if each == chosen)
    rows = group_rows(desk.warehouse, desk.scope, question)
    return Answer(
        sentence=_sentence(question, rows, desk.currency),
        tiles=_tiles(summary, desk.currency),
        parts=[
            *_bars(question, rows, desk.currency),
            _groups_table(question, rows),
            *_curves(desk, summary),
            TextPart(_("Cost to serve"), _serving(desk, summary)),
            _costly(desk),
        ],
        explanation=_explanation(desk, rows, summary),
    )


def group_label(key: str) -> str:
    """The group in the reader's language; districts, occupations and branches as they are on file."""
    return str(GROUP_LABELS.get(key, key))


def _sentence(question: Question, rows: Sequence[GroupRow], currency: str) -> str:
    if not rows:
        return _("%(question)s: not known of any customer here; register it to compare by it.") % {
            "question": QUESTION_LABELS[question]
        }
    if len(rows) == 1:
        return _("%(question)s: all customers here are in one group (%(group)s), so there is nothing to compare.") % {
            "question": QUESTION_LABELS[question],
            "group": group_label(rows[0].key),
        }
    judged = [row for row in rows if row.verdict != "too_few"]
    if not judged:
        return _("%(question)s: every group here has too few customers to compare.") % {
            "question": QUESTION_LABELS[question]
        }
    if question == "young" or len(rows) == 2:
        return _pair(judged[0], currency)
    return _several(question, judged, currency)


def _pair(row: GroupRow, currency: str) -> str:
    """One group against the only other."""
    told = {
        "group": group_label(row.key),
        "count": formats.count(row.customers),
        "typical": formats.money(row.typical, currency, places=0),
        "rest": formats.money(row.rest_typical, currency, places=0),
        "share": formats.percent(row.value_share, 0),
        "interval": _interval(row),
    }
    told["found"] = (
        _("%(group)s (%(count)s customers) typically bring %(typical)s a year, the others %(rest)s%(interval)s") % told
    )
    if row.verdict == "more":
        said = _("Yes, more: %(found)s.")
    elif row.verdict == "less":
        said = _("No, less: %(found)s.")
    else:
        said = _("No difference is proven: %(found)s.")
    return f"{said % told} " + _("They bring %(share)s of sales.") % told


def _interval(row: GroupRow) -> str:
    if row.ratio_low is None or row.ratio_high is None:
        return ""
    return _("; with 95 %% certainty between %(low)s and %(high)s times as much") % {
        "low": formats.by_name(row.ratio_low, "ratio"),
        "high": formats.by_name(row.ratio_high, "ratio"),
    }


def _several(question: Question, judged: Sequence[GroupRow], currency: str) -> str:
    more = sorted((row for row in judged if row.verdict == "more"), key=lambda row: -(row.ratio or 0))
    less = sorted((row for row in judged if row.verdict == "less"), key=lambda row: row.ratio or 0)
    label = QUESTION_LABELS[question]
    if not more and not less:
        return _(
            "%(question)s tells little: of %(count)s groups none is proven to be worth more or less than the others."
        ) % {"question": label, "count": formats.count(len(judged))}
    parts = []
    if more:
        parts.append(_("more is brought by %(groups)s") % {"groups": _named(more, currency)})
    if less:
        parts.append(_("less by %(groups)s") % {"groups": _named(less, currency)})
    return _("%(question)s matters: %(found)s.") % {"question": label, "found": _("; ").join(parts)}


def _named(rows: Sequence[GroupRow], currency: str) -> str:
    named = [
        _("%(group)s (typically %(typical)s, %(ratio)s times the others)")
        % {
            "group": group_label(row.key),
            "typical": formats.money(row.typical, currency, places=0),
            "ratio": formats.by_name(row.ratio, "ratio"),
        }
        for row in rows[:NAMED]
    ]
    if len(rows) > NAMED:
        named.append(_("and %(count)s more") % {"count": formats.count(len(rows) - NAMED)})
    return _(", ").join(named)


def _tiles(summary: ProfileSummary, currency: str) -> list[Tile]:
    return [
        Tile(_("Customers"), formats.count(summary.customers), _("with a purchase in the last year")),
        Tile(
            _("Sales a customer"),
            formats.money(summary.mean, currency, places=0),
            _("half of them bring less than %(median)s")
            % {"median": formats.money(summary.median, currency, places=0)},
        ),
        Tile(
            _("The best 20 % bring"),
            formats.percent(summary.top_fifth_share),
            _("80 %% comes from %(count)s customers") % {"count": formats.count(summary.customers_for_80)},
        ),
        Tile(
            _("Left after serving them"),
            formats.money(summary.contribution, currency, places=0),
            ngettext(
                "%(count)s customer costs more than they bring",
                "%(count)s customers cost more than they bring",
                summary.at_a_loss,
            )
            % {"count": formats.count(summary.at_a_loss)},
        ),
    ]


def _bars(question: Question, rows: Sequence[GroupRow], currency: str) -> list[Part]:
    drawn = [row for row in rows if row.verdict != "too_few"][:SHOWN]
    if not drawn:
        return []
    largest = max(drawn, key=lambda row: row.typical)
    chart = charts.horizontal_bars(
        [charts.RankedBar(group_label(row.key), round(row.typical, 2)) for row in drawn],
        measure=charts.Series(_("Typical sales a year"), "money"),
        heading=str(QUESTION_LABELS[question]),
        currency=currency,
        reading=_("%(group)s bring most, typically %(typical)s a year.")
        % {"group": group_label(largest.key), "typical": formats.money(largest.typical, currency, places=0)},
    )
    shares = charts.horizontal_bars(
        [charts.RankedBar(group_label(row.key), row.leverage or 0) for row in drawn],
        measure=charts.Series(_("Share of sales ÷ share of customers"), "ratio"),
        heading=str(QUESTION_LABELS[question]),
        reading=_("Above 1 a group brings more than its share of customers."),
    )
    return [ChartPart(_("What a typical customer brings"), chart), ChartPart(_("Leverage"), shares)]


def _groups_table(question: Question, rows: Sequence[GroupRow]) -> TablePart:
    columns = [
        Column(str(QUESTION_LABELS[question])), Column(_("Verdict")), Column(_("Customers"), "count"),
        Column(_("Customers %"), "percent"), Column(_("Sales %"), "percent"), Column(_("Typical"), "money"),
        Column(_("times the others"), "ratio"), Column(_("at least"), "ratio"), Column(_("at most"), "ratio"),
        Column(_("Left after serving"), "money"), Column(_("Average"), "money"), Column(_("Median"), "money"),
        Column(_("Sales"), "money"), Column(_("Sales %, at least"), "percent"),
        Column(_("Sales %, at most"), "percent"), Column(_("A class"), "count"),
    ]  # fmt: skip
    table = [
        (
            group_label(row.key), Badge(*VERDICT_LABELS[row.verdict]), row.customers, row.customer_share,
            row.value_share, row.typical, row.ratio, row.ratio_low, row.ratio_high, row.contribution, row.mean,
            row.median, row.value, row.share_low, row.share_high, row.class_a,
        )
        for row in rows
    ]  # fmt: skip
    note = _("Typical leaves out the highest and the lowest tenth, so that a few large accounts do not decide.")
    if question in BY_PACE:
        paced = _("Averages are drawn out to a year for who has been here for less; sales are as they were.")
        note = formats.sentences(note, paced)
    note = formats.sentences(note, _("The file adds averages, medians, sales and the range of their share."))
    return TablePart("groups", _("The groups compared"), columns, table, note=note, only=10)


def _curves(desk: Desk, summary: ProfileSummary) -> list[Part]:
    parts: list[Part] = []
    lorenz = curve(desk.warehouse, desk.scope, "lorenz")
    if lorenz:
        from_the_best = [charts.LorenzPoint(1 - x, 1 - y) for x, y in reversed(lorenz)]
        parts.append(ChartPart(_("How the money is spread"), charts.lorenz(from_the_best)))
    whale = curve(desk.warehouse, desk.scope, "whale")
    if whale:
        drawn = [charts.Curve(_("Share of all that is left"), whale)]
        reading = _(
            "The best %(share)s of customers bring %(peak)s of what is left after serving them; the rest %(rest)s."
        ) % {
            "share": formats.percent(_place_of_peak(whale), 0),
            "peak": formats.percent(summary.peak),
            "rest": _("take it away again") if (summary.peak or 1) > 1.0005 else _("add nothing to it"),
        }
        chart = charts.curves(
            drawn,
            x=charts.Series(_("Customers, best first"), "percent"),
            y=charts.Series(_("Share of all that is left"), "percent"),
            reading=reading,
        )
        parts.append(ChartPart(_("What is left after serving them"), chart))
    return parts


def _place_of_peak(whale: Sequence[tuple[float, float]]) -> float:
    return max(whale, key=lambda point: point[1])[0]


def _costly(desk: Desk) -> TablePart:
    def cells(rows: Iterable[ProfileCustomer]) -> Iterable[Row]:
        for row in rows:
            yield (
                Who(row.customer_id), str(KIND_LABELS.get(row.kind, row.kind)), row.scores, row.monetary,
                row.discount_rate, row.gross_profit, row.cost_to_serve, row.contribution,
            )  # fmt: skip

    return TablePart(
        "customers",
        _("Customers who cost more than they bring"),
        [
            Column(_("Customer")),
            Column(_("Kind")),
            Column(_("L-R-F-M-D")),
            Column(_("Sales"), "money"),
            Column(_("Discount"), "percent"),
            Column(_("Gross profit"), "money"),
            Column(_("Cost to serve"), "money"),
            Column(_("Left after serving"), "money"),
        ],
        list(cells(least_contributing(desk.warehouse, desk.scope))),
        note=_(
            "The file holds everybody. L-R-F-M-D: length, recency, frequency, money, discount in fifths, 5 the best."
        ),
        every=lambda: (row for block in all_by_contribution(desk.warehouse, desk.scope) for row in cells(block)),
        empty=_("Nobody costs more than they bring."),
    )


def _serving(desk: Desk, summary: ProfileSummary) -> list[Words]:
    price = {
        name: formats.money(desk.run.parameters.get(f"{name}_cost"), desk.currency)
        for name in ("purchase", "return", "message", "call", "visit", "case", "gift")
    }
    return [
        _(
            "Serving these customers cost about %(cost)s of a gross profit of %(profit)s; price reductions of "
            "%(discount)s are already out of the sales."
        )
        % {
            "cost": formats.money(summary.cost_to_serve, desk.currency, places=0),
            "profit": formats.money(summary.gross_profit, desk.currency, places=0),
            "discount": formats.money(summary.discount, desk.currency, places=0),
        },
        _(
            "Counted at the house's own prices, which the settings of the model change: purchase %(purchase)s, return "
            "%(return)s, message %(message)s, call %(call)s, visit %(visit)s, case %(case)s, gift %(gift)s."
        )
        % price,
        _("Cost of goods is known for all of the sales.")
        if (summary.known_profit_share or 0) >= 0.9995
        else _("Cost of goods is known for %(share)s of the sales; the rest is taken to earn the same margin.")
        % {"share": formats.percent(summary.known_profit_share)},
    ]


def _explanation(desk: Desk, rows: Sequence[GroupRow], summary: ProfileSummary) -> list[Words]:
    known = sum(row.customers for row in rows)
    said: list[Words] = [
        _(
            "%(known)s of %(customers)s customers with a purchase in the last year are compared: of the others the "
            "group is not known."
        )
        % {"known": formats.count(known), "customers": formats.count(summary.customers)},
        _(
            "Each group is compared with the rest by trimmed means with unequal variances (Yuen 1974), the ratio has "
            "an interval of 95 % (Fieller 1954), and the verdict allows for asking about several groups at once (Holm "
            "1979)."
        ),
        _("A difference is no cause: the young may live elsewhere, or shop in another branch."),
    ]
    told, baseline = desk.run.metrics.get("proof_error"), desk.run.metrics.get("proof_baseline")
    if isinstance(told, int | float) and isinstance(baseline, int | float):
        said.append(
            _(
                "Back-test: the shares of the half-year before put %(told)s of the latest half-year's sales in the "
                "wrong group; giving every customer the same would put %(baseline)s there."
            )
            % {"told": formats.percent(told), "baseline": formats.percent(baseline)}
        )
    return said


PAGE = AnalysisPage(
    name="value-profile",
    analysis="value_profile",
    title=gettext_lazy("Who is worth more"),
    question=gettext_lazy("Are those under 35 worth more? And by sex, occupation, district, years with us, branch?"),
    group="who",
    icon="chart-pie",
    order=30,
    build=build,
    says=value_profile_sentence,
)
