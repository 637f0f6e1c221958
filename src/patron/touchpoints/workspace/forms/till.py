"""The form of a terminal. What an operation refuses is shown beside the field that it names."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


def _limit(label: Any, help_text: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=False,
        min_value=0,
        max_digits=14,
        decimal_places=2,
        help_text=help_text,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


class TerminalForm(forms.Form):
    """A terminal: its code and branch are given once, the rest may change. `keys` are those it may be given."""

    branch = forms.ChoiceField(label=_("Branch"))
    code = forms.CharField(label=_("Code"), max_length=40, help_text=_("On receipts, for example KLN-1."))
    name = forms.CharField(label=pgettext_lazy("of a thing", "Name"), max_length=100, required=False)
    is_active = forms.BooleanField(label=_("In use"), required=False, initial=True)
    key = forms.ChoiceField(
        label=_("Key of the till"),
        required=False,
        help_text=_("A key of this branch with which a till of another maker sells here. Not needed for this page."),
    )
    most_amount = _limit(_("Most that one sale may come to"), _("Empty: no limit."))
    most_points = _limit(_("Most points redeemed in a day"), _("Empty: no limit."))
    most_voucher_amount = _limit(_("Most money of vouchers in a day"), _("Empty: no limit."))
    offline_days = forms.IntegerField(
        label=_("Days that it may be offline"),
        min_value=0,
        max_value=366,
        initial=14,
        help_text=_("Older sales are not taken from it afterwards."),
    )

    def __init__(
        self, *args: Any, branches: Sequence[Any] = (), keys: Sequence[Any] = (), is_new: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._keys = {str(key.pk): key for key in keys}
        if is_new:
            self.fields["branch"].choices = [(branch.code, branch.name) for branch in branches]  # type: ignore[attr-defined]
            del self.fields["is_active"], self.fields["key"]
        else:
            del self.fields["branch"], self.fields["code"]
            self.fields["key"].choices = [  # type: ignore[attr-defined]
                ("", _("None")),
                *((pk, f"{key.name} ({key.prefix}…)") for pk, key in self._keys.items()),
            ]

    def changes(self) -> dict[str, Any]:
        """What was typed, for the operation. Call it once the form is valid."""
        given = dict(self.cleaned_data)
        given.pop("branch", None)
        if "key" in given:
            given["key"] = self._keys.get(given["key"])
        return given
