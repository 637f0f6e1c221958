"""What one may do with purchases."""

from django.utils.translation import gettext_lazy as _

from patron.core.accounts.rules import ALL_ROLES, Role, roles
from patron.kernel.registries import Permission, permissions

_TILL = (Role.CASHIER, Role.BRANCH_MANAGER)

permissions.register(Permission("purchases.view", _("See purchases"), roles=ALL_ROLES, integration_scope=True))
permissions.register(
    Permission("purchases.record", _("Record sales and returns"), roles=roles(*_TILL), integration_scope=True)
)
permissions.register(
    Permission("purchases.void", _("Void a purchase"), roles=roles(Role.BRANCH_MANAGER), integration_scope=True)
)
permissions.register(
    Permission("purchases.import", _("Import purchases"), roles=roles(Role.MARKETER), integration_scope=True)
)
