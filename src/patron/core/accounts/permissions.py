"""What one may do with staff, branches and the audit trail."""

from django.utils.translation import gettext_lazy as _

from patron.core.accounts.rules import ALL_ROLES, Role, roles
from patron.kernel.registries import Permission, permissions

permissions.register(Permission("accounts.manage", _("Manage staff, teams and branches"), roles=roles()))
permissions.register(Permission("accounts.audit", _("Read the audit trail"), roles=roles(Role.EXECUTIVE)))
permissions.register(Permission("imports.run", _("Import files"), roles=roles(Role.MARKETER, Role.BRANCH_MANAGER)))
permissions.register(Permission("accounts.keys", _("Make and revoke keys for integrations"), roles=roles()))
permissions.register(Permission("accounts.own", _("Change one's own password and preferences"), roles=ALL_ROLES))
permissions.register(Permission("branches.view", _("See branches"), roles=ALL_ROLES, integration_scope=True))
