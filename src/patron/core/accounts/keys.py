"""Reads of integration keys, and whom they make."""

from patron.core.accounts.key_secrets import KeySecret
from patron.core.accounts.models import IntegrationKey
from patron.kernel.actor import Actor
from patron.kernel.errors import PermissionRefused
from patron.kernel.prepared import columns, fetch_models
from patron.kernel.registries import Permission, permissions

_BY_PREFIX = (
    f"SELECT {columns(IntegrationKey, 'k')} FROM accounts_integrationkey k "  # noqa: S608 (our own columns)
    "WHERE k.prefix = %s::text AND k.revoked_at IS NULL ORDER BY k.id LIMIT 1"
)


def integration_scopes() -> list[Permission]:
    """The permissions that a key may be given."""
    return [permission for permission in permissions if permission.integration_scope]


def list_keys(actor: Actor) -> list[IntegrationKey]:
    """Every key, those in use first. Raises PermissionRefused without `accounts.keys`."""
    if not actor.can("accounts.keys"):
        raise PermissionRefused(details={"permission": "accounts.keys"})
    keys = IntegrationKey.objects.select_related("branch", "created_by").order_by("name", "id")
    return sorted(keys, key=lambda key: key.revoked_at is not None)


def identify_key(token: str) -> IntegrationKey | None:
    """The key that `token` is, None when it is unknown, wrong or revoked. One query; constant-time comparison."""
    secret = KeySecret.parse(token)
    if secret is None:
        return None
    rows = fetch_models([IntegrationKey], _BY_PREFIX, [secret.prefix])
    key: IntegrationKey | None = rows[0][0] if rows else None
    # An unknown prefix is compared as well, so that its answer takes as long as a wrong secret's.
    known = secret.matches(key.digest if key is not None else "0" * 64)
    return key if known else None


def actor_for_key(key: IntegrationKey) -> Actor:
    """The actor that a key is: the scopes that still exist, and its branch if it is bound to one."""
    offered = {permission.code for permission in integration_scopes()}
    return Actor(
        kind="integration",
        id=key.pk,
        name=key.name,
        permissions=frozenset(key.scopes) & offered,
        branch_ids=None if key.branch_id is None else frozenset({key.branch_id}),
    )
