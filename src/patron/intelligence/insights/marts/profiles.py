"""Marts of the value profile: who is worth how much, by every question one can ask of a customer."""

from patron.intelligence.insights.marts.contract import Mart
from patron.kernel.exports import ExportColumn

CUSTOMERS = Mart(
    name="value_profile_customers",
    meaning=(
        "Length, recency, frequency, money and discount of each customer with a purchase in the year, what serving "
        "them cost and what was left, and the groups they are compared by."
    ),
    columns=(
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch."),
        ExportColumn("length_days", "int32", "Days since the first purchase."),
        ExportColumn("recency_days", "int32", "Days since the last purchase."),
        ExportColumn("frequency", "int32", "Purchases in the year."),
        ExportColumn("monetary", "decimal(18,2)", "Money in the year, net of returns."),
        ExportColumn("discount_rate", "float64", "Discount ÷ full price, 0 to 1."),
        ExportColumn("length_score", "int32", "1 to 5, 5 is the longest."),
        ExportColumn("recency_score", "int32", "1 to 5, 5 is the most recent."),
        ExportColumn("frequency_score", "int32", "1 to 5, 5 is the most often."),
        ExportColumn("monetary_score", "int32", "1 to 5, 5 is the most money."),
        ExportColumn("discount_score", "int32", "1 to 5, 5 is the least discount."),
        ExportColumn("lrfmc", "string", "keep, win_back, develop, low or general."),
        ExportColumn("gross_profit", "decimal(18,2)", "Known gross profit, and the margin on what has no cost."),
        ExportColumn("cost_to_serve", "decimal(18,2)", "Purchases, returns, contacts at the house's prices."),
        ExportColumn("contribution", "decimal(18,2)", "gross_profit less cost_to_serve."),
        ExportColumn("yearly_pace", "float64", "Money drawn out to a year for who registered within it."),
        ExportColumn("young", "string", "under_35 or 35_and_over; empty when not known."),
        ExportColumn("age", "string", "Age band; empty when not known."),
        ExportColumn("sex", "string", "Empty when not known."),
        ExportColumn("occupation", "string", "Empty when not known."),
        ExportColumn("district", "string", "Of the primary address; empty when not known."),
        ExportColumn("newcomer", "string", "new (within the year) or existing."),
        ExportColumn("tenure", "string", "Years since registration or the first purchase, in bands."),
    ),
    order="contribution DESC, customer_id",
)

GROUPS = Mart(
    name="value_profile_groups",
    meaning=(
        "Each group of each question beside the rest, by trimmed means with intervals; for newcomers and tenure by the "
        "yearly pace."
    ),
    columns=(
        ExportColumn("branch_id", "int64", "Home branch of the customers; 0 for the whole organisation."),
        ExportColumn("question", "string", "young, age, sex, occupation, district, newcomer, tenure or branch."),
        ExportColumn("position", "int32", "Place of the group in its question."),
        ExportColumn("group_key", "string", "Group; the name of the branch for the question branch."),
        ExportColumn("customers", "int64", "Customers in it."),
        ExportColumn("customer_share", "float64", "Of those whose group is known."),
        ExportColumn("value", "decimal(18,2)", "What they brought."),
        ExportColumn("value_share", "float64", "Of what those brought whose group is known."),
        ExportColumn("share_low", "float64", "Lower end of its 95 % interval."),
        ExportColumn("share_high", "float64", "Upper end."),
        ExportColumn("leverage", "float64", "value_share ÷ customer_share."),
        ExportColumn("mean", "float64", "Mean value of a customer."),
        ExportColumn("median", "float64", "Median value."),
        ExportColumn("typical", "float64", "Trimmed mean."),
        ExportColumn("rest_typical", "float64", "Trimmed mean of the others."),
        ExportColumn("ratio", "float64", "typical ÷ rest_typical."),
        ExportColumn("ratio_low", "float64", "Lower end of its 95 % interval."),
        ExportColumn("ratio_high", "float64", "Upper end."),
        ExportColumn("p", "float64", "That chance alone does this, corrected for the number of groups."),
        ExportColumn("verdict", "string", "more, less, unproven or too_few."),
        ExportColumn("contribution", "decimal(18,2)", "What was left after the cost to serve."),
        ExportColumn("class_a", "int64", "Customers of value class A in it."),
    ),
    order="branch_id, question, position",
)

CURVES = Mart(
    name="value_profile_curves",
    meaning="Lorenz curve of the money, and the curve of profit from the best customer to the worst; 101 points.",
    columns=(
        ExportColumn("branch_id", "int64", "Home branch of the customers; 0 for the whole organisation."),
        ExportColumn("curve", "string", "lorenz (from the smallest up) or whale (from the best down)."),
        ExportColumn("position", "int32", "From 0."),
        ExportColumn("customer_share", "float64", "0 to 1."),
        ExportColumn("value_share", "float64", "Of all money, or of all contribution: the latter may pass 1."),
    ),
    order="branch_id, curve, position",
)

SUMMARY = Mart(
    name="value_profile_summary",
    meaning="The figures of all customers of a scope.",
    columns=(
        ExportColumn("branch_id", "int64", "Home branch of the customers; 0 for the whole organisation."),
        ExportColumn("customers", "int64", "With a purchase in the year."),
        ExportColumn("value", "decimal(18,2)", "What they brought."),
        ExportColumn("mean", "float64", "Mean of a customer."),
        ExportColumn("median", "float64", "Median."),
        ExportColumn("gini", "float64", "0 all bring the same, towards 1 one brings everything."),
        ExportColumn("top_fifth_share", "float64", "What the best 20 % bring."),
        ExportColumn("customers_for_80", "int64", "The fewest who bring 80 %."),
        ExportColumn("gross_profit", "decimal(18,2)", "Known, and the margin on what has no cost."),
        ExportColumn("known_profit_share", "float64", "Share of the money whose cost is known."),
        ExportColumn("cost_to_serve", "decimal(18,2)", "At the house's prices."),
        ExportColumn("contribution", "decimal(18,2)", "What is left."),
        ExportColumn("at_a_loss", "int64", "Customers who cost more than they bring."),
        ExportColumn("peak", "float64", "Highest point of the curve of profit, 1 where nobody is at a loss."),
        ExportColumn("discount", "decimal(18,2)", "Reductions of price, which the money is net of."),
    ),
    order="branch_id",
)
