"""Marts of what is bought together."""

from patron.intelligence.insights.marts.contract import Mart
from patron.kernel.exports import ExportColumn

_WHERE = (
    ExportColumn("level", "string", "type, category or department: the level of the catalogue."),
    ExportColumn("part", "string", "Of what: all, value (class), branch or season (quarter)."),
    ExportColumn("key", "string", "Which one: A, B or C; the branch's id; 2026-Q1; empty for all."),
)

PARTS = Mart(
    name="baskets_parts",
    meaning="The levels and parts for which rules were looked for, and how many there are.",
    columns=(
        *_WHERE,
        ExportColumn("position", "int32", "Order of the parts within a level."),
        ExportColumn("baskets", "int64", "Baskets of identified customers."),
        ExportColumn("customers", "int64", "Their customers."),
        ExportColumn("items", "int64", "Different items."),
        ExportColumn("min_count", "int64", "A rule needs so many baskets with all its items."),
        ExportColumn("itemsets", "int64", "Sets of items that occur so often."),
        ExportColumn("rules", "int64", "Rules left after pruning, of which the mart of rules keeps the best."),
    ),
    order="level, position",
)

RULES = Mart(
    name="baskets_rules",
    meaning="Rules: who buys the left side also buys the right one so often. The best by lift and by leverage.",
    columns=(
        *_WHERE,
        ExportColumn("position", "int32", "Order by lift within level and part, 1 is the highest."),
        ExportColumn("antecedent", "string", "The left side in words, its items joined by +."),
        ExportColumn("first_item", "string", "Its first item."),
        ExportColumn("second_item", "string", "Its second item; empty where there is one."),
        ExportColumn("consequent", "string", "The right side, one item."),
        ExportColumn("main", "bool", "Whether this is the surest rule of the same items."),
        ExportColumn("count", "int64", "Baskets with all of them."),
        ExportColumn("antecedent_count", "int64", "Baskets with the left side."),
        ExportColumn("consequent_count", "int64", "Baskets with the right side."),
        ExportColumn("support", "float64", "Share of baskets with all of them."),
        ExportColumn("confidence", "float64", "Of the baskets with the left side, the share with the right one."),
        ExportColumn("lift", "float64", "Confidence by the share of all baskets with the right side."),
        ExportColumn("leverage", "float64", "Support less what chance would give."),
        ExportColumn("conviction", "float64", "Empty where the rule never fails."),
        ExportColumn("buyers", "int64", "Customers who bought all of the left side, in whatever baskets."),
        ExportColumn("missing", "int64", "Those of them who never bought the right side."),
        ExportColumn("reason_code", "string", "more_often, as_often or less_often."),
        ExportColumn("reason", "string", "The rule in words, English."),
    ),
    order="level, part, key, position",
)

ITEMS = Mart(
    name="baskets_items",
    meaning="How often each item that occurs in rules or in the matrix is bought.",
    columns=(
        *_WHERE,
        ExportColumn("item", "string", "Item."),
        ExportColumn("baskets", "int64", "Baskets with it."),
        ExportColumn("customers", "int64", "Customers who bought it."),
    ),
    order="level, part, key, baskets DESC, item",
)

MATRIX = Mart(
    name="baskets_matrix",
    meaning="The items bought most, each with each: how much more often together than by chance.",
    columns=(
        *_WHERE,
        ExportColumn("place", "int32", "Row, 1 is the item bought most."),
        ExportColumn("other_place", "int32", "Column."),
        ExportColumn("item", "string", "Item of the row."),
        ExportColumn("other", "string", "Item of the column."),
        ExportColumn("count", "int64", "Baskets with both."),
        ExportColumn("lift", "float64", "Together so many times as often as by chance."),
    ),
    order="level, part, key, place, other_place",
)
