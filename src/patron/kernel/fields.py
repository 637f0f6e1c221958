"""Column types and functions of PostgreSQL that Django does not name."""

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    _IntegerField = models.Field[int, int]
else:
    _IntegerField = models.Field


class Xid8Field(_IntegerField):
    """A 64-bit transaction id (`xid8`), filled by the database. Reads as int."""

    def db_type(self, connection: Any) -> str:  # noqa: ARG002 (Django's signature)
        return "xid8"

    def from_db_value(self, value: object, expression: object, connection: object) -> int | None:  # noqa: ARG002
        return None if value is None else int(str(value))

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else str(value)


class CurrentXid(models.Func):
    """`pg_current_xact_id()`: the id of the transaction that writes the row."""

    template = "pg_current_xact_id()"
    output_field = Xid8Field()
    allowed_default = True
    arity = 0


class Tracked(models.Model):
    """A table whose changes the warehouse can find without missing a row that commits late.

    `changed_xid` is the transaction that last wrote the row: set by default on insert and by the trigger that
    `patron.kernel.schema.track_changes` adds on update. A reader that remembers the oldest transaction
    still open at its last visit finds every row committed since (at least once; it must be ready to see one again).
    """

    changed_xid = Xid8Field(db_default=CurrentXid(), editable=False)

    class Meta:
        abstract = True
