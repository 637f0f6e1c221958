"""The forms of vouchers: what a kind of voucher promises, and giving some out.

What the rooms below refuse is shown beside the field that it names.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.utils import dates
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from patron.business.vouchers.operations import Issue, Limits
from patron.business.vouchers.queries import VoucherDefinition
from patron.business.vouchers.rules import Kind, VoucherTerms
from patron.kernel.errors import InvalidInput
from patron.touchpoints.workspace.forms.customers import Day

KINDS = (
    (Kind.AMOUNT, _("An amount of money off")),
    (Kind.PERCENT, _("A percentage off")),
    (Kind.PRODUCT, _("Products for nothing")),
    (Kind.FREE_ITEM, _("The cheapest pieces for nothing")),
    (Kind.SHIPPING, _("Delivery for nothing")),
)
GROUPS: Sequence[tuple[Any, Sequence[str]]] = (
    (_("What it gives"), ("name", "code", "description", "kind", "value", "most")),
    (
        _("For what"),
        ("minimum_spend", "minimum_quantity", "products", "brands", "categories", "branches"),
    ),
    (_("When"), ("from_on", "until_on", "weekdays", "from_time", "until_time")),
    (
        _("For whom and how often"),
        ("tiers", "segments", "uses", "member_limit", "partial_use", "alone", "transferable"),
    ),
    (
        _("How it is given out"),
        ("issue_on", "issue_tiers", "days_before", "points_price", "valid_days", "valid_from", "valid_until"),
    ),
    (_("Limits"), ("stock", "budget", "member_day_limit", "terminal_day_limit")),
)
_PLACES = {
    "products": "products",
    "when.from_on": "from_on",
    "when.until_on": "until_on",
    "when.weekdays": "weekdays",
    "when.from_time": "from_time",
    "when.until_time": "until_time",
    "combinable": "alone",
}


class Clock(forms.TimeInput):
    """The browser's own clock."""

    input_type = "time"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%H:%M", **kwargs)


def _money(label: Any, **more: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=False, min_value=Decimal("0.01"), max_digits=10, decimal_places=2, **more
    )


def _number(label: Any, **more: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=1, max_value=100_000_000, **more)


def _names(label: Any, **more: Any) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=4000, **more)


