"""From the validator's findings to words."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from patron.kernel.api.faults import faults_of, field_path


class Line(BaseModel):
    quantity: Annotated[Decimal, Field(max_digits=5, decimal_places=2, ge=0)]


class Receipt(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: Annotated[str, Field(min_length=2, max_length=4, pattern="^[A-Z]+$")] = "AB"
    kind: Literal["sale", "return"] = "sale"
    count: int = 1
    on: date = date(2026, 3, 2)
    at: AwareDatetime | None = None
    paid: bool = True
    lines: list[Line] = []


def _faults(**values: object) -> list[tuple[str, str, str]]:
    with pytest.raises(ValidationError) as caught:
        Receipt.model_validate(values)
    errors = [{**error, "loc": ("body", *error["loc"])} for error in caught.value.errors()]
    return [(fault.field, fault.code, fault.message) for fault in faults_of(errors)]


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"number": "A"}, ("number", "too_short", "This is too short: at least 2 characters are needed.")),
        ({"number": "ABCDE"}, ("number", "too_long", "This is too long: at most 4 characters are allowed.")),
        ({"number": "ab"}, ("number", "wrong_form", "This does not have the right form.")),
        ({"number": 7}, ("number", "not_text", "This must be text.")),
        ({"kind": "gift"}, ("kind", "not_a_choice", "This is not one of the choices: 'sale' or 'return'.")),
        ({"count": "many"}, ("count", "not_a_whole_number", "This must be a whole number.")),
        ({"on": "2026-02-30"}, ("on", "not_a_date", "This must be a date such as 2026-03-02.")),
        (
            {"at": "2026-03-02T09:00:00"},
            ("at", "no_time_zone", "Give the instant with its offset, for example 2026-03-02T09:00:00+08:00."),
        ),
        ({"at": "soon"}, ("at", "not_an_instant", "This must be an instant such as 2026-03-02T09:00:00+08:00.")),
        ({"paid": "perhaps"}, ("paid", "not_true_or_false", "This must be true or false.")),
        ({"lines": 3}, ("lines", "not_a_list", "This must be a list.")),
        ({"lines": [3]}, ("lines[0]", "not_an_object", "This must be an object.")),
        ({"lines": [{}]}, ("lines[0].quantity", "missing", "This field is required.")),
        (
            {"lines": [{"quantity": 1}, {"quantity": "-1"}]},
            ("lines[1].quantity", "too_small", "This is too small: the limit is 0."),
        ),
        (
            {"lines": [{"quantity": "1.234"}]},
            ("lines[0].quantity", "too_many_decimals", "This number has too many decimals: at most 2 are allowed."),
        ),
        ({"surprise": 1}, ("surprise", "unknown_field", "There is no such field. Check its spelling.")),
    ],
)
def test_each_fault_has_a_path_a_stable_code_and_words(values: dict[str, object], fault: tuple[str, str, str]) -> None:
    assert _faults(**values) == [fault]


def test_every_fault_is_reported_at_once() -> None:
    assert [path for path, _code, _message in _faults(count="x", paid="perhaps", surprise=1)] == [
        "count",
        "paid",
        "surprise",
    ]


def test_a_path_is_written_as_in_the_body() -> None:
    assert field_path(("lines", 0, "product", "code")) == "lines[0].product.code"
    assert field_path(()) == ""
