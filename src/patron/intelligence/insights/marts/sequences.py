"""Marts of what is bought after what."""

from patron.intelligence.insights.marts.contract import Mart
from patron.kernel.exports import ExportColumn

RULES = Mart(
    name="sequences_rules",
    meaning="After A, B within so many days: how often, how much more often than usual, and how soon.",
    columns=(
        ExportColumn("level", "string", "category, department or type: the level of the catalogue."),
        ExportColumn("days", "int32", "Within how many days."),
        ExportColumn("position", "int32", "Order by lift within level and days, 1 is the highest."),
        ExportColumn("first_item", "string", "A."),
        ExportColumn("then_item", "string", "B, on a later day."),
        ExportColumn("occasions", "int64", "Days of customers with A, long enough ago to know what followed."),
        ExportColumn("followed", "int64", "Those that B followed in time."),
        ExportColumn("confidence", "float64", "followed ÷ occasions."),
        ExportColumn(
            "usual", "float64", "Share of all days of all customers, whatever was bought, that B followed so."
        ),
        ExportColumn("lift", "float64", "confidence ÷ usual."),
        ExportColumn("own_lift", "float64", "How many times as often as after any visit of the same customers."),
        ExportColumn("median_days", "float64", "Typical days from A to the next B, where it followed in time."),
        ExportColumn("customers", "int64", "Customers to whom it happened."),
        ExportColumn("due", "int64", "Customers who bought A in the last days and not B since: the time to tell them."),
        ExportColumn("reason", "string", "The rule in words, English."),
    ),
    order="level, days, position",
)

PATTERNS = Mart(
    name="sequences_patterns",
    meaning="Paths of two and three purchases that many customers take, within the days of the model's parameters.",
    columns=(
        ExportColumn("level", "string", "Level of the catalogue."),
        ExportColumn("position", "int32", "Order by customers within the number of steps."),
        ExportColumn("path", "string", "The steps in words, one after the other."),
        ExportColumn("steps", "int32", "How many steps."),
        ExportColumn("customers", "int64", "Customers who took it."),
        ExportColumn("support", "float64", "Share of all customers."),
        ExportColumn("confidence", "float64", "Of those who took all steps but the last, the share who took it too."),
        ExportColumn("lift", "float64", "That share by the share of all customers who ever bought the last."),
        ExportColumn("reason", "string", "In words, English."),
    ),
    order="level, position",
)
