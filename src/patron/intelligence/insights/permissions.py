"""What one may do with the results of mining."""

from django.utils.translation import gettext_lazy as _

from patron.core.accounts.rules import Role, roles
from patron.kernel.registries import Permission, permissions

permissions.register(
    Permission(
        "insights.parameters",
        _("Change how customers are judged: windows, classes and stages"),
        roles=roles(Role.EXECUTIVE, Role.ANALYST),
    )
)
permissions.register(
    Permission("insights.refresh", _("Refresh the figures now"), roles=roles(Role.EXECUTIVE, Role.ANALYST))
)
