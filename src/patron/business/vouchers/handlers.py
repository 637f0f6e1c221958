"""Names the activities of vouchers."""

from django.utils.translation import gettext_lazy as _

from patron.core.activities.kinds import ActivityKind, kinds

for _kind in (
    ActivityKind("voucher.issued", _("Voucher given"), icon="ticket", topic="points"),
    ActivityKind("voucher.bought", _("Voucher bought with points"), icon="ticket", topic="points"),
    ActivityKind("voucher.used", _("Voucher used"), icon="discount", topic="points"),
    ActivityKind("voucher.given_back", _("Voucher given back"), icon="arrow-back-up", topic="points"),
    ActivityKind("voucher.expired", _("Voucher expired"), icon="hourglass-empty", topic="points"),
    ActivityKind("voucher.cancelled", _("Voucher cancelled"), icon="ticket-off", topic="points"),
    ActivityKind("voucher.transferred", _("Voucher handed over"), icon="transfer", topic="points"),
):
    kinds.register(_kind)
