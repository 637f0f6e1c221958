"""What the analysis of newcomers publishes: they themselves, curves, groups, comparisons, the back-test."""

from __future__ import annotations

from typing import Final

from patron.intelligence.insights.marts.contract import Mart
from patron.kernel.exports import ExportColumn

CUSTOMERS: Final = Mart(
    name="newcomers_customers",
    meaning="Newcomers: who first bought, when they came again, and how likely those come who have not yet.",
    columns=(
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch, else where they first bought."),
        ExportColumn("state", "string", "back, fresh (too early to write), due (write now), late or untold."),
        ExportColumn("rank", "int64", "Among the due: place by chance × first basket, 1 is the first; else empty."),
        ExportColumn("first_on", "date", "Day of the first purchase."),
        ExportColumn("second_on", "date", "Day of the next; empty while there is none."),
        ExportColumn("days_to_second", "int32", "Days between; empty while there is none."),
        ExportColumn("silence_days", "int32", "Days since the first purchase; empty for who came back."),
        ExportColumn("chance", "float64", "Of coming back within soon_days, 0 to 1; empty for who came back."),
        ExportColumn("expected_on", "date", "Half of those who come within the horizon come by then; may be empty."),
        ExportColumn("first_amount", "decimal(18,2)", "Spent on the first day, net."),
        ExportColumn("department", "string", "Where most of it was spent; may be empty."),
        ExportColumn("reason", "string", "The reason in words, English."),
    ),
    order="state, rank NULLS LAST, first_on DESC, customer_id",
)
CURVES: Final = Mart(
    name="newcomers_curves",
    meaning="Kaplan-Meier curves: newcomers back by day (back), newcomers not gone by day (stay), all and by group.",
    columns=(
        ExportColumn("measure", "string", "back or stay."),
        ExportColumn("dimension", "string", "all, cohort, branch, department, age_band or channel."),
        ExportColumn("group", "string", "Group; all where they are not divided."),
        ExportColumn("branch_id", "int64", "Where they first bought, for curves of one branch; else 0."),
        ExportColumn("day", "int32", "Days since the first purchase."),
        ExportColumn("share", "float64", "Share by then, 0 to 1."),
        ExportColumn("low", "float64", "Lower end of its interval."),
        ExportColumn("high", "float64", "Upper end."),
    ),
    order='measure, branch_id, dimension, "group", day',
)
GROUPS: Final = Mart(
    name="newcomers_groups",
    meaning="The same in figures: how many newcomers, how many came back or left, the day by which half had.",
    columns=(
        ExportColumn("measure", "string", "back or stay."),
        ExportColumn("dimension", "string", "all, cohort, branch, department, age_band or channel."),
        ExportColumn("group", "string", "Group; all where they are not divided."),
        ExportColumn("branch_id", "int64", "Where they first bought, for one branch; else 0."),
        ExportColumn("position", "int32", "Order in which they are shown."),
        ExportColumn("newcomers", "int64", "Newcomers who were followed."),
        ExportColumn("events", "int64", "Who came back, or left, of them so far."),
        ExportColumn("expected_events", "float64", "How many would have, had the groups not differed; may be empty."),
        ExportColumn("watched_days", "int32", "The curve is shown up to this day."),
        ExportColumn("soon", "float64", "Share back (staying) by soon_days (by lost_days); empty beyond the curve."),
        ExportColumn("soon_low", "float64", "Lower end of its interval."),
        ExportColumn("soon_high", "float64", "Upper end."),
        ExportColumn("late", "float64", "Share at the end of the curve."),
        ExportColumn("median_days", "float64", "By this day half were back (had left); empty while they are not."),
        ExportColumn("median_low", "float64", "Lower end of its interval; may be empty."),
        ExportColumn("median_high", "float64", "Upper end; may be empty."),
    ),
    order="measure, branch_id, dimension, position",
)
TESTS: Final = Mart(
    name="newcomers_tests",
    meaning="Whether the groups differ: log-rank tests, p corrected for how many ways of dividing were tried (Holm).",
    columns=(
        ExportColumn("measure", "string", "back or stay."),
        ExportColumn("position", "int32", "Order in which they are shown."),
        ExportColumn("dimension", "string", "cohort, branch, department, age_band or channel."),
        ExportColumn("groups", "int32", "Groups compared."),
        ExportColumn("statistic", "float64", "Chi-squared; empty where nothing could be compared."),
        ExportColumn("freedom", "int32", "Its degrees of freedom."),
        ExportColumn("p", "float64", "Probability of as large a difference by chance."),
        ExportColumn("p_adjusted", "float64", "The same, had it been the only comparison of its measure."),
    ),
    order="measure, position",
)
BACKTEST: Final = Mart(
    name="newcomers_backtest",
    meaning="Newcomers who waited on past days, by how long: the chance foretold and how many came within soon_days.",
    columns=(
        ExportColumn("first_day", "int32", "Silent for at least so many days."),
        ExportColumn("last_day", "int32", "Silent for at most so many days."),
        ExportColumn("asked", "int32", "How many waited; a newcomer counts once in every window."),
        ExportColumn("foretold", "float64", "Mean chance."),
        ExportColumn("came", "int32", "How many came."),
        ExportColumn("observed", "float64", "Share that came."),
        ExportColumn("low", "float64", "Lower end of its 95 % interval (Wilson)."),
        ExportColumn("high", "float64", "Upper end."),
    ),
    order="first_day",
)
