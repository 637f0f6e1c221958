"""Drift: whether the data still look like those that the models learnt from, and which branch sends nothing."""

from collections.abc import Mapping, Sequence
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from patron.intelligence.reports.drift import BranchRow, FeatureRow, day_rows, feature_rows, low_branches
from patron.kernel import charts
from patron.kernel.charts import Column
from patron.kernel.ui import formats
from patron.kernel.ui.badges import STAGE_LABELS
from patron.touchpoints.workspace.analyses.contract import (
    AnalysisPage,
    Answer,
    Badge,
    ChartPart,
    Part,
    Row,
    TablePart,
    Tile,
    Tone,
    Words,
)
from patron.touchpoints.workspace.analyses.desk import Desk

FEATURE_LABELS: Mapping[tuple[str, str], Words] = {
    ("receipts", "amount"): gettext_lazy("Amount of a receipt"),
    ("receipts", "lines"): gettext_lazy("Lines on a receipt"),
    ("receipts", "discount_share"): gettext_lazy("Share taken off as discount"),
    ("receipts", "weekday"): gettext_lazy("Weekday"),
    ("receipts", "identified"): gettext_lazy("Customer identified"),
    ("lines", "category"): gettext_lazy("Category of goods"),
    ("lines", "price"): gettext_lazy("Price of goods"),
    ("lines", "quantity"): gettext_lazy("Quantity on a line"),
    ("customers", "visits"): gettext_lazy("Visits of a customer in four weeks"),
    ("customers", "spend"): gettext_lazy("Spend of a customer in four weeks"),
    ("model", "stage"): gettext_lazy("Life-cycle stages, as the model gives them"),
}
LEVELS: Mapping[str, tuple[Words, Tone]] = {
    "stable": (gettext_lazy("as before"), "good"),
    "watch": (gettext_lazy("moving"), "warn"),
    "shifted": (gettext_lazy("has shifted"), "bad"),
}
BINS: Mapping[str, Words] = {
    "(missing)": gettext_lazy("missing"),
    "(others)": gettext_lazy("all others"),
    "yes": gettext_lazy("yes"),
    "no": gettext_lazy("no"),
    "Monday": gettext_lazy("Monday"),
    "Tuesday": gettext_lazy("Tuesday"),
    "Wednesday": gettext_lazy("Wednesday"),
    "Thursday": gettext_lazy("Thursday"),
    "Friday": gettext_lazy("Friday"),
    "Saturday": gettext_lazy("Saturday"),
    "Sunday": gettext_lazy("Sunday"),
}


def build(desk: Desk) -> Answer:
    """The answer, receipts by day, facts before and now, branches that send too little."""
    features, days = feature_rows(desk.warehouse), day_rows(desk.warehouse)
    branches = low_branches(desk.warehouse, desk.scope)
    behind = int(desk.run.metrics.get("days_behind", 0))
    until = formats.day(date.fromisoformat(str(desk.run.metrics["until"])))
    opened = formats.day(date.fromisoformat(str(desk.run.metrics["opened"])))
    moved = [each for each in features if each.level != "stable"]
    parts: list[Part] = [
        ChartPart(
            _("Receipts a day"),
            charts.curves(
                [charts.Curve(_("Receipts"), [(each.date, each.receipts) for each in days])],
                x=charts.Days(_("Day")),
                y=charts.Series(_("Receipts"), "count"),
                reading=_("The data are whole until %(until)s.") % {"until": until},
            ),
            wide=True,
        ),
        _features_table(features),
        _branches_table(branches),
    ]
    return Answer(
        sentence=_sentence(moved, branches, behind, until),
        tiles=[
            Tile(_("Facts looked at"), formats.count(len(features))),
            Tile(_("Moved"), formats.count(len(moved)), _("more than luck explains, and enough to matter")),
            Tile(_("Branches that send too little"), formats.count(len(branches))),
            Tile(_("Data whole until"), until, _behind(behind)),
        ],
        parts=parts,
        explanation=[
            _(
                "The last four whole weeks (%(opened)s to %(until)s) are compared with the twelve before; visits and "
                "spend of a customer with the four weeks before; stages with those of the month end before."
            )
            % {"opened": opened, "until": until},
            _(
                "The stability index adds up, over ten ranges or twenty categories, how far shares moved: below 0.1 "
                "nothing to speak of, from 0.25 a different world. It must also pass what luck alone gives with "
                "samples of this size. Up to 100,000 rows of each sample are looked at."
            ),
            _(
                "A fact that has shifted means that models made before may mislead: have the analyses run again, and "
                "look at how they did against their baselines."
            ),
        ],
    )


