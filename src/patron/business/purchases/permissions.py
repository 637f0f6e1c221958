"""What one may do with purchases."""

from django.utils.translation import gettext_lazy as _

from patron.core.accounts.rules import ALL_ROLES, Role, roles
from patron.kernel.registries import Permission, permissions

_TILL = (Role.BRANCH_MANAGER, Role.CASHIER)

permissions.register(Permission("purchases.view", _("See purchases"), roles=ALL_ROLES, integration_scope=True))
permissions.register(
    Permission("purchases.record", _("Record purchases and returns"), roles=roles(*_TILL), integration_scope=True)
)
permissions.register(
    Permission("purchases.void", _("Void purchases"), roles=roles(Role.BRANCH_MANAGER), integration_scope=True)
)
permissions.register(Permission("purchases.import", _("Import purchases"), roles=roles(Role.BRANCH_MANAGER)))
