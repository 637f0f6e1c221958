"""Reading the body of a request: strict JSON, exact numbers, nothing that the database could not keep."""

import json
import re
from decimal import Decimal
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from ninja.errors import ValidationError
from ninja.parser import Parser

from patron.kernel.api.problems import BodyTooLarge, UnreadableBody, UnsupportedMediaType

# PostgreSQL keeps no NUL, and half a surrogate pair is no character.
_UNPRINTABLE = re.compile("[\x00\ud800-\udfff]")


def read_body(request: HttpRequest) -> Any:
    """The JSON value of the body, None where there is no body. Numbers with a point are Decimal.

    Raises UnsupportedMediaType, BodyTooLarge, UnreadableBody, and ValidationError for unprintable characters.
    """
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise BodyTooLarge from error
    if not body:
        return None
    if request.content_type != "application/json":
        raise UnsupportedMediaType
    try:
        value = json.loads(body.decode("utf-8"), parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise UnreadableBody from error
    require_printable(value, place="body")
    return value


def require_printable(value: object, *, place: str) -> None:
    """Raise ValidationError that names every text in `value` (or name of a member) that cannot be stored."""
    found: list[tuple[str | int, ...]] = []
    _look(value, (), found)
    if found:
        # ninja names the endpoint's argument after the place of a body; here it has no name yet.
        argument = ("",) if place == "body" else ()
        raise ValidationError([{"type": "unprintable", "loc": (place, *argument, *path)} for path in found])


def is_printable(text: str) -> bool:
    """Whether the database can keep `text`."""
    return _UNPRINTABLE.search(text) is None


class StrictParser(Parser):
    """For ninja: takes the body that the gate has read."""

    def parse_body(self, request: HttpRequest) -> Any:
        return request.json_body  # type: ignore[attr-defined]


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _look(value: object, path: tuple[str | int, ...], found: list[tuple[str | int, ...]]) -> None:
    if isinstance(value, str):
        if not is_printable(value):
            found.append(path)
    elif isinstance(value, dict):
        for name, part in value.items():
            if not is_printable(name):
                found.append(path)
            else:
                _look(part, (*path, name), found)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            _look(part, (*path, index), found)
