"""Notes by staff."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from patron.core.customers.models import Customer, CustomerNote
from patron.core.customers.operations.changes import locked, told
from patron.kernel.actor import Actor
from patron.kernel.errors import InvalidInput, NotFound
from patron.kernel.operation import operation

LONGEST_NOTE = 4000


@operation(permission="customers.note", private=("text",))
def write_note(
    customer: Customer, text: str, *, for_front_desk: bool = False, actor: Actor, now: datetime
) -> CustomerNote:
    """Keep a note about the customer and return it. Notes for the front desk are shown to whoever meets them.

    Raises InvalidInput for an empty note or one of more than 4,000 characters.
    """
    text = text.strip()
    if not text:
        raise InvalidInput(_("Write something in the note."), details={"field": "text"})
    if len(text) > LONGEST_NOTE:
        raise InvalidInput(
            _("This is too long: %(longest)s characters at most.") % {"longest": LONGEST_NOTE},
            details={"field": "text", "longest": LONGEST_NOTE},
        )
    fresh = locked(customer, actor)
    note = CustomerNote.objects.create(
        customer=fresh, text=text, for_front_desk=for_front_desk, written_by=actor.name, written_at=now
    )
    told(
        fresh,
        "customer.note_written",
        actor=actor,
        now=now,
        source=f"customers.customernote:{note.pk}",
        facts={"for_front_desk": for_front_desk},
    )
    return note


@operation(permission="customers.note")
def archive_note(customer: Customer, note_id: int, *, actor: Actor, now: datetime) -> CustomerNote:
    """Put a note aside: it is kept, and no longer shown. Raises NotFound for a note of somebody else."""
    fresh = locked(customer, actor)
    note = CustomerNote.objects.filter(customer=fresh, pk=note_id).first()
    if note is None:
        raise NotFound(details={"note": note_id})
    if note.archived_at is None:
        note.archived_at = now
        note.save(update_fields=["archived_at"])
    return note
