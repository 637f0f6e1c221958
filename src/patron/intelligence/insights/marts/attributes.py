"""The mart of attributes: one row for each customer with every registered attribute, as of the day."""

from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.mining.attributing import attributes
from patron.kernel.exports import ExportColumn

CUSTOMER_ATTRIBUTES = Mart(
    name="customer_attributes",
    meaning="What can be said of each customer in one value, for segments and models: one row for everyone on file.",
    columns=(
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch."),
        *(ExportColumn(each.name, each.type, each.meaning) for each in attributes().values()),
    ),
    order="customer_id",
)

#: From `attributes_now`, the table of all attributes, and `customers`.
CUSTOMER_ATTRIBUTES_SQL = """
    SELECT a.*, c.home_branch_id AS branch_id FROM attributes_now a JOIN customers c USING (customer_id)
"""
