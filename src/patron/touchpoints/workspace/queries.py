"""Reads of the workspace's own."""

from patron.kernel.actor import Actor
from patron.touchpoints.workspace.models import SavedView


def get_saved_views(page: str, actor: Actor) -> list[SavedView]:
    """The actor's views of `page`, by name."""
    return list(SavedView.objects.filter(staff_id=actor.id or 0, page=page).order_by("name"))
