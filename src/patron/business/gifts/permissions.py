"""What one may do with gifts."""

from django.utils.translation import gettext_lazy as _

from patron.core.accounts.rules import ALL_ROLES, Role, roles
from patron.kernel.registries import Permission, permissions

_COUNTER = (Role.BRANCH_MANAGER, Role.CASHIER, Role.SERVICE_AGENT)

permissions.register(
    Permission("gifts.view", _("See the gift catalogue and orders of gifts"), roles=ALL_ROLES, integration_scope=True)
)
permissions.register(
    Permission("gifts.redeem", _("Order gifts for members"), roles=roles(*_COUNTER), integration_scope=True)
)
permissions.register(
    Permission("gifts.fulfil", _("Prepare, hand over and send gifts"), roles=roles(*_COUNTER), integration_scope=True)
)
permissions.register(
    Permission("gifts.cancel", _("Cancel orders of gifts"), roles=roles(*_COUNTER), integration_scope=True)
)
permissions.register(
    Permission(
        "gifts.take_back",
        _("Take back gifts that have left, with the points returned"),
        roles=roles(Role.BRANCH_MANAGER, Role.SERVICE_AGENT),
    )
)
permissions.register(
    Permission("gifts.stock", _("Receive and correct the stock of gifts"), roles=roles(Role.BRANCH_MANAGER))
)
permissions.register(Permission("gifts.manage", _("Set up the gift catalogue"), roles=roles(Role.MARKETER)))
permissions.register(Permission("gifts.release", _("Release gifts that were not collected"), roles=roles()))
