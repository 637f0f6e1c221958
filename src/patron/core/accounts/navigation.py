"""What the navigation offers of settings."""

from django.utils.translation import gettext_lazy as _

from patron.kernel.ui.navigation import Area, NavItem, register

register(
    NavItem(
        area=Area.SETTINGS,
        label=_("Integration keys"),
        url_name="integration-keys",
        permission="accounts.keys",
        icon="key",
        order=80,
    )
)
