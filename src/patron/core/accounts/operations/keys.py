"""Making, using and revoking integration keys. A key is never changed: make a new one and revoke the old."""

from collections.abc import Sequence
from datetime import date, datetime

from django.utils.translation import gettext_lazy as _

from patron.core.accounts.key_secrets import KeySecret
from patron.core.accounts.keys import integration_scopes
from patron.core.accounts.models import Branch, IntegrationKey
from patron.kernel.actor import Actor
from patron.kernel.errors import InvalidInput, NotFound
from patron.kernel.operation import operation

MAX_RATE_PER_MINUTE = 60_000


@operation(permission="accounts.keys", private=("secret",))
def create_key(
    *,
    name: str,
    scopes: Sequence[str],
    secret: KeySecret,
    branch: Branch | None = None,
    rate_per_minute: int = 600,
    actor: Actor,
    now: datetime,
) -> IntegrationKey:
    """Keep the digest of `secret` (made by `KeySecret.new()`, shown to its user once) with what it may do.

    With `branch` the key sees and writes rows of that branch alone. Raises InvalidInput for an empty name, no scope, a
    permission that is no scope, or a rate outside 1 to MAX_RATE_PER_MINUTE.
    """
    offered = {permission.code for permission in integration_scopes()}
    if not name.strip():
        raise InvalidInput(_("Give the key a name, so that others know what uses it."), details={"field": "name"})
    if not scopes or not set(scopes) <= offered:
        raise InvalidInput(_("Choose at least one thing the key may do."), details={"field": "scopes"})
    if not 1 <= rate_per_minute <= MAX_RATE_PER_MINUTE:
        raise InvalidInput(
            _("The number of requests a minute must be between 1 and 60,000."), details={"field": "rate_per_minute"}
        )
    return IntegrationKey.objects.create(
        name=name.strip(),
        prefix=secret.prefix,
        digest=secret.digest,
        scopes=sorted(set(scopes)),
        branch=branch,
        rate_per_minute=rate_per_minute,
        created_by_id=actor.id if actor.kind == "staff" else None,
        created_at=now,
    )


@operation(permission="accounts.keys")
def revoke_key(*, key_id: int, actor: Actor, now: datetime) -> IntegrationKey:
    """End a key: the next request with it is refused. A key revoked before stays as it is. Raises NotFound."""
    key = IntegrationKey.objects.select_for_update().filter(pk=key_id).first()
    if key is None:
        raise NotFound
    if key.revoked_at is None:
        key.revoked_at = now
        key.save(update_fields=["revoked_at"])
    return key


@operation(permission="accounts.keys")
def note_key_use(*, key_id: int, used_on: date, actor: Actor, now: datetime) -> None:
    """Remember the day on which a key was last used. Called by the API, as the system, once a day at most."""
    IntegrationKey.objects.filter(pk=key_id).exclude(last_used_on__gte=used_on).update(last_used_on=used_on)
