"""Giving or taking points by hand."""

from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _

from patron.touchpoints.workspace.forms.customers import Day

MOST = Decimal("999999999999.99")


class AdjustForm(forms.Form):
    """How many points, and why. `request_key` makes a second click harmless."""

    points = forms.DecimalField(
        label=_("Points"), help_text=_("Below zero to take points."), min_value=-MOST, max_value=MOST, decimal_places=2
    )
    reason = forms.CharField(label=_("Reason"), max_length=300)
    expires_on = forms.DateField(
        label=_("Usable until"), required=False, widget=Day, help_text=_("Empty: for ever. Only for points given.")
    )
    request_key = forms.CharField(max_length=60, widget=forms.HiddenInput)
