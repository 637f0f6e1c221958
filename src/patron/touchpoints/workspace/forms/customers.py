"""The forms on a customer's page, and the short one that registers somebody new.

They ask for the fewest things that the work needs. Rules of the rooms below are not repeated here: what an operation
refuses is shown beside the field that it names (`refuse`).
"""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from patron.core.customers.queries import choices
from patron.kernel.errors import InvalidInput

BranchChoices = Sequence[tuple[int, str]]

CONSENT_SOURCES = (
    ("front desk", _("Said at the front desk")),
    ("phone call", _("Said on the phone")),
    ("form", _("Signed a form")),
    ("message", _("Wrote to us")),
)
OUTCOMES = (
    ("reached", pgettext_lazy("of a call", "Reached")),
    ("no_answer", _("No answer")),
    ("will_come", _("Will come")),
    ("call_again", _("Call again")),
    ("not_interested", _("Not interested")),
    ("complaint", _("Complaint")),
)
CONTACT_WAYS = (("call", _("Call")), ("visit", _("Visit")))
CHANNELS = (
    ("", _("No preference")),
    ("sms", _("SMS")),
    ("email", _("E-mail")),
    ("phone", _("Phone")),
    ("post", _("Post")),
    ("app", _("App or chat")),
)


def refuse(form: forms.Form, error: InvalidInput) -> None:
    """Show beside the form's field what an operation refused; above the form where it names no field of it."""
    field = str(error.details.get("field", ""))
    form.add_error(field if field in form.fields else None, str(error.message))


def language_choices() -> list[tuple[str, str]]:
    """Languages that customers may be written to in, with an empty choice."""
    return [("", str(_("Not known"))), *((code, str(name)) for code, name in settings.LANGUAGES)]


class Day(forms.DateInput):
    """The browser's own calendar."""

    input_type = "date"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%d", **kwargs)


class RegisterForm(forms.Form):
    """Somebody new, in a few seconds: a name or a phone number is enough."""

    name = forms.CharField(label=_("Name"), required=False, max_length=200, help_text=_("Chinese names: family first."))
    phone = forms.CharField(
        label=_("Phone"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    language = forms.ChoiceField(label=_("Language"), choices=language_choices, required=False)
    branch = forms.TypedChoiceField(label=_("Branch"), coerce=int, empty_value=None, required=False)
    allows_sms = forms.BooleanField(label=_("May be sent offers by SMS"), required=False)

    def __init__(self, *args: Any, branches: BranchChoices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.TypedChoiceField, self.fields["branch"]).choices = [("", _("No branch")), *branches]
        if len(branches) == 1:
            del self.fields["branch"]


class NoteForm(forms.Form):
    """One line, and whether whoever meets the customer should see it."""

    text = forms.CharField(
        label=_("Note"),
        max_length=4000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": _("Write a note…")}),
    )
    for_front_desk = forms.BooleanField(label=_("Show at the front desk"), required=False)


class CallForm(forms.Form):
    """A call or a visit: what came of it, and a line if there is more to say."""

    way = forms.ChoiceField(label=_("How"), choices=CONTACT_WAYS, initial="call", widget=forms.RadioSelect)
    outcome = forms.ChoiceField(label=_("What came of it"), choices=OUTCOMES, widget=forms.RadioSelect)
    text = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class ContactForm(forms.Form):
    """A phone, an e-mail address or a name in a network."""

    kind = forms.ChoiceField(label=_("Kind"), choices=choices.contact_kind_choices)
    value = forms.CharField(label=_("Number or address"), max_length=200)
    label = forms.CharField(label=_("Label"), max_length=40, required=False, help_text=_("For example: work."))
    primary = forms.BooleanField(label=_("Use this one first"), required=False)


class ConsentForm(forms.Form):
    """What the customer allows or refuses, for a purpose over a channel."""

    purpose = forms.ChoiceField(label=_("For"), choices=choices.consent_purpose_choices)
    channel = forms.ChoiceField(label=_("Over"), choices=choices.consent_channel_choices)
    granted = forms.TypedChoiceField(
        label=_("The customer"),
        choices=(("yes", _("allows it")), ("no", _("refuses it"))),
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    source = forms.ChoiceField(label=_("How we know"), choices=CONSENT_SOURCES)


class DetailsForm(forms.Form):
    """Who the customer is. Fields that a reader may not see unmasked are left out by `masked`."""

    name = forms.CharField(label=_("Full name"), max_length=200, help_text=_("As they are addressed."))
    family_name = forms.CharField(label=_("Family name"), max_length=100, required=False)
    given_name = forms.CharField(label=_("Given name"), max_length=100, required=False)
    latin_name = forms.CharField(label=_("Name in Latin letters"), max_length=200, required=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=choices.kind_choices)
    sex = forms.ChoiceField(label=_("Sex"), choices=choices.sex_choices, required=False)
    birth_on = forms.DateField(label=_("Birthday"), required=False, widget=Day)
    occupation = forms.CharField(label=_("Occupation"), max_length=100, required=False)
    language = forms.ChoiceField(label=_("Language"), choices=language_choices, required=False)
    preferred_channel = forms.ChoiceField(label=_("Prefers to be reached by"), choices=CHANNELS, required=False)
    preferences = forms.CharField(
        label=_("Preferences"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What pleases them. Shown at the front desk."),
    )

    def __init__(self, *args: Any, masked: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if masked:
            del self.fields["birth_on"]


class PhotoForm(forms.Form):
    """A picture of the customer."""

    photo = forms.FileField(
        label=_("Photo"),
        help_text=_("A JPEG or PNG picture of 5 MB at most."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png"}),
    )


class AddressForm(forms.Form):
    """Where the customer lives or works."""

    label = forms.CharField(label=_("Label"), max_length=40, required=False, help_text=_("For example: home."))
    lines = forms.CharField(label=_("Street and house"), max_length=400)
    district = forms.CharField(label=_("District"), max_length=100, required=False)
    city = forms.CharField(label=_("City"), max_length=100, required=False)
    postcode = forms.CharField(label=_("Postcode"), max_length=20, required=False)


class RelationForm(forms.Form):
    """How the customer belongs to another one."""

    kind = forms.ChoiceField(label=_("Is"), choices=choices.relation_kind_choices)
    other = forms.CharField(label=_("Of the customer with the number"), max_length=20)
    role = forms.CharField(label=_("Role"), max_length=100, required=False)
