"""What one may do at the till."""

from django.utils.translation import gettext_lazy as _

from patron.core.accounts.rules import Role, roles
from patron.kernel.registries import Permission, permissions

permissions.register(
    Permission(
        "tills.sell",
        _("Sell at the till, quote, return and void"),
        roles=roles(Role.BRANCH_MANAGER, Role.CASHIER),
        integration_scope=True,
    )
)
permissions.register(
    Permission("tills.manage", _("Set up terminals and their limits"), roles=roles(Role.BRANCH_MANAGER))
)
