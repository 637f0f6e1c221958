"""What staff may do in the workspace as such."""

from django.utils.translation import gettext_lazy as _

from patron.core.accounts.rules import ALL_ROLES, Role, roles
from patron.kernel.registries import Permission, permissions

permissions.register(Permission("workspace.use", _("Use the workspace"), roles=ALL_ROLES))
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
