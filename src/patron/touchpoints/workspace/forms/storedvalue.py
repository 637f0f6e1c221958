"""The forms of stored value: its terms, and what happens with a member's money at the counter.

Rules of the room below are not repeated here: what an operation refuses is shown beside the field that it names.
"""

from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from patron.business.storedvalue.queries import TENDERS
from patron.business.storedvalue.rules import Policy, Tier
from patron.touchpoints.workspace.forms.customers import Day

TIER_ROWS = 4

_PIN = forms.PasswordInput(attrs={"inputmode": "numeric", "autocomplete": "off"})


def _amount(label: Any, *, required: bool = False, help_text: Any = "", **options: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=required,
        help_text=help_text,
        max_digits=12,
        decimal_places=2,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        **options,
    )


class DayForm(forms.Form):
    """Which day the statement is of."""

    day = forms.DateField(label=_("Day"), required=False, widget=Day)


class PolicyForm(forms.Form):
    """The terms of a programme's stored value, with up to four bonus steps."""

    is_offered = forms.BooleanField(label=_("Take deposits"), required=False)
    min_deposit = _amount(_("Smallest deposit"), required=True)
    max_deposit = _amount(_("Largest deposit"), help_text=_("Empty: no limit."))
    max_balance = _amount(_("Most that a member may hold"), help_text=_("Empty: no limit."))
    max_payment = _amount(_("Largest payment"), help_text=_("Empty: no limit."))
    max_per_day = _amount(_("Most that a member may pay a day"), help_text=_("Empty: no limit."))
    secret_above = _amount(
        _("PIN or one-time code above"), help_text=_("Payments and withdrawals above this need it. Empty: never.")
    )
    bonus_first = forms.TypedChoiceField(
        label=_("What pays first"),
        choices=(("yes", _("Bonus")), ("no", _("Own money"))),
        coerce=lambda value: value == "yes",
    )
    bonus_months = forms.IntegerField(
        label=_("Months before bonus expires"), required=False, help_text=_("To the end of the month. Empty: never.")
    )
    withdrawals_allowed = forms.BooleanField(label=_("Pay out own money when asked"), required=False)
    withdrawal_fee = _amount(_("Fee for a withdrawal"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for row in range(1, TIER_ROWS + 1):
            self.fields[f"from_{row}"] = _amount(_("Bonus from a deposit of"))
            self.fields[f"percent_{row}"] = _amount(_("Bonus in %"))

    @classmethod
    def showing(cls, policy: Policy, tiers: list[Tier]) -> "PolicyForm":
        """The form filled with the terms in force."""
        initial: dict[str, Any] = {name: getattr(policy, name) for name in Policy.__dataclass_fields__}
        initial["bonus_first"] = "yes" if policy.bonus_first else "no"
        for row, tier in enumerate(tiers[:TIER_ROWS], start=1):
            initial |= {f"from_{row}": tier.from_amount, f"percent_{row}": tier.percent}
        return cls(initial=initial)

    @property
    def steps(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """The bonus steps, as pairs of fields."""
        return [(self[f"from_{row}"], self[f"percent_{row}"]) for row in range(1, TIER_ROWS + 1)]

    @property
    def terms(self) -> list[forms.BoundField]:
        """The fields beside the steps."""
        return [self[name] for name in Policy.__dataclass_fields__]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for row in range(1, TIER_ROWS + 1):
            if (given.get(f"from_{row}") is None) != (given.get(f"percent_{row}") is None):
                self.add_error(f"from_{row}", _("A bonus step needs both an amount and a percentage."))
        return given

    def given(self) -> tuple[Policy, list[Tier]]:
        """What was typed. Call it once the form is valid."""
        values = {name: self.cleaned_data[name] for name in Policy.__dataclass_fields__}
        values["withdrawal_fee"] = values["withdrawal_fee"] or Decimal("0.00")
        rows = [
            (self.cleaned_data[f"from_{row}"], self.cleaned_data[f"percent_{row}"]) for row in range(1, TIER_ROWS + 1)
        ]
        return Policy(**values), [Tier(amount, percent) for amount, percent in rows if amount is not None]


class MoneyForm(forms.Form):
    """An amount of a member's money. The request key makes a second click harmless."""

    request_key = forms.CharField(max_length=64, widget=forms.HiddenInput, initial=lambda: uuid4().hex)
    amount = _amount(_("Amount"), required=True)
    tender = forms.ChoiceField(label=_("How"), choices=TENDERS)


class DepositForm(MoneyForm):
    """Money that a member brings."""

    reference = forms.CharField(label=_("Number of the slip"), max_length=60, required=False)


class WithdrawForm(MoneyForm):
    """Money that a member takes out."""

    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)
    pin = forms.CharField(label=_("PIN"), max_length=8, required=False, widget=_PIN)
    code = forms.CharField(
        label=_("One-time code"),
        max_length=6,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )


class FreezeForm(forms.Form):
    """Why the money is frozen."""

    reason = forms.CharField(label=_("Reason"), max_length=200)


class PinForm(forms.Form):
    """A new PIN, typed by the member, twice."""

    pin = forms.CharField(label=_("New PIN"), max_length=8, help_text=_("Four to eight digits."), widget=_PIN)
    again = forms.CharField(label=_("The same again"), max_length=8, widget=_PIN)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "pin" in given and "again" in given and given["pin"] != given["again"]:
            self.add_error("again", _("The two are not the same."))
        return given
