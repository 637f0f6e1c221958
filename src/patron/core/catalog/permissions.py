"""What one may do with products."""

from django.utils.translation import gettext_lazy as _

from patron.core.accounts.rules import ALL_ROLES, Role, roles
from patron.kernel.registries import Permission, permissions

permissions.register(Permission("catalog.view", _("See products"), roles=ALL_ROLES, integration_scope=True))
permissions.register(
    Permission(
        "catalog.cost",
        _("See what products cost us"),
        roles=roles(Role.EXECUTIVE, Role.ANALYST, Role.MARKETER, Role.BRANCH_MANAGER),
        integration_scope=True,
    )
)
permissions.register(
    Permission("catalog.manage", _("Change products and prices"), roles=roles(Role.MARKETER), integration_scope=True)
)
