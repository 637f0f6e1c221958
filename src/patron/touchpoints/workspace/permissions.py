"""What staff may do in the workspace as such."""

from django.utils.translation import gettext_lazy as _

from patron.core.accounts.rules import ALL_ROLES
from patron.kernel.registries import Permission, permissions

permissions.register(Permission("workspace.use", _("Use the workspace"), roles=ALL_ROLES))
