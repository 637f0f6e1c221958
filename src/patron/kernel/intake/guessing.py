"""Which column of a file is which field: guessed from the headers, shown to the user, who may overrule it."""

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from patron.kernel.intake.contract import ImportField

_NEARLY = 0.86


@dataclass(frozen=True, slots=True)
class Guess:
    """`header` was taken for `field`; `exact` says that the names match, not merely resemble."""

    field: str
    header: str
    exact: bool


def folded(name: str) -> str:
    """`name` without case, width, spaces and punctuation: `Customer_ID` and `customer id` are one."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name)).lower()


def guess(headers: Sequence[str], fields: Sequence[ImportField]) -> list[Guess]:
    """The best one-to-one guesses: exact names first, in the order of each field's aliases; then near ones."""
    free = {header: folded(header) for header in headers}
    found: dict[str, Guess] = {}
    names = {field.name: [folded(n) for n in (field.name, *field.aliases, str(field.label))] for field in fields}
    for rank in range(max((len(n) for n in names.values()), default=0)):
        for field in fields:
            if field.name in found or rank >= len(names[field.name]):
                continue
            header = next((h for h, f in free.items() if f and f == names[field.name][rank]), None)
            if header is not None:
                found[field.name] = Guess(field.name, header, exact=True)
                del free[header]
    for _score, field_name, header in _near(names, free, set(found)):
        if field_name not in found and header in free:
            found[field_name] = Guess(field_name, header, exact=False)
            del free[header]
    return [found[field.name] for field in fields if field.name in found]


def _near(names: dict[str, list[str]], free: dict[str, str], taken: set[str]) -> list[tuple[float, str, str]]:
    scores = [
        (max(difflib.SequenceMatcher(None, own, name).ratio() for name in names[field] if name), field, header)
        for header, own in free.items()
        if len(own) >= 4
        for field in names
        if field not in taken
    ]
    return sorted((s for s in scores if s[0] >= _NEARLY), key=lambda s: (-s[0], s[1], s[2]))
