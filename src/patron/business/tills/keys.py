"""The integration keys that a terminal may be given."""

from django.db.models import Q

from patron.business.tills.models import Terminal
from patron.core.accounts.models import Branch, IntegrationKey
from patron.kernel.actor import Actor
from patron.kernel.errors import NotFound, PermissionRefused


def keys_for(branch: Branch, actor: Actor, *, terminal: Terminal | None = None) -> list[IntegrationKey]:
    """Keys in use that are bound to `branch`, may sell, and open no terminal but (if given) this one; by name.

    Raises PermissionRefused without `tills.manage`, NotFound for a branch that is not one of the actor's.
    """
    if not actor.can("tills.manage"):
        raise PermissionRefused(details={"permission": "tills.manage"})
    if actor.branch_ids is not None and branch.pk not in actor.branch_ids:
        raise NotFound(details={"branch": branch.code})
    free = Q(terminal__isnull=True) if terminal is None else Q(terminal__isnull=True) | Q(terminal=terminal)
    keys = IntegrationKey.objects.filter(free, branch=branch, revoked_at__isnull=True, scopes__contains=["tills.sell"])
    return list(keys.order_by("name", "pk"))
