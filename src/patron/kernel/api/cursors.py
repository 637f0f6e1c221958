"""Paging by position: a cursor is the key of the last row seen, signed, so that it means nothing to anybody else.

Rows that arrive while somebody pages neither hide nor repeat others, and page one thousand costs as much as page one.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.core.signing import BadSignature, Signer
from django.utils.translation import gettext_lazy as _

from patron.kernel.errors import DomainError

MAX_LIMIT = 200
DEFAULT_LIMIT = 50

Position = Sequence[str | int]
T = TypeVar("T")


class InvalidCursor(DomainError):
    """A cursor that did not come from the list it is given to."""

    code = "invalid_cursor"
    status = 422
    message = _("This cursor is not valid here. Use “next” of the list's previous page, or begin without a cursor.")


def write_cursor(of: str, position: Position) -> str:
    """The cursor of list `of` after the row whose key is `position`."""
    return Signer(salt=f"cursor:{of}").sign_object(list(position))


def read_cursor(of: str, cursor: str | None) -> tuple[str | int, ...] | None:
    """The position that `cursor` stands for, None for the beginning. Raises InvalidCursor."""
    if not cursor:
        return None
    try:
        return tuple(Signer(salt=f"cursor:{of}").unsign_object(cursor))
    except (BadSignature, ValueError) as error:
        raise InvalidCursor from error


def cut(rows: Sequence[T], *, of: str, limit: int, key: Callable[[T], Position]) -> tuple[list[T], str | None]:
    """The page and the cursor of the next one. `rows` were read with `limit + 1`: one more says that there is more."""
    page = list(rows[:limit])
    return page, write_cursor(of, key(page[-1])) if len(rows) > limit else None
