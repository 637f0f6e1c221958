"""What the navigation offers of settings, and the shell's own links to sign-in."""

from django.utils.translation import gettext_lazy as _

from patron.core.accounts.queries import get_visible_branches
from patron.kernel.actor import Actor
from patron.kernel.ui.navigation import Area, NavItem, register, register_link
from patron.kernel.ui.shell import BranchChoice, provide_branches

for _item in (
    NavItem(Area.SETTINGS, _("Staff"), "staff-list", "accounts.manage", order=10, icon="users-group"),
    NavItem(Area.SETTINGS, _("Teams"), "team-list", "accounts.manage", order=20, icon="users"),
    NavItem(Area.SETTINGS, _("Branches"), "branch-list", "accounts.manage", order=30, icon="building-store"),
    NavItem(Area.SETTINGS, _("Audit trail"), "audit-trail", "accounts.audit", order=70, icon="list-search"),
    NavItem(Area.SETTINGS, _("Integration keys"), "integration-keys", "accounts.keys", order=80, icon="key"),
):
    register(_item)

register_link("sign_in", "sign-in")
register_link("sign_out", "sign-out")
register_link("profile", "own-account")


@provide_branches
def _branches(actor: Actor) -> list[BranchChoice]:
    return [BranchChoice(branch.pk, branch.name) for branch in get_visible_branches(actor)]
