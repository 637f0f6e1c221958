"""The kinds of activity that purchases log."""

from django.utils.translation import gettext_lazy as _

from patron.core.activities.kinds import ActivityKind, kinds

for _kind in (
    ActivityKind("purchase.completed", _("Purchase"), icon="shopping-cart", topic="purchases"),
    ActivityKind("purchase.returned", _("Return"), icon="arrow-back-up", topic="purchases"),
    ActivityKind("purchase.voided", _("Purchase voided"), icon="receipt-off", topic="purchases"),
):
    kinds.register(_kind)
