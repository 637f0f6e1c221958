"""The forms of the gift catalogue, the shelves and the gift desk.

Rules of the room below are not repeated here: what an operation refuses is shown beside the field that it names.
"""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from patron.business.gifts.operations.defining import GiftDetails
from patron.kernel.errors import DomainError
from patron.touchpoints.workspace.forms.customers import Day

IDENTIFIED_BY = (
    ("card", _("The member's card")),
    ("phone", _("Their phone number")),
    ("identity document", _("An identity document")),
    ("known to staff", _("Known to us in person")),
)


def refuse_field(form: forms.Form, error: DomainError) -> None:
    """Show beside the form's field what an operation refused; above the form where it names no field of it."""
    field = str(error.details.get("field", ""))
    form.add_error(field if field in form.fields else None, str(error.message))


class GiftForm(forms.Form):
    """What a gift is, what it costs, and for whom."""

    code = forms.CharField(
        label=_("Code"), max_length=40, help_text=_("Letters, digits and hyphens, for example UMBRELLA-26.")
    )
    name = forms.CharField(label=pgettext_lazy("of a thing", "Name"), max_length=150)
    name_zh_hant = forms.CharField(label=_("Name in Traditional Chinese"), max_length=150, required=False)
    name_zh_hans = forms.CharField(label=_("Name in Simplified Chinese"), max_length=150, required=False)
    description = forms.CharField(
        label=_("Description"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    description_zh_hant = forms.CharField(
        label=_("Description in Traditional Chinese"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    description_zh_hans = forms.CharField(
        label=_("Description in Simplified Chinese"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    points_price = forms.DecimalField(label=_("Points"), min_value=0, max_digits=12, decimal_places=2, required=False)
    money_price = forms.DecimalField(
        label=_("Money beside the points"), min_value=0, max_digits=12, decimal_places=2, required=False
    )
    member_limit = forms.IntegerField(
        label=_("Pieces for one member"), min_value=1, required=False, help_text=_("Empty: no limit.")
    )
    tiers = forms.CharField(
        label=_("Tiers"),
        max_length=200,
        required=False,
        help_text=_("Codes of the tiers that may have it, separated by commas. Empty: every member."),
    )
    starts_on = forms.DateField(label=_("Offered from"), required=False, widget=Day)
    ends_on = forms.DateField(label=_("Offered up to and on"), required=False, widget=Day)
    collect_days = forms.IntegerField(
        label=_("Days it is kept for pick-up"),
        min_value=1,
        max_value=365,
        initial=14,
        help_text=_("After that the points go back to the member."),
    )
    low_stock = forms.IntegerField(
        label=_("Call it scarce at so many pieces"), min_value=0, max_value=1_000_000, initial=3
    )
    can_be_delivered = forms.BooleanField(label=_("May be sent to the member"), required=False)
    picture = forms.FileField(
        label=_("Picture"),
        required=False,
        help_text=_("A JPEG, PNG or WebP picture of 5 MB at most."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )

    def __init__(self, *args: Any, has_code: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_code:
            del self.fields["code"]

    def details(self) -> GiftDetails:
        """What was typed, for the operation."""
        given = self.cleaned_data
        return GiftDetails(
            name=given["name"],
            names=_translated(given, "name"),
            description=given["description"],
            descriptions=_translated(given, "description"),
            points_price=given["points_price"] or Decimal(0),
            money_price=given["money_price"] or Decimal(0),
            tiers=tuple(code for code in re.split(r"[\s,，、]+", given["tiers"]) if code),
            member_limit=given["member_limit"],
            starts_on=given["starts_on"],
            ends_on=given["ends_on"],
            can_be_delivered=given["can_be_delivered"],
            collect_days=given["collect_days"],
            low_stock=given["low_stock"],
        )


def _translated(given: dict[str, Any], name: str) -> dict[str, str]:
    return {"zh-hant": given[f"{name}_zh_hant"], "zh-hans": given[f"{name}_zh_hans"]}


class ReceiveForm(forms.Form):
    """Pieces that came."""

    quantity = forms.IntegerField(label=_("Pieces that came"), min_value=1, max_value=1_000_000)
    note = forms.CharField(label=_("Delivery note"), max_length=300, required=False)
    request_key = forms.CharField(max_length=100, widget=forms.HiddenInput)


class CountForm(forms.Form):
    """What lies there in truth, and why it differs."""

    counted = forms.IntegerField(
        label=_("Pieces counted"), min_value=0, max_value=1_000_000, help_text=_("Reserved ones included.")
    )
    reason = forms.CharField(label=_("Why it differs"), max_length=300)
    request_key = forms.CharField(max_length=100, widget=forms.HiddenInput)


class FindMemberForm(forms.Form):
    """Who stands at the desk."""

    q = forms.CharField(
        label=_("Card, phone, number or name"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "type": "search"}),
    )


class PickupForm(forms.Form):
    """The code that a member shows."""

    code = forms.CharField(
        label=_("Pick-up code"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}),
    )


class RedeemForm(forms.Form):
    """One gift for the member who was found: taken away now, kept for later, or sent."""

    q = forms.CharField(max_length=100)
    gift = forms.CharField(max_length=40)
    branch = forms.CharField(max_length=40)
    request_key = forms.CharField(max_length=100)
    way = forms.ChoiceField(choices=[("now", ""), ("reserve", ""), ("send", "")])
    address = forms.CharField(max_length=600, required=False)


class CancelOrderForm(forms.Form):
    """Why an order is cancelled, and what goes back beside the points."""

    reason = forms.CharField(label=_("Why"), max_length=300)
    money_refunded = forms.DecimalField(
        label=_("Money paid back"), min_value=0, max_digits=12, decimal_places=2, required=False
    )
    goods_back = forms.BooleanField(label=_("The gift lies on the shelf again"), required=False, initial=True)

    def __init__(self, *args: Any, has_money: bool, has_left: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_money:
            del self.fields["money_refunded"]
        if not has_left:
            del self.fields["goods_back"]


class IdentifyForm(forms.Form):
    """How a member without the code was identified."""

    identified_by = forms.ChoiceField(label=_("Identified by"), choices=IDENTIFIED_BY)


class ShipForm(forms.Form):
    """The carrier's number."""

    tracking = forms.CharField(label=_("Tracking number"), max_length=100, required=False)
