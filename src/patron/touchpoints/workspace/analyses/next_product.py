"""Next best product: what to offer whom, and the proof that the method is better than the bestsellers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patron.intelligence.reports.next_product import (
    MethodLine,
    Offer,
    OfferedProduct,
    customer_count,
    every_offer,
    method_lines,
    offer_rows,
    offered_products,
)
from patron.kernel.charts import Chart, Column, RankedBar, Series, horizontal_bars
from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses._sentences import next_product_sentence
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

LISTS: Final[dict[str, Words]] = {
    "new": gettext_lazy("New to the customer"),
    "any": gettext_lazy("Likeliest of all, refills included"),
}
METHODS: Final[dict[str, Words]] = {
    "popular": gettext_lazy("Bestsellers (baseline)"),
    "popular_lately": gettext_lazy("Bestsellers of the last weeks"),
    "taken_up": gettext_lazy("Most often bought for the first time"),
    "repeat": gettext_lazy("The customer's own rhythm"),
    "alike": gettext_lazy("Bought by the same people"),
    "correlated": gettext_lazy("Bought by the same people, popularity taken out"),
    "rules": gettext_lazy("Association rules"),
    "sequences": gettext_lazy("First this, then that"),
    "neighbours": gettext_lazy("Nearest products (BM25)"),
    "factors": gettext_lazy("Matrix factors (ALS)"),
    "blend": gettext_lazy("All signs together (regression)"),
}


def build(desk: Desk) -> Answer:
    """The promise, the products, the customers of one or of all, the comparison of the methods."""
    kind = desk.choice("list", LISTS, "new", label=_("Products"))
    customers = customer_count(desk.warehouse, desk.scope)
    if not customers:
        return Answer(_("There are no purchases with known products here yet, so nothing can be offered."))
    products = offered_products(desk.warehouse, desk.scope, kind)
    options: dict[str, Words] = {"": _("Everybody's best offer")}
    options |= {each.product: f"{each.product} ({formats.count(each.customers)})" for each in products}
    product = desk.choice("product", options, "", label=_("Product"))
    lines = method_lines(desk.warehouse, kind)
    parts: list[Part] = [
        ChartPart(_("Products that promise the most buyers"), _chart(products, _days(desk))),
        _customers(desk, kind, product),
    ]
    if lines:
        parts.append(_methods(lines))
    return Answer(
        sentence=_sentence(desk, kind, customers, products, lines),
        tiles=_tiles(desk, kind, customers, lines),
        parts=parts,
        explanation=_explanation(desk, kind, lines),
    )


def _days(desk: Desk) -> str:
    return formats.count(desk.run.parameters.get("horizon_days", 28))


def _sentence(desk: Desk, kind: str, customers: int, products: list[OfferedProduct], lines: list[MethodLine]) -> str:
    chosen = next((line for line in lines if line.chosen), None)
    facts = {
        "customers": formats.count(customers),
        "product": products[0].product if products else "",
        "candidates": formats.count(products[0].customers if products else 0),
        "days": _days(desk),
    }
    if chosen is None:
        return (
            _(
                "There is an offer for each of %(customers)s customers, but the history is too short to say how often "
                "such offers are bought."
            )
            % facts
        )
    facts |= {"share": formats.percent(chosen.hit_rate, 0), "top": formats.count(desk.run.parameters.get("top", 5))}
    if kind == "new":
        return (
            _(
                "Offer each of %(customers)s customers the products below that they never bought: of those who came, "
                "%(share)s bought at least one of their %(top)s within %(days)s days. Start with %(product)s: it is "
                "among the offers of %(candidates)s customers."
            )
            % facts
        )
    return (
        _(
            "We know what %(customers)s customers will probably buy next: of those who came, %(share)s bought at "
            "least one of the %(top)s products foretold within %(days)s days. Keep %(product)s in stock and remind "
            "them."
        )
        % facts
    )


def _tiles(desk: Desk, kind: str, customers: int, lines: list[MethodLine]) -> list[Tile]:
    tiles = [Tile(_("Customers with an offer"), formats.count(customers))]
    chosen = next((line for line in lines if line.chosen), None)
    baseline = next((line for line in lines if line.method == "popular"), None)
    if chosen and baseline:
        tiles += [
            Tile(
                _("Offers that were bought"),
                formats.percent(chosen.precision),
                _("%(share)s with bestsellers") % {"share": formats.percent(baseline.precision)},
            ),
            Tile(
                _("Customers who bought one"),
                formats.percent(chosen.hit_rate, 0),
                _("between %(low)s and %(high)s")
                % {"low": formats.percent(chosen.hit_rate_low, 0), "high": formats.percent(chosen.hit_rate_high, 0)},
            ),
        ]
    promised, kept = desk.run.metrics.get(f"{kind}_promised"), desk.run.metrics.get(f"{kind}_kept")
    if promised is not None and kept is not None:
        tiles.append(
            Tile(
                _("Promised and kept"),
                f"{formats.percent(promised)} → {formats.percent(kept)}",
                _("chance given before the test, and what came"),
            )
        )
    return tiles


def _chart(products: list[OfferedProduct], days: str) -> Chart:
    return horizontal_bars(
        [RankedBar(each.product, round(each.expected or each.customers)) for each in products],
        measure=Series(_("Buyers to expect")),
        heading=_("Product"),
        reading=_("%(product)s promises most buyers: about %(count)s within %(days)s days.")
        % {
            "product": products[0].product,
            "count": formats.count(round(products[0].expected or products[0].customers)),
            "days": days,
        }
        if products
        else None,
    )


def _customers(desk: Desk, kind: str, product: str) -> TablePart:
    rows, more = desk.more(partial(offer_rows, desk.warehouse, desk.scope, kind, product))

    def every() -> Iterator[Row]:
        for block in every_offer(desk.warehouse, desk.scope, kind, product):
            yield from (_row(each) for each in block)

    return TablePart(
        "customers",
        _("Whom to offer what"),
        (
            Column(_("Customer")),
            Column(_("Product type")),
            Column(_("For example")),
            Column(_("Chance"), "percent"),
            Column(_("Place in their list"), "count"),
            Column(_("Why")),
        ),
        [_row(each) for each in rows],
        more=more,
        every=every,
        empty=_("Nobody has this among their offers."),
    )


def _row(offer: Offer) -> Row:
    return (Who(offer.customer_id), offer.product, offer.product_name, offer.confidence, offer.rank, why(offer))


def why(offer: Offer) -> str:
    """The reason in the reader's language; the model's own sentence for a code that is not known here."""
    facts = {
        "product": offer.product,
        "because": offer.because,
        "lift": formats.decimal(offer.lift),
        "times": formats.count(offer.times_bought),
        "day": formats.day(offer.last_on),
    }
    match offer.reason_code:
        case "due":
            return _("Bought %(times)s times, last on %(day)s: due again.") % facts
        case "habit":
            return _("Bought %(times)s times, last on %(day)s.") % facts
        case "once":
            return _("Bought once, on %(day)s.") % facts
        case "together":
            return _("Bought %(because)s; those who do buy %(product)s %(lift)s times as often as others.") % facts
        case "popular":
            return _("Bought by many; nothing more telling is known of this customer.")
        case _:
            return offer.reason


def _methods(lines: list[MethodLine]) -> TablePart:
    return TablePart(
        "methods",
        _("The methods compared on weeks they had not seen"),
        (
            Column(_("Method")),
            Column(_("Offers bought"), "percent"),
            Column(_("Customers who bought one"), "percent"),
            Column(_("Purchases foretold"), "percent"),
            Column(_("Products offered"), "percent"),
            Column(_("Novelty"), "ratio"),
            Column(_("Used")),
        ),
        [
            (
                str(METHODS.get(line.method, line.method)),
                line.precision,
                line.hit_rate,
                line.recall,
                line.coverage,
                line.novelty,
                Badge(_("used"), "good") if line.chosen else "",
            )
            for line in lines
        ],
        note=_(
            "%(customers)s customers who came in the test window. Which method is used was settled on an earlier one."
        )
        % {"customers": formats.count(lines[0].customers)},
    )


def _explanation(desk: Desk, kind: str, lines: list[MethodLine]) -> list[str]:
    chosen = next((line for line in lines if line.chosen), None)
    told = [
        _(
            "Each method learned from purchases up to a past day and named the products that each customer would buy "
            "in the %(days)s days after it. The best in a first window (validation) makes the offers; the figures "
            "above are those of a second, later window (test) that played no part in the choice. A more complicated "
            "method is taken only when it is better by more than 1 %%."
        )
        % {"days": _days(desk)},
        _(
            "The chance beside an offer is the share of offers at that place, to customers who come as often, that "
            "were bought within %(days)s days. Customers who did not come at all count as not bought."
        )
        % {"days": _days(desk)},
        _(
            "The reason is the strongest single sign, not the whole sum. The figures know nothing of stock, offers and "
            "shelves, and product types with few customers are left out."
        ),
    ]
    if chosen is not None and kind == "new" and chosen.method == "popular":
        told.append(_("Here nothing beats the bestsellers: people's first purchases follow popularity."))
    return told


PAGE: Final = AnalysisPage(
    name="next-product",
    analysis="next_product",
    title=gettext_lazy("Next best product"),
    question=gettext_lazy("What should we offer each customer next?"),
    group="sell",
    icon="basket-plus",
    order=10,
    build=build,
    says=next_product_sentence,
)
