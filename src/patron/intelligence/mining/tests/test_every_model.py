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


def of_customers() -> list[str]:
    """The models from purchases to one row a customer."""
    return [
        name
        for name, model in registry.models().items()
        if (model.card.reads, model.card.key) == ("transactions", ("customer",))
    ]


@pytest.fixture(params=registry.models(), name="any_model")
def _any_model(request):
    return registry.model_named(request.param)


@pytest.fixture(params=of_customers(), name="model")
def _model(request):
    return registry.model_named(request.param)


def run(model, rows, as_of=AS_OF, **options):
    """The model's result for some rows; a test whose few rows it refuses with a sentence is passed over."""
    try:
        return model.run(purchases(rows, **options), as_of=as_of)
    except MiningError as error:
        refusal = str(error)
    assert refusal.endswith(".")
    pytest.skip(f"too little for this model: {refusal}")


def test_card_explains_the_model(any_model):
    card = any_model.card
    assert registry.models()[card.name] is any_model
    assert card.question.endswith("?")
    assert card.limits
    assert card.source
    assert all(role.meaning for role in card.roles)
    if card.reads == "transactions":
        assert {role.name for role in card.roles} <= set(ROLES)
        assert {role.name for role in ROLES.values() if role.required} <= {role.name for role in card.required_roles}


def test_every_parameter_is_documented_and_has_a_default_within_its_bounds(any_model):
    model = any_model
    infos = parameter_infos(model.parameters)
    assert list(infos) == [field.name for field in dataclasses.fields(model.parameters)]
    assert all(info.doc for info in infos.values())
    assert model.parameters().as_dict().keys() == infos.keys()


def test_only_what_is_declared_is_read(any_model):
    with pytest.raises(TypeError, match=f"the model {any_model.card.name} reads"):
        any_model.run("a file", as_of=AS_OF)


def test_result_has_each_customer_once_with_a_reason(model):
    result = run(model, ROWS)
    customers = result.table["customer"].to_pylist()
    assert len(set(customers)) == len(customers) > 0
    assert set(customers) <= {"陳大文", "王美玲", "李志強", "Ada Wong"}
    assert all(result.table["reason"].to_pylist())
    assert all(result.table["reason_code"].to_pylist())


def test_report_is_complete_and_json(model):
    result = run(model, ROWS)
    report = json.loads(json.dumps(result.report.as_json(), allow_nan=False))
    assert report["model"] == model.card.name
    assert report["as_of"] == "2025-06-30"
    assert report["parameters"].items() >= model.parameters().as_dict().items()
    assert report["metrics"]
    assert report["rows"] == {"result": result.table.num_rows}


def test_same_input_gives_the_same_result_in_whatever_order(model):
    once = run(model, ROWS)
    again = run(model, ROWS[::-1])
    assert once.table.equals(again.table)
    assert once.report == again.report


def test_rows_after_the_as_of_date_change_nothing(model):
    known = run(model, ROWS)
    later = run(model, ROWS + LATER)
    assert known.table.equals(later.table)
    assert known.report == later.report


def test_rows_of_the_as_of_date_itself_count(model):
    with_it = run(model, [*ROWS, row("何嘉欣", AS_OF, 60)])
    assert "何嘉欣" in with_it.table["customer"].to_pylist()


def test_empty_input_gives_an_empty_result_with_the_same_columns(model):
    full = run(model, ROWS)
    empty = run(model, [])
    before_all = run(model, ROWS, as_of=dt.date(2024, 12, 31))
    assert empty.table.num_rows == before_all.table.num_rows == 0
    assert empty.table.schema.equals(full.table.schema)
    assert empty.report.metrics["customers"] == 0
    assert empty.report.metrics == before_all.report.metrics


def test_whole_numbers_serve_as_customers(model):
    rows = [(place, day, amount) for place, (_, day, amount) in enumerate(ROWS)]
    result = run(model, rows, customer_type=pa.int64())
    assert result.table.schema.field("customer").type == pa.int64()


def test_unknown_name_lists_the_names_there_are():
    with pytest.raises(MiningError, match=r"no model 'valeu'.*lifecycle.*value"):
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
        ({"share": float("inf")}, "share is inf; give a finite number."),
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
