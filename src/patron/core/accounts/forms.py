"""Forms of sign-in and settings: they parse; the operations decide."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from patron.core.accounts.models import Branch, Staff, Team
from patron.core.accounts.operations import BranchDetails
from patron.core.accounts.rules import WEEKDAYS, Interval, parse_intervals, shown_intervals
from patron.kernel.errors import DomainError

DAY_LABELS = {
    "mon": _("Monday"), "tue": _("Tuesday"), "wed": _("Wednesday"), "thu": _("Thursday"), "fri": _("Friday"),
    "sat": _("Saturday"), "sun": _("Sunday"),
}  # fmt: skip
_HOURS_WRONG = {
    "unreadable": _("Write hours like 09:00-13:00, 14:00-21:00, or leave it empty when closed."),
    "backwards": _("Hours end after they begin; a night is written as two days, until 24:00."),
    "overlapping": _("These hours overlap."),
}


def add_refusal(form: forms.Form, error: DomainError) -> None:
    """Put what an operation refused beside the field that it is about."""
    field = str(error.details.get("field", ""))
    form.add_error(field if field in form.fields else None, str(error.message))


class SignInForm(forms.Form):
    username = forms.CharField(
        label=_("Username"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True, "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label=_("Password"), widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


class _WorkplaceForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=150)
    email = forms.EmailField(label=_("E-mail"), required=False)
    phone = forms.CharField(label=_("Phone"), max_length=40, required=False)
    role = forms.ChoiceField(label=_("Role"), choices=Staff.RoleChoice.choices)
    branches = forms.ModelMultipleChoiceField(
        label=_("Branches"),
        queryset=Branch.objects.filter(is_active=True),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Branch managers, cashiers and sales representatives see the customers of these branches only."),
    )
    teams = forms.ModelMultipleChoiceField(
        label=_("Teams"), queryset=Team.objects.all(), required=False, widget=forms.CheckboxSelectMultiple
    )


class NewStaffForm(_WorkplaceForm):
    username = forms.CharField(
        label=_("Username"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    password = forms.CharField(
        label=_("First password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Ten characters at least. They can change it themselves."),
    )
    language = forms.ChoiceField(label=_("Language"), choices=[("", "–"), *settings.LANGUAGES], required=False)
    field_order = ("username", "name", "role", "branches", "password", "language", "email", "phone", "teams")


class StaffForm(_WorkplaceForm):
    field_order = ("name", "role", "branches", "email", "phone", "teams")


class PasswordForm(forms.Form):
    password = forms.CharField(
        label=_("New password"), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )


class OwnPasswordForm(forms.Form):
    old = forms.CharField(
        label=_("Present password"), widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )
    new = forms.CharField(
        label=_("New password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Ten characters at least."),
    )


class PreferencesForm(forms.Form):
    language = forms.ChoiceField(
        label=_("Language"), choices=[("", _("As the browser asks")), *settings.LANGUAGES], required=False
    )
    theme = forms.ChoiceField(
        label=pgettext_lazy("colours", "Theme"),
        choices=[("", _("As the device prefers")), ("light", _("Light")), ("dark", _("Dark"))],
        required=False,
    )


class TeamForm(forms.Form):
    name = forms.CharField(label=pgettext_lazy("of a thing", "Name"), max_length=100)
    branch = forms.ModelChoiceField(
        label=_("Branch"), queryset=Branch.objects.filter(is_active=True), required=False, empty_label="–"
    )
    members = forms.ModelMultipleChoiceField(
        label=_("People"),
        queryset=Staff.objects.filter(is_active=True),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class HoursField(forms.CharField):
    """The opening hours of one day."""

    def clean(self, value: Any) -> tuple[Interval, ...]:
        try:
            return parse_intervals(super().clean(value))
        except ValueError as error:
            raise forms.ValidationError(_HOURS_WRONG.get(str(error), _HOURS_WRONG["unreadable"])) from error


class BranchForm(forms.Form):
    code = forms.CharField(label=_("Code"), max_length=40, help_text=_("Files and tills name the branch by it."))
    name = forms.CharField(label=pgettext_lazy("of a thing", "Name"), max_length=200)
    address = forms.CharField(label=_("Address"), max_length=400, required=False)
    city = forms.CharField(label=_("City"), max_length=100, required=False)
    country = forms.RegexField(
        "^[A-Za-z]{2}$", label=_("Country"), required=False, help_text=_("Two letters, such as HK.")
    )
    phone = forms.CharField(label=_("Phone"), max_length=40, required=False)
    latitude = forms.DecimalField(label=_("Latitude"), max_digits=9, decimal_places=6, required=False)
    longitude = forms.DecimalField(label=_("Longitude"), max_digits=9, decimal_places=6, required=False)
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=[(zone, zone.replace("_", " ")) for zone in sorted(available_timezones())]
    )
    is_active = forms.BooleanField(label=_("Open for business"), required=False, initial=True)

    def __init__(self, *args: Any, existing: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if existing:
            del self.fields["code"]
        for day in WEEKDAYS:
            self.fields[day] = HoursField(
                label=DAY_LABELS[day],
                required=False,
                max_length=100,
                widget=forms.TextInput(attrs={"placeholder": gettext("closed"), "autocomplete": "off"}),
            )

    def details(self) -> BranchDetails:
        """The cleaned form as the operation wants it."""
        given = {name: value for name, value in self.cleaned_data.items() if name not in (*WEEKDAYS, "code")}
        return BranchDetails(**given, opening_hours={day: self.cleaned_data[day] for day in WEEKDAYS})

    @staticmethod
    def initial_of(branch: Branch) -> dict[str, Any]:
        """What the form shows of a branch before it is changed."""
        names = (
            "name", "address", "city", "country", "phone", "latitude", "longitude", "time_zone", "is_active",
        )  # fmt: skip
        hours = {
            day: shown_intervals([(start, end) for start, end in branch.opening_hours.get(day, ())]) for day in WEEKDAYS
        }
        return {name: getattr(branch, name) for name in names} | hours
