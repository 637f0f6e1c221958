"""The worked numbers on the pages of churn and of rules are what the code gives."""

import datetime as dt
import re

import numpy as np
import pyarrow as pa
import pytest

from patron.intelligence.mining.arrays import day_number
from patron.intelligence.mining.churning.features import FEATURES, Behaviour
from patron.intelligence.mining.churning.fitting import Scaling
from patron.intelligence.mining.churning.judging import area, bands, quality
from patron.intelligence.mining.churning.reasons import REASONS
from patron.intelligence.mining.churning.schedule import HORIZONS, ChurnParameters, schedule
from patron.intelligence.mining.registry import model_named
from patron.intelligence.mining.rhythm import visits_of
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.ruling.learning import RulesParameters
from patron.intelligence.mining.testing import purchases, row
from patron.intelligence.mining.tests.test_documented_numbers import PAGES, assert_as_documented, table

AS_OF = dt.date(2025, 12, 31)


def test_figures_of_the_named_cast():
    rows = []
    for each in table("churn.md", "churn input"):
        for start, step, times in re.findall(r"(\S+) every (\d+) days × (\d+)", each["visits"]):
            first = dt.date.fromisoformat(start)
            rows += [
                row(each["customer"], first + dt.timedelta(int(step) * place), each["amount each"])
                for place in range(int(times))
            ]
    bought = purchases(rows)
    parameters = ChurnParameters(horizon_days=60)
    plan = schedule(visits_of(bought.days), day_number(AS_OF), parameters)
    snapshot = Behaviour(bought, plan, parameters).at(plan.test)
    customers = bought.days.customers.take(pa.array(snapshot.who)).to_pylist()
    by_customer = {
        name: {"customer": name, "left": bool(left), **dict(zip(snapshot.names, figures, strict=True))}
        for name, left, figures in zip(customers, snapshot.labels(), snapshot.matrix.tolist(), strict=True)
    }
    documented = table("churn.md", "churn figures")
    assert len(by_customer) == len(documented)
    assert_as_documented([by_customer[each["customer"]] for each in documented], documented)


def test_schedule_of_the_page():
    parameters = ChurnParameters(horizon_days=60)
    bought = purchases([row("first", AS_OF - dt.timedelta(364)), row("last", AS_OF)])
    plan = schedule(visits_of(bought.days), day_number(AS_OF), parameters)
    computed = [
        {"cut-off": day.isoformat(), "use": use}
        for use, days in (("training", plan.training), ("validation", [plan.validation]), ("test", [plan.test]))
        for day in (dt.date(1970, 1, 1) + dt.timedelta(each) for each in days)
    ]
    assert_as_documented(computed, table("churn.md", "churn schedule"))
    assert plan.lookback == 125


def test_scaling_and_expected_loss():
    scaling = Scaling(-0.07, 0.92, np.array([[0.02, 0.008], [0.008, 0.004]]))
    computed = []
    for each in table("churn.md", "churn scaling"):
        score = np.array([float(each["log-odds"])])
        probability = float(scaling.probability(score)[0])
        low, high = (float(edge[0]) for edge in scaling.interval(score))
        money = int(each["money a year"])
        computed.append(
            {"log-odds": float(score[0]), "probability": probability, "low": low, "high": high, "money a year": money,
             "expected loss": probability * money}
        )  # fmt: skip
    assert_as_documented(computed, table("churn.md", "churn scaling"))


def test_judging_of_ten_customers():
    given = table("churn.md", "churn test")
    probability = np.array([float(each["probability"]) for each in given])
    left = np.array([each["left"] == "yes" for each in given])
    found, worth = area(probability, left), quality(probability, left)
    first = bands(probability, probability, left, count=5)[0]
    computed = {
        "AUC": found.value, "AUC low": found.low, "AUC high": found.high, "Brier score": worth.brier,
        "Brier score of the base rate": worth.brier_of_base_rate, "log loss": worth.log_loss,
        "lift of the first fifth": first.lift, "gain of the first fifth": first.gain,
    }  # fmt: skip
    documented = table("churn.md", "churn quality")
    assert_as_documented(
        [{"figure": each["figure"], "value": computed[each["figure"]]} for each in documented], documented
    )


@pytest.mark.parametrize(("page", "parameters"), [("churn.md", ChurnParameters), ("rules.md", RulesParameters)])
def test_page_names_every_parameter_with_its_default(page, parameters):
    text = (PAGES / page).read_text(encoding="utf-8")
    for name, default in parameters().as_dict().items():
        shown = f"{default:g}" if isinstance(default, int | float) else default or "empty"
        assert f"`{name}` ({shown})" in text, f"{name} = {shown} is not on the page"


def test_churn_page_names_every_figure_and_reason():
    text = (PAGES / "churn.md").read_text(encoding="utf-8")
    assert all(f"`{feature.name}`" in text for feature in FEATURES)
    assert all(f"| {code} |" in text for code in REASONS)
    assert ", ".join(str(length) for length in HORIZONS) in text


def test_rules_of_the_page():
    rows = [
        {
            "visits": int(each["visits"]),
            "spend": int(each["spend"]),
            "target": "VIP" if place < int(each["VIPs"]) else "other",
            "holdout": "yes" if place % 3 == 0 else "no",
        }
        for each in table("rules.md", "rules input")
        for place in range(int(each["customers"]))
    ]
    found = model_named("rules").run(Rows.of(pa.Table.from_pylist(rows), features=("visits", "spend")), as_of=AS_OF)
    computed = [{**each, "conditions": ", ".join(each["conditions"])} for each in found.table.to_pylist()]
    assert_as_documented(computed, table("rules.md", "rules result"))
    documented = table("rules.md", "rules metrics")
    metrics = found.report.metrics
    assert_as_documented(
        [{"metric": each["metric"], "value": metrics[each["metric"]]} for each in documented], documented
    )
