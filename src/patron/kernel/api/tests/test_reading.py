"""Bodies: strict JSON, exact numbers, nothing unprintable."""

from decimal import Decimal

import pytest
from django.conf import LazySettings
from django.test import RequestFactory
from ninja.errors import ValidationError

from patron.kernel.api.problems import BodyTooLarge, UnreadableBody, UnsupportedMediaType
from patron.kernel.api.reading import read_body


def _read(body: bytes, content_type: str = "application/json") -> object:
    return read_body(RequestFactory().post("/", data=body, content_type=content_type))


def test_numbers_are_exact() -> None:
    assert _read(b'{"price": 0.1, "count": 3}') == {"price": Decimal("0.1"), "count": 3}


def test_no_body_is_nothing() -> None:
    assert _read(b"") is None


@pytest.mark.parametrize(
    "body",
    [b"{", b"NaN", b"[Infinity]", b'"\xff"', b"[" * 100_000, b"9" * 5000, b'{"a": 1e99999999999999999999}'],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        _read(body)


def test_another_kind_of_body_is_refused() -> None:
    with pytest.raises(UnsupportedMediaType):
        _read(b"a=1", "application/x-www-form-urlencoded")


def test_a_body_larger_than_allowed_is_refused(settings: LazySettings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10

    with pytest.raises(BodyTooLarge):
        _read(b'"' + b"x" * 20 + b'"')


def test_characters_that_cannot_be_stored_are_named_where_they_stand() -> None:
    with pytest.raises(ValidationError) as caught:
        _read(rb'{"name": "a\u0000b", "lines": [{"note": "\ud800"}, {"note": "\ud83d\ude00"}], "x\u0000": 1}')

    assert [(place, *path) for place, _argument, *path in (e["loc"] for e in caught.value.errors)] == [
        ("body", "name"),
        ("body", "lines", 0, "note"),
        ("body",),
    ]
