"""What one may do with card designs and faces. Who sees members sees their cards."""

from django.utils.translation import gettext_lazy as _

from patron.core.accounts.rules import Role, roles
from patron.kernel.registries import Permission, permissions

permissions.register(
    Permission("cards.design", _("Design members' cards"), roles=roles(Role.MARKETER, Role.BRANCH_MANAGER))
)
permissions.register(
    Permission(
        "cards.hand_out",
        _("Hand out members' cards: print them, add them to wallets"),
        roles=roles(Role.BRANCH_MANAGER, Role.CASHIER, Role.SERVICE_AGENT),
        integration_scope=True,
    )
)
permissions.register(Permission("cards.refresh", _("Rewrite the faces of cards"), roles=roles()))
