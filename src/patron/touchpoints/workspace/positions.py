"""Where a page of a list goes on: an instant and a key, as they stand in an address."""

from datetime import datetime

from patron.kernel.errors import InvalidInput

Position = tuple[datetime, int]


def written_position(position: Position | None) -> str:
    """`2026-03-02T01:00:00+00:00~812`; empty for None."""
    return "" if position is None else f"{position[0].isoformat()}~{position[1]}"


def parse_position(text: str) -> Position | None:
    """The position that `written_position` wrote; None for an empty text. Raises InvalidInput for anything else."""
    if not text:
        return None
    instant, _, key = text.partition("~")
    try:
        at, number = datetime.fromisoformat(instant), int(key)
    except ValueError:
        raise InvalidInput(details={"field": "before"}) from None
    if at.tzinfo is None or not 0 <= number < 2**63:
        raise InvalidInput(details={"field": "before"})
    return at, number
