"""What one may do with vouchers."""

from django.utils.translation import gettext_lazy as _

from patron.core.accounts.rules import ALL_ROLES, Role, roles
from patron.kernel.registries import Permission, permissions

_COUNTER = (Role.BRANCH_MANAGER, Role.CASHIER, Role.SERVICE_AGENT)

permissions.register(Permission("vouchers.view", _("See vouchers"), roles=ALL_ROLES, integration_scope=True))
permissions.register(
    Permission("vouchers.use", _("Accept vouchers at the till"), roles=roles(*_COUNTER), integration_scope=True)
)
permissions.register(
    Permission("vouchers.buy", _("Sell vouchers for points"), roles=roles(*_COUNTER), integration_scope=True)
)
permissions.register(
    Permission(
        "vouchers.issue",
        _("Issue, transfer and cancel vouchers"),
        roles=roles(Role.MARKETER, Role.BRANCH_MANAGER, Role.SERVICE_AGENT),
        integration_scope=True,
    )
)
permissions.register(
    Permission("vouchers.codes", _("Make codes for whoever holds them, and take them away"), roles=roles(Role.MARKETER))
)
permissions.register(Permission("vouchers.manage", _("Set up kinds of vouchers"), roles=roles(Role.MARKETER)))
permissions.register(
    Permission("vouchers.run", _("Run the expiry and birthdays of vouchers"), roles=roles(Role.MARKETER))
)
