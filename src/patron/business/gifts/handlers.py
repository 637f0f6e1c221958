"""Names the activities of gifts."""

from django.utils.translation import gettext_lazy as _

from patron.core.activities.kinds import ActivityKind, kinds

for _kind in (
    ActivityKind("gift.ordered", _("Gift ordered"), icon="gift", topic="points"),
    ActivityKind("gift.ready", _("Gift ready"), icon="package", topic="points"),
    ActivityKind("gift.handed_over", _("Gift handed over"), icon="gift", topic="points"),
    ActivityKind("gift.shipped", _("Gift sent"), icon="truck-delivery", topic="points"),
    ActivityKind("gift.delivered", _("Gift delivered"), icon="home-check", topic="points"),
    ActivityKind("gift.cancelled", _("Gift cancelled"), icon="gift-off", topic="points"),
):
    kinds.register(_kind)
