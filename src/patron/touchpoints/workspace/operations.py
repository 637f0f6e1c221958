"""Writes of the workspace's own: saved views."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from patron.kernel.actor import Actor
from patron.kernel.errors import InvalidInput, NotFound, PermissionRefused
from patron.kernel.operation import operation
from patron.touchpoints.workspace.models import SavedView

NAME_LENGTH = 60
QUERY_LENGTH = 2000


@operation(permission="workspace.use")
def save_view(*, page: str, name: str, query: str, actor: Actor, now: datetime) -> SavedView:
    """Keep `query` of `page` under `name` for the actor; the same name again replaces it."""
    name = name.strip()
    if not name or len(name) > NAME_LENGTH:
        raise InvalidInput(_("Give the view a name of at most 60 characters."), details={"field": "name"})
    if len(query) > QUERY_LENGTH:
        raise InvalidInput(_("These filters are too long to be saved; choose fewer."), details={"field": "query"})
    if actor.kind != "staff" or actor.id is None:
        raise PermissionRefused(_("Only a member of staff has views of their own."))
    view, _created = SavedView.objects.update_or_create(
        staff_id=actor.id, page=page, name=name, defaults={"query": query, "created_at": now}
    )
    return view


@operation(permission="workspace.use")
def delete_view(*, view_id: int, actor: Actor, now: datetime) -> None:
    """Forget one of the actor's own views. Raises NotFound for another's."""
    deleted, _by_model = SavedView.objects.filter(pk=view_id, staff_id=actor.id or 0).delete()
    if not deleted:
        raise NotFound


@operation(permission="customers.export", private=("query",))
def take_out_customers(*, query: str, file_format: str, actor: Actor, now: datetime) -> None:
    """Say in the audit trail that the actor takes a list of customers out as a file. The list itself is a query.

    `query` is the list's query string; it may hold a name that was searched for, so that the trail does not keep it.
    """
