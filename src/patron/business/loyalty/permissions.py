"""What one may do in the loyalty programme."""

from django.utils.translation import gettext_lazy as _

from patron.core.accounts.rules import ALL_ROLES, Role, roles
from patron.kernel.registries import Permission, permissions

_COUNTER = (Role.BRANCH_MANAGER, Role.CASHIER, Role.SERVICE_AGENT)

permissions.register(
    Permission("loyalty.view", _("See members, points and cards"), roles=ALL_ROLES, integration_scope=True)
)
permissions.register(
    Permission(
        "loyalty.enrol",
        _("Enrol members and issue cards"),
        roles=roles(*_COUNTER, Role.SALES_REP, Role.MARKETER),
        integration_scope=True,
    )
)
permissions.register(
    Permission("loyalty.spend", _("Redeem members' points"), roles=roles(*_COUNTER), integration_scope=True)
)
permissions.register(Permission("loyalty.post", _("Post points for purchases again"), roles=roles(Role.BRANCH_MANAGER)))
permissions.register(
    Permission(
        "loyalty.adjust",
        _("Adjust points by hand, with a reason"),
        roles=roles(Role.BRANCH_MANAGER, Role.SERVICE_AGENT),
    )
)
permissions.register(Permission("loyalty.manage", _("Set up the programme and its rules"), roles=roles(Role.MARKETER)))
permissions.register(
    Permission(
        "loyalty.tiers",
        _("Grant and take back tiers by hand, and run their review"),
        roles=roles(Role.BRANCH_MANAGER, Role.MARKETER),
    )
)
permissions.register(
    Permission(
        "loyalty.award",
        _("Give points for events such as surveys"),
        roles=roles(*_COUNTER, Role.MARKETER),
        integration_scope=True,
    )
)
permissions.register(Permission("loyalty.expire", _("Run the expiry of points"), roles=roles(Role.MARKETER)))
permissions.register(
    Permission(
        "loyalty.approve", _("Approve adjustments that others ask for"), roles=roles(Role.BRANCH_MANAGER, Role.MARKETER)
    )
)
permissions.register(
    Permission(
        "loyalty.reports",
        _("See reports of the programme: expiring points, redemptions"),
        roles=roles(Role.EXECUTIVE, Role.MARKETER, Role.ANALYST, Role.BRANCH_MANAGER),
    )
)
permissions.register(
    Permission(
        "loyalty.finance",
        _("See the liability of points and export the journal"),
        roles=roles(Role.EXECUTIVE, Role.ANALYST),
    )
)
permissions.register(
    Permission(
        "loyalty.watch",
        _("See what is worth a look: unusual earning, returns and adjustments"),
        roles=roles(Role.EXECUTIVE, Role.ANALYST, Role.BRANCH_MANAGER),
    )
)
