"""Who may read the reports and take them away."""

from django.utils.translation import gettext_lazy as _

from patron.core.accounts.rules import Role, roles
from patron.kernel.registries import Permission, permissions

permissions.register(
    Permission(
        "reports.view",
        _("See the reports"),
        roles=roles(
            Role.EXECUTIVE, Role.MARKETER, Role.ANALYST, Role.BRANCH_MANAGER, Role.SALES_REP, Role.SERVICE_AGENT
        ),
    )
)
permissions.register(
    Permission(
        "reports.export",
        _("Take lists away as files"),
        roles=roles(Role.EXECUTIVE, Role.MARKETER, Role.ANALYST, Role.BRANCH_MANAGER),
    )
)
