"""The worked numbers of the page on optimising are what the code gives, and its assumptions those in force."""

import datetime as dt

import pyarrow as pa

from patron.intelligence.mining.models import budget, contact_plan
from patron.intelligence.mining.optimising.assumptions import UPLIFT
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.tests.test_documented_numbers import assert_as_documented, table

AS_OF = dt.date(2025, 6, 30)


def test_contacts_of_optimising():
    offers = [
        {"customer": each["customer"], "channel": channel, "gain": float(each[channel])}
        for each in table("optimising.md", "contacts input")
        for channel in ("call", "sms")
        if each[channel]
    ]
    parameters = contact_plan.ContactPlanParameters(reps=1, capacity="call=1", days=1)
    result = contact_plan.MODEL.run(Rows.of(pa.Table.from_pylist(offers)), as_of=AS_OF, parameters=parameters)
    assert_as_documented(result.table.to_pylist(), table("optimising.md", "contacts result"))
    assert round(float(str(result.report.metrics["gain_of_one_more_person"])), 2) == 58.5


def test_budget_of_optimising():
    cells = [
        {**each, "top": float(each["top"]), "dose": float(each["dose"]), "most": float(each["most"] or "inf")}
        for each in table("optimising.md", "budget input")
    ]
    parameters = budget.BudgetParameters(budget=1500)
    result = budget.MODEL.run(Rows.of(pa.Table.from_pylist(cells)), as_of=AS_OF, parameters=parameters)
    assert_as_documented(result.table.to_pylist(), table("optimising.md", "budget result"))


def test_uplift_of_optimising():
    assert_as_documented(
        [{"stage": stage, **rates} for stage, rates in UPLIFT.items()], table("optimising.md", "budget uplift")
    )
