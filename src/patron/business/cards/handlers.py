"""Names the activities of cards."""

from django.utils.translation import gettext_lazy as _

from patron.core.activities.kinds import ActivityKind, kinds

for _kind in (
    ActivityKind("card.added_to_wallet", _("Card added to a phone"), icon="device-mobile", topic="points"),
    ActivityKind("card.removed_from_wallet", _("Card removed from a phone"), icon="device-mobile-off", topic="points"),
):
    kinds.register(_kind)
