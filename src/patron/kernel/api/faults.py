"""From the validator's findings to words: what is wrong with which field, in the language asked for."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from patron.kernel.api.problems import FieldFault

# Types of pydantic's errors, shortened to a stable vocabulary of ours, each with a sentence.
_CODES: dict[str, str] = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "string_too_short": "too_short",
    "string_too_long": "too_long",
    "too_short": "too_few",
    "too_long": "too_many",
    "string_pattern_mismatch": "wrong_form",
    "enum": "not_a_choice",
    "literal_error": "not_a_choice",
    "greater_than": "too_small",
    "greater_than_equal": "too_small",
    "less_than": "too_large",
    "less_than_equal": "too_large",
    "int_parsing_size": "too_large",
    "decimal_max_digits": "too_many_digits",
    "decimal_whole_digits": "too_many_digits",
    "decimal_max_places": "too_many_decimals",
    "timezone_aware": "no_time_zone",
    "unprintable": "unprintable",
}
_KINDS: tuple[tuple[str, str], ...] = (
    ("string", "not_text"),
    ("bool", "not_true_or_false"),
    ("int", "not_a_whole_number"),
    ("decimal", "not_a_number"),
    ("float", "not_a_number"),
    ("finite", "not_a_number"),
    ("datetime", "not_an_instant"),
    ("timezone", "not_an_instant"),
    ("date", "not_a_date"),
    ("list", "not_a_list"),
    ("dict", "not_an_object"),
    ("model", "not_an_object"),
)


def _sentence(code: str, context: Mapping[str, Any]) -> str:
    """The words for `code`. Written out one by one, so that each can be translated."""
    limit = next((context[name] for name in _LIMITS if name in context), "")
    sentences = {
        "missing": _("This field is required."),
        "unknown_field": _("There is no such field. Check its spelling."),
        "too_short": _("This is too short: at least %(limit)s characters are needed."),
        "too_long": _("This is too long: at most %(limit)s characters are allowed."),
        "too_few": _("There are too few: at least %(limit)s are needed."),
        "too_many": _("There are too many: at most %(limit)s are allowed."),
        "wrong_form": _("This does not have the right form."),
        "not_a_choice": _("This is not one of the choices: %(limit)s."),
        "too_small": _("This is too small: the limit is %(limit)s."),
        "too_large": _("This is too large: the limit is %(limit)s."),
        "too_many_digits": _("This number has too many digits."),
        "too_many_decimals": _("This number has too many decimals: at most %(limit)s are allowed."),
        "no_time_zone": _("Give the instant with its offset, for example 2026-03-02T09:00:00+08:00."),
        "unprintable": _("This holds a character that cannot be stored."),
        "not_text": _("This must be text."),
        "not_true_or_false": _("This must be true or false."),
        "not_a_whole_number": _("This must be a whole number."),
        "not_a_number": _("This must be a number."),
        "not_an_instant": _("This must be an instant such as 2026-03-02T09:00:00+08:00."),
        "not_a_date": _("This must be a date such as 2026-03-02."),
        "not_a_list": _("This must be a list."),
        "not_an_object": _("This must be an object."),
    }
    if limit == "" and code in {"too_large", "too_small"}:
        return _("This number cannot be kept: it is too large or too small.")
    return sentences.get(code, _("This value is not valid.")) % {"limit": limit}


_LIMITS = ("expected", "min_length", "max_length", "gt", "ge", "lt", "le", "decimal_places", "max_digits")


def faults_of(errors: Iterable[Mapping[str, Any]]) -> list[FieldFault]:
    """Pydantic's errors (`type`, `loc` beginning with the place, `ctx`) as field faults."""
    faults = []
    for error in errors:
        place, *path = error["loc"] or ("body",)
        code = _code(str(error["type"]))
        faults.append(
            FieldFault(
                place=str(place), field=field_path(path), code=code, message=_sentence(code, error.get("ctx") or {})
            )
        )
    return faults


def field_path(parts: Iterable[object]) -> str:
    """`("lines", 0, "quantity")` as `lines[0].quantity`."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        elif not _INTERNAL.search(str(part)):
            text += f".{part}" if text else str(part)
    return text


# The validator names the member of a union or the wrapper function it was in; a caller has no use for that.
_INTERNAL = re.compile(r"[\[\](]|^(?:decimal|nullable|constrained-str)$")


def _code(kind: str) -> str:
    if kind in _CODES:
        return _CODES[kind]
    return next((code for start, code in _KINDS if kind.startswith(start)), "not_valid")
