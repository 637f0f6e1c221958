"""One contract for all models: whatever the registry finds must keep it."""

import dataclasses
import datetime as dt
import json

import pyarrow as pa
import pytest

from patron.intelligence.mining import registry
from patron.intelligence.mining.contract import Model, Parameters, parameter, parameter_infos
from patron.intelligence.mining.errors import MiningError, ParameterError
from patron.intelligence.mining.testing import purchases, row
from patron.intelligence.mining.transactions import ROLES

AS_OF = dt.date(2025, 6, 30)
ROWS = [
    row("陳大文", "2025-01-03", 300),
    row("陳大文", "2025-01-31", "120.50"),
    row("陳大文", "2025-03-01", 80),
    row("陳大文", "2025-06-20", 220),
    row("王美玲", "2025-02-14", 45),
    row("王美玲", "2025-02-20", -45),
    row("李志強", "2025-06-29", 999),
    row("Ada Wong", "2025-05-05", -20),
]
LATER = [
    row("陳大文", "2025-07-01", 5000),
    row("王美玲", "2025-07-02", -5000),
    row("何嘉欣", "2026-01-01", 1),
]


@pytest.fixture(params=registry.models(), name="model")
def _model(request):
    return registry.model_named(request.param)


def test_card_explains_the_model(model):
    card = model.card
    assert registry.models()[card.name] is model
    assert card.question.endswith("?")
    assert card.limits
    assert card.source
    assert {role.name for role in card.roles} <= set(ROLES)
    assert {role.name for role in ROLES.values() if role.required} <= {role.name for role in card.required_roles}


def test_every_parameter_is_documented_and_has_a_default_within_its_bounds(model):
    infos = parameter_infos(model.parameters)
    assert list(infos) == [field.name for field in dataclasses.fields(model.parameters)]
    assert all(info.doc for info in infos.values())
    assert model.parameters().as_dict().keys() == infos.keys()


def test_result_has_each_customer_once_with_a_reason(model):
    result = model.run(purchases(ROWS), as_of=AS_OF)
    customers = result.table["customer"].to_pylist()
    assert len(set(customers)) == len(customers) > 0
    assert set(customers) <= {"陳大文", "王美玲", "李志強", "Ada Wong"}
    assert all(result.table["reason"].to_pylist())
    assert all(result.table["reason_code"].to_pylist())


def test_report_is_complete_and_json(model):
    result = model.run(purchases(ROWS), as_of=AS_OF)
    report = json.loads(json.dumps(result.report.as_json(), allow_nan=False))
    assert report["model"] == model.card.name
    assert report["as_of"] == "2025-06-30"
    assert report["parameters"] == model.parameters().as_dict()
    assert report["metrics"]
    assert report["rows"] == {"result": result.table.num_rows}


def test_same_input_gives_the_same_result_in_whatever_order(model):
    once = model.run(purchases(ROWS), as_of=AS_OF)
    again = model.run(purchases(ROWS[::-1]), as_of=AS_OF)
    assert once.table.equals(again.table)
    assert once.report == again.report


def test_rows_after_the_as_of_date_change_nothing(model):
    known = model.run(purchases(ROWS), as_of=AS_OF)
    later = model.run(purchases(ROWS + LATER), as_of=AS_OF)
    assert known.table.equals(later.table)
    assert known.report == later.report


def test_rows_of_the_as_of_date_itself_count(model):
    with_it = model.run(purchases([*ROWS, row("何嘉欣", AS_OF, 60)]), as_of=AS_OF)
    assert "何嘉欣" in with_it.table["customer"].to_pylist()


def test_empty_input_gives_an_empty_result_with_the_same_columns(model):
    full = model.run(purchases(ROWS), as_of=AS_OF)
    empty = model.run(purchases([]), as_of=AS_OF)
    before_all = model.run(purchases(ROWS), as_of=dt.date(2024, 12, 31))
    assert empty.table.num_rows == before_all.table.num_rows == 0
    assert empty.table.schema.equals(full.table.schema)
    assert empty.report.metrics["customers"] == 0
    assert empty.report.metrics == before_all.report.metrics


def test_whole_numbers_serve_as_customers(model):
    rows = [(place, day, amount) for place, (_, day, amount) in enumerate(ROWS)]
    result = model.run(purchases(rows, customer_type=pa.int64()), as_of=AS_OF)
    assert result.table.schema.field("customer").type == pa.int64()


def test_unknown_name_lists_the_names_there_are():
    with pytest.raises(MiningError, match=r"no model 'valeu'.*lifecycle, value"):
        registry.model_named("valeu")


@dataclasses.dataclass(frozen=True)
class Sample(Parameters):
    days: int = parameter(3, "days", minimum=1, maximum=9)
    share: float = parameter(0.5, "share", minimum=0)
    by: str = parameter("a", "by", choices=("a", "b"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"days": 0}, "days is 0; it must be at least 1."),
        ({"days": 10}, "days is 10; it must be at most 9."),
        ({"share": float("nan")}, "share is nan; it must be at least 0."),
        ({"by": "c"}, "by is 'c'; choose one of a, b."),
    ],
)
def test_parameter_out_of_bounds_is_refused(values, message):
    with pytest.raises(ParameterError) as refused:
        Sample(**values)
    assert str(refused.value) == message


def test_parameter_without_documentation_breaks_the_contract():
    @dataclasses.dataclass(frozen=True)
    class Bare(Parameters):
        days: int = 3

    with pytest.raises(TypeError, match=r"Bare\.days must be declared with parameter"):
        Bare()


def test_model_is_frozen():
    model: Model = registry.model_named("value")
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.card = None
