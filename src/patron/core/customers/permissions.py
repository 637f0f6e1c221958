"""What one may do with customers."""

from django.utils.translation import gettext_lazy as _

from patron.core.accounts.rules import ALL_ROLES, Role, roles
from patron.kernel.registries import Permission, permissions

_FRONT = (Role.BRANCH_MANAGER, Role.SALES_REP, Role.SERVICE_AGENT)

permissions.register(Permission("customers.view", _("See customers"), roles=ALL_ROLES, integration_scope=True))
permissions.register(
    Permission(
        "customers.personal",
        _("See phones, e-mails and birthdays unmasked"),
        roles=roles(*_FRONT),
        integration_scope=True,
    )
)
permissions.register(
    Permission(
        "customers.unmask", _("Unmask one customer's details"), roles=roles(*_FRONT, Role.CASHIER, Role.MARKETER)
    )
)
permissions.register(
    Permission(
        "customers.register", _("Register customers"), roles=roles(*_FRONT, Role.CASHIER), integration_scope=True
    )
)
permissions.register(
    Permission(
        "customers.edit",
        _("Change customers' details and relations"),
        roles=roles(*_FRONT, Role.MARKETER),
        integration_scope=True,
    )
)
permissions.register(
    Permission("customers.note", _("Write notes for the front desk"), roles=roles(*_FRONT, Role.CASHIER, Role.MARKETER))
)
permissions.register(
    Permission(
        "customers.consent",
        _("Record what customers allow"),
        roles=roles(*_FRONT, Role.CASHIER, Role.MARKETER),
        integration_scope=True,
    )
)
permissions.register(Permission("customers.block", _("Archive and block customers"), roles=roles(Role.BRANCH_MANAGER)))
permissions.register(
    Permission(
        "customers.export",
        _("Take customer lists out as files"),
        roles=roles(Role.EXECUTIVE, Role.MARKETER, Role.ANALYST, Role.BRANCH_MANAGER),
    )
)
permissions.register(
    Permission("customers.import", _("Import customers"), roles=roles(Role.MARKETER), integration_scope=True)
)
permissions.register(Permission("customers.insights", _("Publish insights on customers"), roles=roles(Role.ANALYST)))
permissions.register(
    Permission(
        "customers.insights_view", _("See what the models say of customers"), roles=ALL_ROLES, integration_scope=True
    )
)
