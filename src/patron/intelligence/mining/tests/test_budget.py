"""The budget: the conditions of the optimum, a general solver as reference, bounds, what must not be spent."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from scipy import optimize

from patron.intelligence.mining.errors import InputError, ParameterError
from patron.intelligence.mining.models.budget import MODEL, BudgetParameters
from patron.intelligence.mining.optimising.budgets import Cells, divide, even, gain, marginal
from patron.intelligence.mining.rows import Rows

AS_OF = dt.date(2025, 6, 30)
SHAPES = ["exponential", "logarithmic"]


def some_cells(seed, size=8):
    dice = np.random.default_rng(seed)
    least = np.where(dice.random(size) < 0.3, dice.uniform(0, 200, size), 0.0)
    return Cells(
        top=dice.uniform(100, 9000, size),
        dose=dice.uniform(50, 3000, size),
        least=least,
        most=least + np.where(dice.random(size) < 0.4, dice.uniform(10, 400, size), np.inf),
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(8))
def test_marginal_gain_is_the_same_wherever_no_bound_holds(shape, seed):
    cells = some_cells(seed)
    found = divide(cells, 5000, shape=shape)
    assert found.spend.sum() == pytest.approx(5000, rel=1e-9)
    free = (found.spend > cells.least + 1e-6) & (found.spend < cells.most - 1e-6)
    assert found.marginal[free] == pytest.approx(found.price, rel=1e-6)
    assert (found.marginal[found.spend <= cells.least + 1e-6] <= found.price * (1 + 1e-9)).all()
    assert (found.marginal[found.spend >= cells.most - 1e-6] >= found.price * (1 - 1e-9)).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(4))
def test_a_general_solver_finds_no_better(shape, seed):
    cells = some_cells(seed, size=5)
    budget = 2000.0
    reference = optimize.minimize(
        lambda x: -gain(cells, x, shape).sum(),
        even(cells, budget),
        jac=lambda x: -marginal(cells, x, shape),
        bounds=list(zip(cells.least, np.minimum(cells.most, budget), strict=True)),
        constraints={"type": "eq", "fun": lambda x: x.sum() - budget, "jac": np.ones_like},
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-12},
    )
    found = divide(cells, budget, shape=shape)
    assert found.gain.sum() >= -reference.fun * (1 - 1e-9)
    assert found.gain.sum() == pytest.approx(-reference.fun, rel=1e-5)
    assert found.gain.sum() >= gain(cells, even(cells, budget), shape).sum()


@pytest.mark.parametrize("shape", SHAPES)
def test_money_that_does_not_come_back_stays_unspent(shape):
    cells = Cells(np.array([1000.0, 50.0]), np.array([400.0, 100.0]), np.zeros(2), np.full(2, np.inf))
    found = divide(cells, 1e6, shape=shape, least_return=1.0)
    assert found.spend[1] == 0
    assert found.marginal[0] == pytest.approx(1)
    assert found.spend.sum() < 1e6


def test_nothing_to_gain_gets_only_its_least():
    cells = Cells(np.array([0.0, 100.0]), np.array([10.0, 10.0]), np.array([5.0, 0.0]), np.array([50.0, 50.0]))
    assert divide(cells, 30, shape="exponential").spend.tolist() == pytest.approx([5, 25])


def test_bounds_that_cannot_be_kept_are_refused():
    cells = Cells(np.ones(2), np.ones(2), np.array([5.0, 6.0]), np.array([9.0, 9.0]))
    with pytest.raises(ValueError, match="exceeds the budget"):
        divide(cells, 10)
    with pytest.raises(ValueError, match="more than it may"):
        divide(Cells(np.ones(1), np.ones(1), np.array([2.0]), np.array([1.0])), 10)


def campaign(**columns):
    base = {
        "segment": ["declining", "declining", "mature", "new"],
        "action": ["call", "voucher", "voucher", "voucher"],
        "top": [4000.0, 3000.0, 2000.0, 10.0],
        "dose": [900.0, 700.0, 2500.0, 100.0],
    }
    return Rows.of(pa.table(base | columns))


def test_the_division_says_how_much_where_and_why():
    result = MODEL.run(campaign(most=[None, 300.0, None, None]), as_of=AS_OF, parameters=BudgetParameters(budget=1500))
    rows = {(row["segment"], row["action"]): row for row in result.table.to_pylist()}
    assert rows["declining", "voucher"]["spend"] == 300
    assert rows["declining", "voucher"]["reason_code"] == "at_most"
    assert rows["declining", "call"]["reason_code"] == "balanced"
    assert rows["new", "voucher"]["reason_code"] == "nothing"
    metrics = result.report.metrics
    assert metrics["spent"] + metrics["unspent"] == 1500
    assert metrics["gain"] > metrics["gain_of_equal_parts"]


def test_bad_input_is_refused_with_what_is_needed():
    with pytest.raises(InputError, match="above 0"):
        MODEL.run(campaign(dose=[0.0, 1.0, 1.0, 1.0]), as_of=AS_OF)
    with pytest.raises(InputError, match=r"neither above 1,000,000,000,000, and dose at least 0\.01"):
        MODEL.run(campaign(top=[1e300, 1.0, 1.0, 1.0]), as_of=AS_OF)
    with pytest.raises(InputError, match="two rows for the same action"):
        MODEL.run(campaign(segment=["a", "b", "b", "c"]), as_of=AS_OF)
    with pytest.raises(ParameterError, match=r"add up to 40,000\.00, more than the budget of 30,000\.00"):
        MODEL.run(campaign(least=[1e4] * 4), as_of=AS_OF, parameters=BudgetParameters(budget=30_000))
    empty = Rows.of(
        pa.table({name: pa.array([], pa.string()) for name in ("segment", "action")}
                 | {name: pa.array([], pa.float64()) for name in ("top", "dose")})
    )  # fmt: skip
    assert MODEL.run(empty, as_of=AS_OF).table.num_rows == 0
    nothing = MODEL.run(campaign(), as_of=AS_OF, parameters=BudgetParameters(budget=0))
    assert nothing.table["spend"].to_pylist() == [0.0] * 4
