"""Names the activities of stored value for the customer's timeline."""

from django.utils.translation import gettext_lazy as _

from patron.core.activities.kinds import ActivityKind, kinds

for _code, _label, _icon in (
    ("stored_value.deposited", _("Money deposited"), "wallet"),
    ("stored_value.bonus_granted", _("Bonus on a deposit"), "sparkles"),
    ("stored_value.paid", _("Paid with stored value"), "cash"),
    ("stored_value.refunded", _("Refunded to stored value"), "cash-banknote"),
    ("stored_value.withdrawn", _("Stored value paid out"), "cash-off"),
    ("stored_value.bonus_taken_back", _("Bonus taken back"), "arrow-back-up"),
    ("stored_value.expired", _("Bonus expired"), "hourglass-empty"),
    ("stored_value.frozen", _("Stored value frozen"), "lock"),
    ("stored_value.unfrozen", _("Stored value released"), "lock-open"),
    ("stored_value.pin_changed", _("PIN changed"), "password"),
    ("stored_value.code_sent", _("One-time code sent"), "message-2"),
):
    kinds.register(ActivityKind(_code, _label, icon=_icon, topic="points"))
