"""Kinds of activity that purchases log."""

from django.utils.translation import gettext_lazy as _

from patron.core.activities.kinds import ActivityKind, kinds

kinds.register(ActivityKind("purchase.completed", _("Purchase"), icon="shopping-cart", topic="purchases"))
kinds.register(ActivityKind("purchase.returned", _("Return"), icon="truck-return", topic="purchases"))
kinds.register(ActivityKind("purchase.voided", _("Purchase voided"), icon="ban", topic="purchases"))
