"""Groups of customers: what each brings, what to do with it, what sets it apart, who moved."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from patron.intelligence.reports.clusters import (
    GroupRow,
    MemberRow,
    Move,
    TraitRow,
    Tried,
    all_member_rows,
    group_rows,
    member_rows,
    move_rows,
    trait_rows,
    tried_rows,
)
from patron.kernel import charts
from patron.kernel.charts import Column
from patron.kernel.charts.palette import colour
from patron.kernel.ui import formats
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

TREATMENT_LABELS: Mapping[str, Words] = {
    "retain": gettext_lazy("Keep"),
    "cross_up_sell": gettext_lazy("Offer more, or better"),
    "low_cost": gettext_lazy("Serve at little cost"),
    "observe": gettext_lazy("Watch"),
    "abandon": gettext_lazy("Spend nothing on them"),
}
TREATMENT_TONES: Mapping[str, Tone] = {
    "retain": "vip", "cross_up_sell": "good", "low_cost": "neutral", "observe": "info", "abandon": "warn",
}  # fmt: skip
#: feature → said where it is high, said where it is low
FEATURE_WORDS: Mapping[str, tuple[Words, Words]] = {
    "recency_days": (gettext_lazy("long away"), gettext_lazy("here lately")),
    "visits": (gettext_lazy("come often"), gettext_lazy("come rarely")),
    "basket": (gettext_lazy("large baskets"), gettext_lazy("small baskets")),
    "discount_share": (gettext_lazy("buy on offer"), gettext_lazy("rarely on offer")),
    "categories": (gettext_lazy("buy across the range"), gettext_lazy("few kinds of goods")),
}
NAMED_TRAITS = 2


def build(desk: Desk) -> Answer:
    """The profit table first; then what sets the groups apart, who moved, and the members of the chosen group."""
    rows = group_rows(desk.warehouse, desk.scope)
    if not rows:
        return Answer(_("Nobody here bought anything in the last year, so there are no groups."))
    traits = {key: list(own) for key, own in groupby(trait_rows(desk.warehouse), key=lambda each: each.cluster)}
    names = {row.cluster: group_name(row.cluster, traits.get(row.cluster, ())) for row in rows}
    short = {row.cluster: group_name(row.cluster, traits.get(row.cluster, ()), most=1) for row in rows}
    choices = {"all": _("All groups"), **{str(key): name for key, name in names.items()}}
    chosen = desk.choice("group", choices, label=_("Customers of"))
    moves, tried = move_rows(desk.warehouse, desk.scope), tried_rows(desk.warehouse)
    return Answer(
        sentence=_sentence(rows),
        tiles=_tiles(rows, moves, tried),
        parts=[
            ChartPart(_("How many they are and what they bring"), _bubbles(rows, short, desk.currency)),
            *_moves_part(moves, names),
            _profit_table(rows, names),
            TextPart(
                _("What sets each group apart"),
                [_portrait(names[key], own, desk.currency) for key, own in traits.items()],
            ),
            *_choice_part(tried),
            _members_table(desk, None if chosen == "all" else int(chosen), names, short),
        ],
        explanation=_explanation(desk),
    )


def group_name(cluster: int, traits: Sequence[TraitRow], *, most: int = NAMED_TRAITS) -> str:
    """ "1 · Come often, large baskets": the number, and what sets the group apart most."""
    said = [_word(trait) for trait in traits if trait.level != "usual"][:most]
    name = _(", ").join(said) or _("like everybody")
    return f"{cluster} · {name[:1].upper()}{name[1:]}"


def traits_in_words(name: str) -> str:
    """A group's English name without number, as other analyses keep it, in the reader's language."""
    said = _(", ").join(_(part[:1].lower() + part[1:]) for part in name.split(", "))
    return f"{said[:1].upper()}{said[1:]}"


def _word(trait: TraitRow) -> str:
    high, low = FEATURE_WORDS[trait.feature]
    return str(high if trait.z > 0 else low)


def _sentence(rows: Sequence[GroupRow]) -> str:
    kept = [row for row in rows if row.treatment == "retain"] or [max(rows, key=lambda row: row.leverage or 0)]
    told = {
        "groups": formats.count(len(kept)),
        "customers": formats.percent(sum(row.customer_share for row in kept), 0),
        "revenue": formats.percent(sum(row.revenue_share or 0 for row in kept), 0),
    }
    said = (
        ngettext(
            "One group (%(customers)s of customers) brings %(revenue)s of sales: keep them.",
            "%(groups)s groups (%(customers)s of customers) bring %(revenue)s of sales: keep them.",
            len(kept),
        )
        % told
    )
    grown = [row for row in rows if row.treatment == "cross_up_sell"]
    idle = [row for row in rows if row.treatment in ("low_cost", "abandon")]
    if grown:
        return f"{said} " + _("Offer more to another %(customers)s, who bring %(revenue)s.") % _shares(grown)
    if idle:
        return f"{said} " + _("%(customers)s bring only %(revenue)s: serve them at little cost.") % _shares(idle)
    return said


def _shares(rows: Sequence[GroupRow]) -> dict[str, str]:
    return {
        "customers": formats.percent(sum(row.customer_share for row in rows), 0),
        "revenue": formats.percent(sum(row.revenue_share or 0 for row in rows), 0),
    }


def _tiles(rows: Sequence[GroupRow], moves: Sequence[Move], tried: Sequence[Tried]) -> list[Tile]:
    tiles = [
        Tile(_("Groups"), formats.count(sum(row.customers > 0 for row in rows))),
        Tile(_("Customers"), formats.count(sum(row.customers for row in rows)), _("with a purchase in the last year")),
    ]
    if quality := next((each for each in tried if each.chosen), None):
        tiles.append(
            Tile(
                _("Stability"),
                formats.percent(max(quality.stability, 0), 0),
                _("agreement when customers are drawn again; the same groups give 100 %"),
            )
        )
    known = [move for move in moves if move.from_cluster and move.to_cluster]
    if known:
        moved = sum(move.customers for move in known if move.from_cluster != move.to_cluster)
        tiles.append(
            Tile(
                _("Changed group in 13 weeks"),
                formats.count(moved),
                formats.percent(moved / sum(m.customers for m in known)),
            )
        )
    return tiles


def _bubbles(rows: Sequence[GroupRow], names: Mapping[int, str], currency: str) -> charts.Chart:
    largest = max((float(row.revenue) for row in rows), default=0.0)
    dots = [
        charts.Dot(
            label=names[row.cluster],
            x=row.customer_share,
            y=row.revenue_share or 0,
            size=max(float(row.revenue), 0) / largest if largest > 0 else None,
            colour=colour("series", str((row.cluster - 1) % 6 + 1)),
        )
        for row in rows
        if row.customers
    ]
    best = max(rows, key=lambda row: row.leverage or 0)
    reading = _("%(name)s bring %(leverage)s times their share of customers, the most of all.") % {
        "name": names[best.cluster],
        "leverage": formats.by_name(best.leverage, "ratio"),
    }
    return charts.scatter(
        dots,
        x=charts.Series(_("Share of customers"), "percent"),
        y=charts.Series(_("Share of sales"), "percent"),
        heading=_("Group"),
        currency=currency,
        reading=reading,
    )


def _profit_table(rows: Sequence[GroupRow], names: Mapping[int, str]) -> TablePart:
    profit = any(row.profit is not None for row in rows)
    columns = [
        Column(_("Group")), Column(_("Sales"), "money"), Column(_("Sales %"), "percent"),
        Column(_("Customers"), "count"), Column(_("Customers %"), "percent"), Column(_("Product index"), "ratio"),
        Column(_("Leverage"), "ratio"), Column(_("Tenure (months)"), "decimal"),
        *([Column(_("Gross profit %"), "percent")] if profit else []), Column(_("Treatment")),
    ]  # fmt: skip
    table = [
        (
            names[row.cluster],
            row.revenue,
            row.revenue_share,
            row.customers,
            row.customer_share,
            row.product_index,
            row.leverage,
            row.tenure_months,
            *([row.profit_share] if profit else []),
            Badge(TREATMENT_LABELS[row.treatment], TREATMENT_TONES[row.treatment]),
        )
        for row in rows
    ]
    return TablePart(
        "groups",
        _("Profit of the groups"),
        columns,
        table,
        note=_(
            "Product index: different products per customer beside everybody's. Leverage: share of sales beside share "
            "of customers. The treatment follows the house's rules and is the same in every branch."
        ),
    )


def _portrait(name: str, traits: Sequence[TraitRow], currency: str) -> str:
    told = [
        _("%(what)s (%(mean)s; everybody %(overall)s)")
        % {
            "what": _word(trait),
            "mean": _value(trait.feature, trait.mean, currency),
            "overall": _value(trait.feature, trait.overall, currency),
        }
        for trait in traits
        if trait.level != "usual"
    ]
    if not told:
        return _("%(name)s: close to everybody in every respect.") % {"name": name}
    return _("%(name)s: %(traits)s.") % {"name": name.split(" ", 1)[0], "traits": _("; ").join(told)}


def _value(feature: str, value: float, currency: str) -> str:
    if feature == "basket":
        return formats.money(value, currency, places=0)
    if feature == "discount_share":
        return formats.percent(value)
    if feature == "recency_days":
        return _("%(count)s days since the last visit") % {"count": formats.count(round(value))}
    if feature == "visits":
        return _("%(count)s visits a year") % {"count": formats.count(round(value))}
    return _("%(count)s categories") % {"count": formats.count(round(value))}


def _moves_part(moves: Sequence[Move], names: Mapping[int, str]) -> list[Part]:
    if not moves:
        return []
    labels = {0: _("Not here")} | {key: _("Group %(number)s") % {"number": key} for key in names}
    shade = {key: colour("series", str((key - 1) % 6 + 1)) if key else colour("ink", "muted") for key in labels}
    nodes = [charts.Node(f"{side}-{key}", label, side, shade[key]) for side in (0, 1) for key, label in labels.items()]
    flows = [charts.Flow(f"0-{move.from_cluster}", f"1-{move.to_cluster}", move.customers) for move in moves]
    return [ChartPart(_("Who moved in 13 weeks"), charts.sankey(nodes, flows, counted=_("Customers")))]


def _choice_part(tried: Sequence[Tried]) -> list[Part]:
    if len(tried) < 2:
        return []
    taken = next((each for each in tried if each.chosen), None)
    reading = (
        ""
        if taken is None
        else _("%(k)s groups were taken: silhouette %(silhouette)s, stability %(stability)s.")
        % {
            "k": formats.count(taken.k),
            "silhouette": formats.by_name(taken.silhouette, "ratio"),
            "stability": formats.by_name(taken.stability, "ratio"),
        }
    )
    drawn = [
        charts.Curve(_("Silhouette: how far the groups stand apart"), [(each.k, each.silhouette) for each in tried]),
        charts.Curve(_("Stability: the same groups again"), [(each.k, each.stability) for each in tried], dashed=True),
    ]
    chart = charts.curves(
        drawn, x=charts.Series(_("Number of groups"), "count"), y=charts.Series(_("0 to 1"), "ratio"), reading=reading
    )
    return [ChartPart(_("Why so many groups"), chart)]


def _members_table(desk: Desk, cluster: int | None, names: Mapping[int, str], short: Mapping[int, str]) -> TablePart:
    def cells(members: Iterable[MemberRow]) -> Iterable[Row]:
        for each in members:
            before = short.get(each.earlier_cluster or 0, "")
            yield (
                Who(each.customer_id),
                short[each.cluster],
                "" if before == short[each.cluster] else before,
                each.confidence,
                each.spend,
                each.visits,
                each.basket,
                each.discount_share,
                each.recency_days,
            )

    return TablePart(
        "customers",
        _("Customers") if cluster is None else names[cluster],
        [
            Column(_("Customer")),
            Column(_("Group")),
            Column(_("13 weeks ago")),
            Column(_("How clearly"), "percent"),
            Column(_("Sales"), "money"),
            Column(_("Visits"), "count"),
            Column(_("Basket"), "money"),
            Column(_("On offer"), "percent"),
            Column(_("Days since last visit"), "count"),
        ],
        list(cells(member_rows(desk.warehouse, desk.scope, cluster))),
        note=_(
            "The 25 with the highest sales; the file holds all. How clearly: on the border with another group it is "
            "0 %."
        ),
        every=lambda: (row for block in all_member_rows(desk.warehouse, desk.scope, cluster) for row in cells(block)),
    )


def _explanation(desk: Desk) -> list[Words]:
    metrics = desk.run.metrics
    said: list[Words] = [
        _(
            "Customers who bought in the year are compared by days since the last visit, visits, money per purchase, "
            "share bought on offer and categories bought: outliers are pulled in, skewed figures taken as logarithms, "
            "all given the same weight, and k-means finds the groups."
        ),
        _(
            "The number of groups is the one with the highest silhouette among those that come back when customers are "
            "drawn again. Treatments follow rules that the settings of the model change: leverage from %(retain)s "
            "keep; from %(grow)s, or a product index from %(index)s, offer more; younger than %(months)s months watch; "
            "leverage below %(abandon)s spend nothing."
        )
        % {
            "retain": _ratio(desk, "retain_leverage"),
            "grow": _ratio(desk, "grow_leverage"),
            "index": _ratio(desk, "grow_product_index"),
            "months": formats.count(desk.run.parameters.get("observe_months")),
            "abandon": _ratio(desk, "abandon_leverage"),
        },
    ]
    told = metrics.get("explained_next_13_weeks")
    if isinstance(told, int | float):
        said.append(
            _(
                "Back-test: groups made 13 weeks ago of every other customer told %(told)s of the differences in "
                "spending since among the %(customers)s others; everybody's average tells nothing, and five equal "
                "groups by money alone tell %(fifths)s. Groups are made to act differently, not to foretell best."
            )
            % {
                "told": formats.percent(told, 0),
                "fifths": formats.percent(metrics.get("explained_by_fifths_of_spend"), 0),
                "customers": formats.count(metrics.get("proof_customers")),
            }
        )
    else:
        said.append(_("There is too little history for a back-test: it needs 120 days before the last 13 weeks."))
    return said


def _ratio(desk: Desk, name: str) -> str:
    return formats.by_name(desk.run.parameters.get(name), "ratio")


PAGE = AnalysisPage(
    name="clusters",
    title=gettext_lazy("Groups of customers"),
    question=gettext_lazy("Which groups of customers are there, what does each bring, and how should we treat it?"),
    group="who",
    icon="users-group",
    order=20,
    build=build,
)
