"""What one may do with the log."""

from django.utils.translation import gettext_lazy as _

from patron.core.accounts.rules import ALL_ROLES
from patron.kernel.registries import Permission, permissions

permissions.register(
    Permission("activities.view", _("See what happened with a customer"), roles=ALL_ROLES, integration_scope=True)
)
permissions.register(Permission("activities.log", _("Log a call or a visit"), roles=ALL_ROLES, integration_scope=True))
