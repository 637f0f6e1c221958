"""Reading numbers and words of rules from JSON, with a place for every refusal. No Django."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from patron.business.loyalty.filters import RuleError

MOST_POINTS = Decimal("999999999999")
"""The most that one purchase can earn: beyond it somebody mistyped an amount or a rule."""


def number(
    given: Mapping[str, Any],
    name: str,
    place: str,
    *,
    least: Decimal = Decimal(0),
    most: Decimal = MOST_POINTS,
    places: int = 4,
) -> Decimal | None:
    """The number called `name`, None where it is absent. Raises RuleError for what is none or lies outside."""
    value = given.get(name)
    if value is None or value == "":
        return None
    try:
        read = Decimal(str(value))
    except InvalidOperation:
        raise RuleError(f"{place}{name}", "this is not a number") from None
    if not read.is_finite() or not least <= read <= most or read != round(read, places):
        raise RuleError(f"{place}{name}", f"this must lie between {least} and {most}, with at most {places} decimals")
    return read


def needed(value: Decimal | None, place: str) -> Decimal:
    """`value`, which must be there."""
    if value is None:
        raise RuleError(place, "this is needed")
    return value


def whole(given: Mapping[str, Any], name: str, place: str, *, least: int = 0, most: int = 100_000) -> int | None:
    """The whole number called `name`, None where it is absent."""
    value = given.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if type(value) is not int or not least <= value <= most:
        raise RuleError(f"{place}{name}", f"this is a whole number from {least} to {most}")
    return value


def choice(given: Mapping[str, Any], name: str, place: str, options: tuple[str, ...], default: str) -> str:
    """The option called `name`."""
    value = given.get(name, default)
    if value not in options:
        raise RuleError(f"{place}{name}", f"choose one of: {', '.join(option for option in options if option)}")
    return str(value)


def text(given: Mapping[str, Any], name: str, place: str, *, most: int = 100, default: str = "") -> str:
    """The text called `name`, without blanks around it."""
    value = given.get(name, default)
    if not isinstance(value, str) or len(value) > most:
        raise RuleError(f"{place}{name}", f"this is a text of at most {most} characters")
    return value.strip()


def part(given: Mapping[str, Any], name: str, place: str) -> Mapping[str, Any]:
    """The object called `name`, empty where it is absent."""
    value = given.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise RuleError(f"{place}{name}", "this is a group of settings")
    return value


def parts(given: Mapping[str, Any], name: str, place: str, *, most: int = 200) -> list[Mapping[str, Any]]:
    """The list of objects called `name`, empty where it is absent."""
    value = given.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value) or len(value) > most:
        raise RuleError(f"{place}{name}", f"this is a list of at most {most} groups of settings")
    return value


def written(value: Decimal) -> str:
    """A number as rules keep it: exact, without needless zeros."""
    return f"{value.normalize():f}"


def only(given: Mapping[str, Any], place: str, names: set[str]) -> None:
    """Refuse settings that nobody knows: a mistyped condition must not pass for none."""
    unknown = sorted(set(given) - names)
    if unknown:
        raise RuleError(f"{place}{unknown[0]}", "there is no such setting")
