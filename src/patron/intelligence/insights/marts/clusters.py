"""Marts of the groups of customers: the profit table, portraits, members, movement, and the choice of their number."""

from patron.intelligence.insights.marts.contract import Mart
from patron.kernel.exports import ExportColumn

GROUPS = Mart(
    name="clusters_groups",
    meaning=(
        "The segment profit table: a row for each group and scope. Groups, names and treatments are the "
        "organisation's; sums and shares are those of the scope's own customers."
    ),
    columns=(
        ExportColumn("branch_id", "int64", "Home branch of the customers; 0 for the whole organisation."),
        ExportColumn("cluster", "int32", "Number of the group, 1 brings most."),
        ExportColumn("name", "string", "Name by what sets it apart, English."),
        ExportColumn("portrait", "string", "The same in a sentence with numbers, English."),
        ExportColumn("customers", "int64", "Customers in the group."),
        ExportColumn("customer_share", "float64", "Of the scope's customers, 0 to 1."),
        ExportColumn("revenue", "decimal(18,2)", "What they brought in the year, net of returns."),
        ExportColumn("revenue_share", "float64", "Of the scope's revenue; groups below zero count as zero."),
        ExportColumn("product_index", "float64", "Different products per customer ÷ the same over all customers."),
        ExportColumn("leverage", "float64", "revenue_share ÷ customer_share."),
        ExportColumn("tenure_months", "float64", "Months since registration or first purchase, on average."),
        ExportColumn("profit", "decimal(18,2)", "Gross profit where cost is known; empty where none is."),
        ExportColumn("profit_share", "float64", "Of the scope's gross profit."),
        ExportColumn("treatment", "string", "retain, cross_up_sell, low_cost, observe or abandon."),
        ExportColumn("why", "string", "The reason for the treatment, English."),
    ),
    order="branch_id, cluster",
)

TRAITS = Mart(
    name="clusters_traits",
    meaning="What sets each group of the organisation apart: its features beside everybody's.",
    columns=(
        ExportColumn("cluster", "int32", "Number of the group."),
        ExportColumn("position", "int32", "1 is the feature that sets the group apart most."),
        ExportColumn("feature", "string", "recency_days, visits, basket, discount_share or categories."),
        ExportColumn("level", "string", "very_low, low, usual, high or very_high."),
        ExportColumn("mean", "float64", "Mean of the group."),
        ExportColumn("overall", "float64", "Mean of all customers."),
        ExportColumn("ratio", "float64", "mean ÷ overall; empty where it says nothing."),
        ExportColumn("z", "float64", "Standard deviations from everybody, as the feature was compared."),
    ),
    order="cluster, position",
)

CUSTOMERS = Mart(
    name="clusters_customers",
    meaning="The group of each customer with a purchase in the year, and the features it was made from.",
    columns=(
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch."),
        ExportColumn("cluster", "int32", "Group."),
        ExportColumn("confidence", "float64", "0 on the border with the next group, 1 in the middle."),
        ExportColumn("next_cluster", "int32", "The group it would be in otherwise."),
        ExportColumn(
            "earlier_cluster", "int32", "Today's group for what was known 13 weeks ago; empty if not here then."
        ),
        ExportColumn("recency_days", "int32", "Days since the last purchase."),
        ExportColumn("visits", "int32", "Days with a purchase."),
        ExportColumn("spend", "decimal(18,2)", "Net of returns."),
        ExportColumn("basket", "float64", "Spend per purchase."),
        ExportColumn("discount_share", "float64", "Of the full price, 0 to 1."),
        ExportColumn("categories", "int32", "Different categories bought."),
        ExportColumn("products", "int32", "Different products bought."),
        ExportColumn("tenure_months", "float64", "Months since registration or first purchase."),
        ExportColumn("reason_code", "string", "typical, member or border."),
        ExportColumn("reason", "string", "The reason in words, English."),
    ),
    order="cluster, confidence DESC, customer_id",
)

MOVES = Mart(
    name="clusters_moves",
    meaning="Customers by the group of 13 weeks ago and of today, both by today's groups.",
    columns=(
        ExportColumn("branch_id", "int64", "Home branch; empty for customers without one."),
        ExportColumn("from_cluster", "int32", "Group then; 0 for who had not bought in the year before."),
        ExportColumn("to_cluster", "int32", "Group now; 0 for who has not bought in the year since."),
        ExportColumn("customers", "int64", "How many."),
    ),
    order="branch_id, from_cluster, to_cluster",
)

CHOICE = Mart(
    name="clusters_choice",
    meaning="What speaks for each number of groups that was tried.",
    columns=(
        ExportColumn("k", "int32", "Number of groups."),
        ExportColumn("silhouette", "float64", "How far the groups stand apart: below 0.25 they run into each other."),
        ExportColumn("stability", "float64", "Agreement when customers are drawn again, 1 is the same groups."),
        ExportColumn("within", "float64", "Mean squared distance to the own centre."),
        ExportColumn("chosen", "bool", "Whether it was taken."),
    ),
    order="k",
)
