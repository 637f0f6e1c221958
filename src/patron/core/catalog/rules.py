"""Decisions about products. No Django."""

import re

SEPARATOR = " > "
_SEPARATORS = re.compile(r"\s*[>›»|]\s*|\s+/\s+")
DEEPEST = 6


def category_path(text: str) -> tuple[str, ...]:
    """The names from root to leaf of a path such as `Food > Dairy > Milk` (also with |, or / between spaces).

    Empty levels are left out, and a level that repeats the one above; at most six levels count.
    """
    names: list[str] = []
    for part in _SEPARATORS.split(text.strip()):
        name = " ".join(part.split())[:150]
        if name and (not names or names[-1].casefold() != name.casefold()):
            names.append(name)
    return tuple(names[:DEEPEST])
