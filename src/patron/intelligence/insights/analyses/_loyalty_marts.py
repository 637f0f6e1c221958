"""The marts of the loyalty analysis."""

from __future__ import annotations

from typing import Final

from patron.intelligence.insights.marts.contract import Mart
from patron.kernel.exports import ExportColumn

CUSTOMERS: Final = Mart(
    name="loyalty_customers",
    meaning="Loyalty of each customer who ever bought: three indices of 0 to 100, the cycle, what comes next.",
    columns=(
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch."),
        ExportColumn("rank", "int32", "Place by loyalty, 1 is the most loyal; those without an index come last."),
        ExportColumn("label", "string", "firm, steady, wavering, drifting (cycle grows longer), gone or unproven."),
        ExportColumn("loyalty", "float64", "Mean of the three indices; empty with fewer than four visits."),
        ExportColumn("persistence", "float64", "How long they keep buying: active periods, tenure, still here."),
        ExportColumn("firmness", "float64", "How little seasons, price cuts, other branches and brands move them."),
        ExportColumn("stability", "float64", "How regular and even their visits are, and whether that stays."),
        ExportColumn("confidence", "float64", "Gaps ÷ (gaps + 6)."),
        ExportColumn("first_on", "date", "First visit."),
        ExportColumn("last_on", "date", "Last visit."),
        ExportColumn("visits", "int32", "Visits in the window."),
        ExportColumn("spent", "decimal(18,2)", "Spent in the window, net of returns."),
        ExportColumn("typical_gap_days", "float64", "Days that usually pass between two visits."),
        ExportColumn("gap_variation", "float64", "Standard deviation of the gaps ÷ their mean."),
        ExportColumn("evenness", "float64", "Entropy of the visits over periods of four weeks, 0 to 1."),
        ExportColumn("cycle", "string", "longer, steady or shorter: recent gaps against earlier ones."),
        ExportColumn("earlier_gap_days", "float64", "Mean gap before (geometric)."),
        ExportColumn("recent_gap_days", "float64", "Mean gap lately, with the silence until today where it is longer."),
        ExportColumn("gap_ratio", "float64", "Recent ÷ earlier."),
        ExportColumn("gap_ratio_low", "float64", "Lower end of its 95 % interval."),
        ExportColumn("gap_ratio_high", "float64", "Upper end."),
        ExportColumn("spend_change", "float64", "Trend of spending, last against first third: −1 to 1."),
        ExportColumn(
            "irregular_share", "float64", "Part of the variance of spending that is neither trend nor season."
        ),
        ExportColumn("explained_share", "float64", "Part of weekly spending's variance that common factors explain."),
        ExportColumn("cut_price_share", "float64", "Share of the value of goods bought at a cut price."),
        ExportColumn("price_response", "float64", "Per cent more units in a purchase when the price is 1 % lower."),
        ExportColumn("price_squares", "float64", "Sum behind it: squared log prices within products."),
        ExportColumn("price_products", "float64", "Sum behind it: log prices times log units."),
        ExportColumn("main_branch_share", "float64", "Share of money at the main branch."),
        ExportColumn("branch_switching", "float64", "Share of visits at another branch than the visit before."),
        ExportColumn("main_brand_share", "float64", "Share of money for the main brand of each category."),
        ExportColumn("everyday_categories", "float64", "Everyday categories bought here."),
        ExportColumn("wallet_proxy", "float64", "Those ÷ the 90th percentile of the same age band."),
        ExportColumn("expected_visits", "float64", "Visits expected in the next four weeks."),
        ExportColumn("visits_low", "float64", "Lower end of the interval that holds 80 %."),
        ExportColumn("visits_high", "float64", "Upper end."),
        ExportColumn("expected_spend", "float64", "Money expected in the next four weeks."),
        ExportColumn("spend_low", "float64", "Lower end of the interval that holds 80 %."),
        ExportColumn("spend_high", "float64", "Upper end."),
        ExportColumn("age_band", "string", "under_25, 25_34 … 65_up, or unknown."),
        ExportColumn("reason_code", "string", "The label."),
        ExportColumn("reason", "string", "The reason in words, English."),
    ),
    order="rank",
)
_GROUP: Final = (
    ExportColumn("dimension", "string", "all, tier, value_class, stage or age_band, as of today."),
    ExportColumn("group", "string", "Code of the group; empty for customers without one."),
)
GROUPS: Final = Mart(
    name="loyalty_groups",
    meaning="Loyalty by group of customers, the whole organisation.",
    columns=(
        *_GROUP,
        ExportColumn("position", "int32", "Place in the order of the dimension."),
        ExportColumn("customers", "int64", "Customers."),
        ExportColumn("loyalty", "float64", "Mean loyalty of those who have an index."),
        ExportColumn("persistence", "float64", "Mean persistence."),
        ExportColumn("firmness", "float64", "Mean firmness."),
        ExportColumn("stability", "float64", "Mean stability."),
        ExportColumn("firm_share", "float64", "Share that is firm."),
        ExportColumn("drifting", "int64", "Whose cycle grows longer."),
        ExportColumn("gone", "int64", "Who are gone."),
        ExportColumn("gap_ratio", "float64", "Median of recent ÷ earlier gap."),
        ExportColumn("retained_26_weeks", "float64", "Still here 26 weeks after their first visit (Kaplan–Meier)."),
        ExportColumn("retained_error", "float64", "Its standard error."),
        ExportColumn("cut_price_share", "float64", "Mean share bought at a cut price."),
        ExportColumn("price_response", "float64", "Per cent more units when the price is 1 % lower; empty below ten."),
        ExportColumn("price_response_low", "float64", "Lower end of its 95 % interval."),
        ExportColumn("price_response_high", "float64", "Upper end."),
        ExportColumn("price_customers", "int64", "Customers it was learnt from."),
        ExportColumn("main_branch_share", "float64", "Mean share of money at the main branch."),
        ExportColumn("main_brand_share", "float64", "Mean share of money for main brands."),
        ExportColumn("wallet_proxy", "float64", "Mean share-of-wallet proxy."),
        ExportColumn("expected_spend", "float64", "Money expected in the next four weeks, all together."),
        ExportColumn("trend_strength", "float64", "Strength of the trend of the group's weekly sales, 0 to 1."),
        ExportColumn("season_strength", "float64", "Strength of their season."),
    ),
    order="dimension, position",
)
SERIES: Final = Mart(
    name="loyalty_series",
    meaning="Weekly sales to each group taken apart (trend + season + irregular), and eight weeks of forecast.",
    columns=(
        *_GROUP,
        ExportColumn("starts_on", "date", "First day of the week; weeks end with the day of the figures."),
        ExportColumn("actual", "float64", "Sales; empty for weeks ahead."),
        ExportColumn("trend", "float64", "Where they are heading."),
        ExportColumn("season", "float64", "What the time of the year adds or takes."),
        ExportColumn("irregular", "float64", "The rest."),
        ExportColumn("forecast", "float64", "Expected; empty for weeks that are over."),
        ExportColumn("low", "float64", "At least this in 80 of 100 weeks."),
        ExportColumn("high", "float64", "At most this."),
    ),
    order="dimension, starts_on",
)
RETENTION: Final = Mart(
    name="loyalty_retention",
    meaning="The share of a group still here by weeks since the first visit (Kaplan–Meier).",
    columns=(
        *_GROUP,
        ExportColumn("week", "int32", "Weeks since the first visit."),
        ExportColumn("retained", "float64", "Share still here."),
        ExportColumn("error", "float64", "Standard error (Greenwood)."),
    ),
    order="dimension, week",
)
WEEKDAYS: Final = Mart(
    name="loyalty_weekdays",
    meaning="How much more or less is sold on each day of the week, the trend taken out.",
    columns=(
        ExportColumn("weekday", "int32", "1 (Monday) to 7."),
        ExportColumn("share", "float64", "Above (or below) a mean day, as a share of it."),
    ),
    order="weekday",
)