def _sentence(moved: Sequence[FeatureRow], branches: Sequence[BranchRow], behind: int, until: str) -> str:
    if not moved:
        first = _("The data look like those the models learnt from.")
    else:
        first = _("The data look like those the models learnt from, except: %(facts)s.") % {
            "facts": ", ".join(_named(each) for each in moved)
        }
    sentences = [first]
    if behind > 1:
        sentences.append(
            _("Hardly anything has come in since %(until)s, %(days)s days ago: see whether the tills are connected.")
            % {"until": until, "days": formats.count(behind)}
        )
    if branches:
        sentences.append(
            ngettext(
                "%(count)s branch sends far fewer receipts than usual: %(names)s.",
                "%(count)s branches send far fewer receipts than usual: %(names)s.",
                len(branches),
            )
            % {"count": formats.count(len(branches)), "names": ", ".join(each.name for each in branches[:5])}
        )
    return formats.sentences(*sentences)


def _behind(days: int) -> str:
    if not days:
        return _("today")
    return ngettext("%(count)s day ago", "%(count)s days ago", days) % {"count": formats.count(days)}


def _named(row: FeatureRow) -> str:
    return str(FEATURE_LABELS.get((row.unit, row.feature), row.feature))


def _features_table(features: Sequence[FeatureRow]) -> TablePart:
    return TablePart(
        "facts",
        _("Facts before and now"),
        (
            Column(_("Fact")),
            Column(_("State")),
            Column(_("Stability index"), "ratio"),
            Column(_("Mean before"), "ratio"),
            Column(_("Mean now"), "ratio"),
            Column(_("Moved most")),
            Column(_("Share before"), "percent"),
            Column(_("Share now"), "percent"),
            Column(_("Missing before"), "percent"),
            Column(_("Missing now"), "percent"),
        ),
        [_feature(each) for each in features],
        note=_("Moved most: the range or category whose share changed most. The file adds what is missing."),
        only=8,
    )


def _feature(row: FeatureRow) -> Row:
    label, tone = LEVELS.get(row.level, (row.level, "neutral"))
    words = STAGE_LABELS.get(row.moved) if row.feature == "stage" else BINS.get(row.moved)
    return (
        _named(row),
        Badge(label, tone),
        row.psi,
        row.reference_mean,
        row.current_mean,
        str(words) if words is not None else _range(row.moved),
        row.moved_before,
        row.moved_after,
        row.reference_missing,
        row.current_missing,
    )


def _range(text: str) -> str:
    """A range as the model names it, in the reader's language; a category stays what it is."""
    if text.startswith("up to "):
        return _("up to %(high)s") % {"high": _edge(text.removeprefix("up to "))}
    if text.startswith("above "):
        return _("above %(low)s") % {"low": _edge(text.removeprefix("above "))}
    low, between, high = text.partition(" to ")
    return _("%(low)s to %(high)s") % {"low": _edge(low), "high": _edge(high)} if between else text


def _edge(text: str) -> str:
    """A limit of a range with at most two places."""
    try:
        value = float(text)
    except ValueError:
        return text
    return formats.count(value) if value.is_integer() else formats.decimal(value, 2)


def _branches_table(branches: Sequence[BranchRow]) -> TablePart:
    return TablePart(
        "branches",
        _("Branches that send too little"),
        (
            Column(_("Branch")),
            Column(_("Receipts a week, usual"), "decimal"),
            Column(_("Last 7 days"), "count"),
            Column(_("Last receipt"), "day"),
        ),
        [(each.name, each.usual, each.now, each.last_on) for each in branches],
        note=_("Usual: the mean of the twelve weeks before. Closed, or a till that no longer sends?"),
        empty=_("None: every branch sends about what it usually does."),
    )


PAGE = AnalysisPage(
    name="drift",
    title=pgettext_lazy("page", "Drift of the data"),
    question=gettext_lazy("Do the data still look like those that the models learnt from?"),
    group="prove",
    icon="wave-sine",
    order=40,
    build=build,
)
