"""Forms of card designs: what stands where, colours, messages, pictures."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from patron.business.cards.designs import FIELDS, OCCASIONS, PLACEHOLDERS, PLACES, DesignSpec

Choices = Sequence[tuple[str, str | Promise]]

PLACE_LABELS: Mapping[str, str | Promise] = {
    "corner": _("Top right"),
    "headline": _("Headline"),
    "figure": _("Large figure"),
    "first": _("Row, first"),
    "second": _("Row, second"),
    "third": _("Row, third"),
    "foot": _("Bottom line"),
}
FIELD_LABELS: Mapping[str, str | Promise] = {
    "name": _("Name"),
    "tier": _("Tier"),
    "balance": _("Points balance"),
    "expiring": _("Points that expire next"),
    "stored_value": _("Stored value"),
    "vouchers": _("Number of vouchers"),
    "valid_thru": _("Valid thru"),
    "joined": _("Member since"),
    "number": _("Card number"),
}
OCCASION_LABELS: Mapping[str, str | Promise] = {
    "birthday": _("Around the birthday"),
    "expiring": _("When points expire soon"),
    "near_tier": _("Close to the next tier"),
    "default": _("Otherwise"),
}
CODE_LABELS: Choices = (("qr", _("QR code")), ("code128", _("Bar code (Code 128)")), ("ean13", _("Bar code (EAN-13)")))
COLOURS: Mapping[str, str | Promise] = {
    "ground": _("Ground, from"),
    "ground_to": _("Ground, to"),
    "ink": _("Text"),
    "accent": _("Tier and line"),
}
DAYS: Mapping[str, str | Promise] = {
    "expiring_days": _("Points expire soon: within days"),
    "birthday_days": _("Birthday: days before and after"),
    "near_points": _("Close to the next tier: within"),
}


class NewDesignForm(forms.Form):
    """A name, and whose cards it is for."""

    programme = forms.TypedChoiceField(label=_("Programme"), coerce=int)
    name = forms.CharField(label=_("Name of the design"), max_length=80)

    def __init__(self, *args: Any, programmes: Iterable[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = list(programmes)
        cast(forms.TypedChoiceField, self.fields["programme"]).choices = choices
        if len(choices) == 1:
            self.fields["programme"].initial = choices[0][0]
            self.fields["programme"].widget = forms.HiddenInput()


class DesignForm(forms.Form):
    """A design: made field by field from what there is, so that a new place or colour appears by itself."""

    tier = forms.CharField(
        label=_("For the tier with the code"),
        max_length=40,
        required=False,
        help_text=_("Empty: for all members whose tier has no design of its own."),
    )
    code = forms.ChoiceField(label=_("Code to scan"), choices=CODE_LABELS)
    masks_name = forms.BooleanField(label=_("Hide part of the name"), required=False)

    def __init__(self, data: QueryDict | None = None, *, spec: DesignSpec, tier: str = "") -> None:
        initial: dict[str, object] = {"tier": tier, "code": spec.code, "masks_name": spec.masks_name}
        initial |= {f"place_{place}": spec.places.get(place, "") for place in PLACES}
        initial |= {name: getattr(spec, name) for name in (*COLOURS, *DAYS)}
        self.kept = spec
        for message in spec.messages:
            if not message.tier:
                initial |= {f"say_{message.occasion}_{code}": text for code, text in message.texts.items()}
        super().__init__(data, initial=initial)
        nothing: Choices = (("", _("Nothing")),)
        fields: Choices = [*nothing, *((name, FIELD_LABELS[name]) for name in FIELDS)]
        for place in PLACES:
            self.fields[f"place_{place}"] = forms.ChoiceField(
                label=str(PLACE_LABELS[place]), choices=fields, required=False
            )
        for name, words in COLOURS.items():
            self.fields[name] = forms.CharField(
                label=str(words), max_length=7, widget=forms.TextInput(attrs={"type": "color"})
            )
        for name, words in DAYS.items():
            self.fields[name] = forms.IntegerField(label=str(words), min_value=0, max_value=1_000_000)
        for occasion in OCCASIONS:
            for code, language in settings.LANGUAGES:
                self.fields[f"say_{occasion}_{code}"] = forms.CharField(label=language, max_length=120, required=False)

    def places(self) -> list[forms.BoundField]:
        """The choices of what stands where."""
        return [self[f"place_{place}"] for place in PLACES]

    def looks(self) -> list[forms.BoundField]:
        """Colours, code, and whose cards."""
        return [*(self[name] for name in COLOURS), self["code"], self["masks_name"], self["tier"]]

    def sayings(self) -> list[dict[str, object]]:
        """The messages by occasion, in every language."""
        return [
            {
                "label": OCCASION_LABELS[occasion],
                "texts": [self[f"say_{occasion}_{code}"] for code, _language in settings.LANGUAGES],
            }
            for occasion in OCCASIONS
        ]

    def spans(self) -> list[forms.BoundField]:
        """How soon is soon."""
        return [self[name] for name in DAYS]

    def as_spec(self) -> dict[str, Any]:
        """What `change_design` takes. Messages for single tiers, which the form does not show, stay."""
        given = self.cleaned_data
        messages = [
            {
                "occasion": occasion,
                "texts": {code: given[f"say_{occasion}_{code}"] for code, _language in settings.LANGUAGES},
            }
            for occasion in OCCASIONS
        ]
        messages += [each for each in self.kept.as_json()["messages"] if each["tier"]]
        return {
            **{name: given[name] for name in (*COLOURS, *DAYS)},
            "places": {place: given[f"place_{place}"] for place in PLACES if given[f"place_{place}"]},
            "messages": messages,
            "code": given["code"],
            "masks_name": given["masks_name"],
        }

    def field_of(self, place: str) -> str | None:
        """The form's field for a part of the design that was refused."""
        kind, _dot, rest = place.partition(".")
        if kind == "messages" and rest.isdigit() and int(rest) < len(OCCASIONS):
            return f"say_{OCCASIONS[int(rest)]}_{settings.LANGUAGES[0][0]}"
        name = f"place_{rest}" if kind == "places" else kind
        return name if name in self.fields else None


PLACEHOLDER_LIST = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)


class PictureForm(forms.Form):
    """A logo or a ground picture."""

    kind = forms.ChoiceField(choices=(("logo", _("Logo")), ("picture", _("Ground picture"))), label=_("Kind"))
    file = forms.FileField(
        label=_("Picture"),
        required=False,
        help_text=_("PNG or JPEG of 5 MB at most. Without a file the present one is taken off."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png"}),
    )