class DefinitionForm(forms.Form):
    """A kind of voucher. `terms()`, `limits()` and `issue()` are what the operations take."""

    name = forms.CharField(
        label=pgettext_lazy("of a thing", "Name"), max_length=150, help_text=_("Members read it, so write it for them.")
    )
    code = forms.SlugField(
        label=_("Short code"), max_length=40, help_text=_("For reports and files, for example “birthday-2026”.")
    )
    description = forms.CharField(
        label=_("More about it"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
    kind = forms.ChoiceField(label=_("It gives"), choices=KINDS)
    value = forms.DecimalField(
        label=pgettext_lazy("of a voucher", "How much"),
        min_value=Decimal("0.01"),
        max_digits=10,
        decimal_places=2,
        help_text=_("Money, per cent or pieces, as chosen above. For delivery: the most that is paid."),
    )
    most = _money(_("At most, in money"), help_text=_("The most that it gives on one purchase."))
    minimum_spend = _money(_("From a purchase of"), help_text=_("What the goods that it is for must cost together."))
    minimum_quantity = _number(_("From so many pieces"))
    products = _names(_("Product codes"), help_text=_("Separated by commas. Nothing here: for everything."))
    brands = _names(_("Brands"), help_text=_("Separated by commas."))
    categories = _names(_("Categories"), help_text=_("Separated by commas, for example “Food > Dairy”."))
    branches = forms.MultipleChoiceField(
        label=_("Only in these branches"), required=False, widget=forms.CheckboxSelectMultiple
    )
    from_on = forms.DateField(label=_("From day"), required=False, widget=Day())
    until_on = forms.DateField(label=_("To day"), required=False, widget=Day())
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Only on"),
        required=False,
        coerce=int,
        choices=[(number + 1, name) for number, name in dates.WEEKDAYS.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    from_time = forms.TimeField(label=_("From hour"), required=False, widget=Clock())
    until_time = forms.TimeField(label=_("To hour"), required=False, widget=Clock())
    tiers = _names(_("Only for tiers"), help_text=_("Codes of tiers, separated by commas."))
    segments = _names(_("Only for segments"), help_text=_("For example “value:A, lifecycle:mature”."))
    uses = forms.IntegerField(label=_("Uses of one code"), min_value=1, max_value=1_000_000, initial=1)
    member_limit = _number(_("Most for each member"))
    partial_use = forms.BooleanField(label=_("What a purchase does not need stays on it"), required=False)
    alone = forms.BooleanField(label=_("Cannot be used together with other vouchers"), required=False)
    transferable = forms.BooleanField(label=_("May be handed over to another member"), required=False)
    issue_on = forms.ChoiceField(label=_("Given"), choices=VoucherDefinition.IssueOn.choices)
    issue_tiers = _names(
        _("On reaching these tiers"), help_text=_("Codes of tiers, separated by commas; nothing: every tier.")
    )
    days_before = forms.IntegerField(
        label=_("Days before the birthday"), required=False, min_value=0, max_value=60, initial=0
    )
    points_price = _money(_("Price in points"))
    valid_days = _number(
        _("Valid for so many days"), help_text=_("The day on which it is given counts: 3 are that day and two more.")
    )
    valid_from = forms.DateField(label=_("First day of all"), required=False, widget=Day())
    valid_until = forms.DateField(label=_("Last day of all"), required=False, widget=Day())
    stock = _number(_("Most that are given out"))
    budget = _money(_("Most money that they give together"))
    member_day_limit = _number(_("Most uses by one member a day"))
    terminal_day_limit = _number(_("Most uses at one till a day"))

    def __init__(
        self,
        *args: Any,
        branches: Sequence[tuple[str, str]],
        definition: VoucherDefinition | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.MultipleChoiceField, self.fields["branches"]).choices = branches
        if not branches:
            del self.fields["branches"]
        self.definition = definition
        if definition is not None:
            self.fields["code"].disabled = True
            self.fields["code"].initial = definition.code

    @property
    def groups(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """The fields as the page shows them, by what they are about."""
        return [(title, [self[name] for name in names if name in self.fields]) for title, names in GROUPS]

    def terms(self) -> dict[str, Any]:
        """`rules.VoucherTerms` as JSON, without its currency."""
        given = self.cleaned_data
        when = {
            "from_on": given["from_on"].isoformat() if given["from_on"] else None,
            "until_on": given["until_on"].isoformat() if given["until_on"] else None,
            "weekdays": given["weekdays"],
            "from_time": given["from_time"].isoformat("minutes") if given["from_time"] else None,
            "until_time": given["until_time"].isoformat("minutes") if given["until_time"] else None,
        }
        return {
            "kind": given["kind"],
            "value": str(given["value"]),
            **{name: str(given[name]) for name in ("most", "minimum_spend", "minimum_quantity") if given[name]},
            "products": {name: names_in(given[name]) for name in ("products", "brands", "categories")},
            "branches": given.get("branches", []),
            "when": {name: value for name, value in when.items() if value},
            "who": {"tiers": names_in(given["tiers"]), "segments": names_in(given["segments"])},
            "uses": given["uses"],
            "member_limit": given["member_limit"],
            "partial_use": given["partial_use"],
            "combinable": not given["alone"],
            "transferable": given["transferable"],
        }

    def limits(self) -> Limits:
        return Limits(**{name: self.cleaned_data[name] for name in Limits.__dataclass_fields__})

    def issue(self) -> Issue:
        given = self.cleaned_data
        return Issue(
            on=given["issue_on"],
            tiers=tuple(names_in(given["issue_tiers"])),
            days_before=given["days_before"] or 0,
            points_price=given["points_price"],
            programme=self.definition.programme if self.definition else None,
        )


def values_of(definition: VoucherDefinition) -> dict[str, Any]:
    """What the form shows of a definition that is on file."""
    terms = VoucherTerms.read(definition.terms)
    joined = {
        "products": terms.products.products,
        "brands": terms.products.brands,
        "categories": terms.products.categories,
        "tiers": terms.who.tiers,
        "segments": terms.who.segments,
        "issue_tiers": definition.issue_terms.get("tiers", []),
    }
    return {
        "name": definition.name,
        "code": definition.code,
        "description": definition.description,
        "kind": terms.kind,
        "value": terms.value,
        "most": terms.most,
        "minimum_spend": terms.minimum_spend or None,
        "minimum_quantity": int(terms.minimum_quantity) or None,
        **{name: ", ".join(sorted(names)) for name, names in joined.items()},
        "branches": sorted(terms.branches),
        **{name: getattr(terms.when, name) for name in ("from_on", "until_on", "from_time", "until_time")},
        "weekdays": sorted(terms.when.weekdays),
        "uses": terms.uses,
        "member_limit": terms.member_limit,
        "partial_use": terms.partial_use,
        "alone": not terms.combinable,
        "transferable": terms.transferable,
        "issue_on": definition.issue_on,
        "days_before": definition.issue_terms.get("days_before", 0),
        "points_price": definition.points_price,
        **{name: getattr(definition, name) for name in Limits.__dataclass_fields__},
    }


def refuse_terms(form: forms.Form, error: InvalidInput) -> None:
    """Show what is wrong beside the field that it is about; above the form where there is none."""
    place = str(error.details.get("field", "")).removeprefix("terms.")
    field = _PLACES.get(place, place.rpartition(".")[2])
    form.add_error(field if field in form.fields else None, str(error.message))


def names_in(text: str) -> list[str]:
    """Names separated by commas, of any width, or lines."""
    parts = text.replace("，", ",").replace("、", ",").replace("\n", ",").split(",")
    return [part.strip() for part in parts if part.strip()]


class GiveForm(forms.Form):
    """Who is meant."""

    member = forms.CharField(
        label=_("Card or customer number"), max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class OnceForm(GiveForm):
    """The same, with a key so that it counts once however often it is sent."""

    request_key = forms.CharField(widget=forms.HiddenInput, max_length=60)


class CodesForm(forms.Form):
    """Codes for whoever holds them: so many random ones, or one word."""

    count = forms.IntegerField(label=_("So many codes"), required=False, min_value=1, max_value=100_000)
    word = forms.CharField(
        label=_("Or one word for all"),
        required=False,
        max_length=24,
        help_text=_("4 to 24 letters and digits, for example “SUMMER26”."),
    )
    request_key = forms.CharField(widget=forms.HiddenInput, max_length=60)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if bool(given.get("count")) == bool(given.get("word")):
            self.add_error(None, _("Say how many codes, or one word."))
        return given


class ReasonForm(forms.Form):
    """Why something is taken back."""

    reason = forms.CharField(label=_("Why"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))
