"""Long lists slice by slice, for files."""

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

SIZE = 5000
T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class Fetch(Protocol[T_co]):
    """Gives at most `limit` rows of a list after the first `skip` ones."""

    def __call__(self, *, skip: int, limit: int) -> Sequence[T_co]: ...


def in_slices(fetch: Fetch[T]) -> Iterator[Sequence[T]]:
    """All rows of the list, `SIZE` at a time."""
    skip = 0
    while rows := fetch(skip=skip, limit=SIZE):
        yield rows
        skip += len(rows)
