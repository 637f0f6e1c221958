"""What one may do with members' stored value."""

from django.utils.translation import gettext_lazy as _

from patron.core.accounts.rules import ALL_ROLES, Role, roles
from patron.kernel.registries import Permission, permissions

_COUNTER = (Role.BRANCH_MANAGER, Role.CASHIER, Role.SERVICE_AGENT)
_SENIOR = (Role.BRANCH_MANAGER, Role.SERVICE_AGENT)

for _permission in (
    Permission("storedvalue.view", _("See members' stored value"), roles=ALL_ROLES, integration_scope=True),
    Permission("storedvalue.deposit", _("Take deposits"), roles=roles(*_COUNTER), integration_scope=True),
    Permission("storedvalue.pay", _("Take payments with stored value"), roles=roles(*_COUNTER), integration_scope=True),
    Permission(
        "storedvalue.refund", _("Refund payments to stored value"), roles=roles(*_COUNTER), integration_scope=True
    ),
    Permission("storedvalue.withdraw", _("Pay out stored value"), roles=roles(*_SENIOR), integration_scope=True),
    Permission("storedvalue.freeze", _("Freeze stored value and lift it again"), roles=roles(*_SENIOR)),
    Permission("storedvalue.set_pin", _("Set members' PINs"), roles=roles(*_COUNTER), integration_scope=True),
    Permission("storedvalue.send_code", _("Send one-time codes"), roles=roles(*_COUNTER), integration_scope=True),
    Permission("storedvalue.read_code", _("Read out one-time codes that cannot be sent"), roles=roles(*_SENIOR)),
    Permission(
        "storedvalue.report",
        _("See the daily statement of stored value"),
        roles=roles(Role.EXECUTIVE, Role.ANALYST, Role.BRANCH_MANAGER),
    ),
    Permission("storedvalue.manage", _("Set up stored value: bonus, limits, fees"), roles=roles(Role.MARKETER)),
):
    permissions.register(_permission)
