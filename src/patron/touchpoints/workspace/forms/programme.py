"""The forms of the programme builder: each shows one part of the draft and gives it back as it was typed.

What a number may be is not asked here: the draft keeps what was typed, and the rules say beside the field what they
make of it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, cast

from django import forms
from django.http import QueryDict
from django.utils.dates import WEEKDAYS
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.rules.tiers import BENEFITS
from patron.kernel.clock import house_zone
from patron.kernel.ui.badges import STAGE_LABELS, VALUE_CLASS_LABELS
from patron.touchpoints.workspace import programme_words as words
from patron.touchpoints.workspace.forms.customers import Day

Pairs = Sequence[tuple[str, str | Promise]]
NESTED = ("base", "cap", "expiry", "excluded", "paying")
SEGMENTS: Pairs = (
    *((f"value:{code.upper()}", label) for code, label in VALUE_CLASS_LABELS.items()),
    *((f"lifecycle:{code}", label) for code, label in STAGE_LABELS.items()),
)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a part may choose from: branches, the tiers of the draft, and the names of goods that it holds."""

    branches: Pairs = ()
    tiers: Pairs = ()
    goods: Mapping[str, str] = field(default_factory=dict)


class Number(forms.CharField):
    """A number as it was typed."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"inputmode": "decimal", "class": "num", "autocomplete": "off"}
        super().__init__(required=False, max_length=30, widget=forms.TextInput(attrs=attrs), **kwargs)


class Hour(forms.TimeInput):
    """The browser's own clock."""

    input_type = "time"


class Ticks(forms.MultipleChoiceField):
    """Any of a few."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, widget=forms.CheckboxSelectMultiple, **kwargs)


class Goods(forms.MultipleChoiceField):
    """Goods chosen from a search: any value may come, those chosen are shown ticked."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, widget=forms.CheckboxSelectMultiple, **kwargs)

    def valid_value(self, value: str) -> bool:
        return len(value) <= 600


class PartForm(forms.Form):
    """A part of the draft. `rows` groups its fields under headings; `kept` are settings that are not asked."""

    rows: ClassVar[Sequence[tuple[str | Promise, Sequence[str]]]] = ()
    kept: ClassVar[Sequence[str]] = ()

    def __init__(self, given: Mapping[str, Any], offer: Offer, data: Any = None) -> None:
        super().__init__(data, initial=unfolded(given), auto_id="part_%s")
        self.given = given
        self.offer(offer)
        for name, each in self.fields.items():
            each.widget.attrs["aria-describedby"] = f"why-{name}"

    def offer(self, offer: Offer) -> None:
        """Fill in what can be chosen from."""

    def settings(self) -> dict[str, Any]:
        """The part as it was typed, without what was left empty."""
        found = {name: self.given[name] for name in self.kept if name in self.given}
        for name, value in self.cleaned_data.items():
            if value not in ("", None, False, []):
                outer, inner = _nest(name)
                if outer:
                    found.setdefault(outer, {})[inner] = value
                else:
                    found[inner] = value
        return found


def unfolded(given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with those of groups beside the others: `cap.purchase` as `cap_purchase`."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name in NESTED and isinstance(value, Mapping):
            found |= {f"{name}_{inner}": each for inner, each in value.items()}
        else:
            found[name] = value
    return found


def _nest(name: str) -> tuple[str, str]:
    outer, _underscore, inner = name.partition("_")
    return (outer, inner) if outer in NESTED and name not in ("excluded_kinds", "excluded_tenders") else ("", name)


class EarningForm(PartForm):
    rows = ((_("Each purchase gives"), ("base_points", "base_per_amount", "base_per_item", "base_part_units")),
            (_("Arithmetic"), ("rounding", "combine")))  # fmt: skip

    base_points = Number(label=_("Points"))
    base_per_amount = Number(label=_("For each amount of"))
    base_per_item = forms.BooleanField(label=_("For each item instead of an amount"), required=False)
    base_part_units = forms.BooleanField(label=_("A part of the amount gives a part of the points"), required=False)
    rounding = forms.ChoiceField(
        label=_("Parts of a point"),
        choices=(("down", _("are dropped")), ("half_up", _("are rounded")), ("up", _("count as a whole point"))),
    )
    combine = forms.ChoiceField(
        label=_("Several multipliers"),
        choices=(("multiply", _("multiply one another")), ("add", _("add up"))),
    )

    def __init__(self, given: Mapping[str, Any], offer: Offer, data: Any = None) -> None:
        super().__init__(given, offer, data)
        self.initial["base_part_units"] = self.initial.get("base_whole_units") is False
        self.initial.setdefault("base_per_amount", "1")
        self.initial.setdefault("base_points", "1")

    def settings(self) -> dict[str, Any]:
        found = super().settings()
        if found.get("base", {}).pop("part_units", False):
            found["base"]["whole_units"] = False
        if self.cleaned_data["base_per_item"]:
            found["base"].pop("whole_units", None)
        return found


class LimitsForm(PartForm):
    rows = ((_("At most, of all points together"), ("cap_purchase", "cap_day", "cap_period", "cap_period_days")),
            (_("Waiting time"), ("pending_days",)))  # fmt: skip

    cap_purchase = Number(label=_("Points a purchase"))
    cap_day = Number(label=_("Points a day"))
    cap_period = Number(label=_("Points in a period"))
    cap_period_days = Number(label=_("Days of that period"))
    pending_days = Number(
        label=_("Days until points can be used"), help_text=_("For example the days within which goods may come back.")
    )


class ExclusionsForm(PartForm):
    rows = ((_("Goods that earn nothing"), ("excluded_categories", "excluded_brands", "excluded_products")),
            (_("Never earning"), ("excluded_kinds", "excluded_tenders")))  # fmt: skip

    excluded_categories = Goods(label=_("Categories"))
    excluded_brands = Goods(label=_("Brands"))
    excluded_products = Goods(label=_("Products"))
    excluded_kinds = Ticks(label=_("Sorts of goods"), choices=list(words.KINDS.items()))
    excluded_tenders = Ticks(label=_("What is paid by"), choices=list(words.TENDERS.items()))

    def offer(self, offer: Offer) -> None:
        self.initial.setdefault("excluded_kinds", list(words.KINDS))
        self.initial.setdefault("excluded_tenders", ["voucher", "points"])
        _offer_goods(self, offer, "excluded_")

    def settings(self) -> dict[str, Any]:
        return super().settings() | {
            name: list(self.cleaned_data[name]) for name in ("excluded_kinds", "excluded_tenders")
        }


class ExpiryForm(PartForm):
    rows = ((_("Points can be used"), ("expiry_kind", "expiry_n")),)

    expiry_kind = forms.ChoiceField(
        label=_("How long"),
        choices=(
            ("month_end", _("to the end of a month, so many months later")),
            ("year_end", _("to the end of a year, so many years later")),
            ("days", _("for so many days")),
            ("rolling", _("for so many months after the last activity")),
            ("never", _("for ever")),
        ),
    )
    expiry_n = Number(label=_("How many"))

    def offer(self, offer: Offer) -> None:  # noqa: ARG002 (nothing to choose from)
        self.initial.setdefault("expiry_kind", "month_end")
        if self.initial["expiry_kind"] != "never":
            self.initial.setdefault("expiry_n", "12")


class PayingForm(PartForm):
    rows = ((_("At the till"), ("paying_points", "paying_amount", "paying_least", "paying_most_share")),)

    paying_points = Number(label=_("So many points"), help_text=_("Empty: points do not pay."))
    paying_amount = Number(label=_("pay so much money"))
    paying_least = Number(label=_("From so many points on"))
    paying_most_share = Number(label=_("At most, per cent of a purchase"))


class BonusForm(PartForm):
    rows = (
        (_("What it gives"), ("name", "effect", "factor", "points", "amount", "unit")),
        (_("On what"), ("categories", "brands", "products", "minimum")),
        (_("When"), ("weekdays", "from_time", "until_time", "from_on", "until_on")),
        (_("To whom"), ("tiers", "segments", "birthday", "first_purchase", "every_nth_visit")),
        (_("Where and how"), ("branches", "channels", "tenders")),
        (_("Together with others"), ("group", "qualifies", "cap_purchase", "cap_day", "cap_period",
                                     "cap_period_days")),
    )  # fmt: skip
    kept = ("code",)

    name = forms.CharField(
        label=_("Name of the bonus"), required=False, max_length=200, help_text=_("Members read it on receipts.")
    )
    effect = forms.ChoiceField(
        label=_("What it does"),
        choices=(
            ("multiply", _("multiplies the base points")),
            ("per_amount", _("gives points for each amount")),
            ("per_item", _("gives points for each item")),
            ("fixed", _("gives points once")),
        ),
    )
    factor = Number(label=_("Times"), help_text=_("2 is double."))
    points = Number(label=_("Points"))
    amount = Number(label=_("For each amount of"))
    unit = forms.ChoiceField(
        label=_("Unit"), choices=(("points", _("Points")), ("stamps", _("Stamps"))), required=False
    )
    categories = Goods(label=_("Categories"))
    brands = Goods(label=_("Brands"))
    products = Goods(label=_("Products"))
    minimum = Number(label=_("From this amount in one purchase"))
    weekdays = Ticks(label=_("Weekdays"), choices=[(str(day + 1), name) for day, name in WEEKDAYS.items()])
    from_time = forms.CharField(label=_("From (hour)"), required=False, widget=Hour)
    until_time = forms.CharField(label=_("Until (hour)"), required=False, widget=Hour)
    from_on = forms.CharField(label=_("First day"), required=False, widget=Day)
    until_on = forms.CharField(label=_("Last day"), required=False, widget=Day)
    tiers = Ticks(label=_("Tiers"))
    segments = Ticks(label=_("Customers who are"), choices=SEGMENTS)
    birthday = forms.ChoiceField(
        label=_("Birthday"),
        required=False,
        choices=(
            ("", _("does not matter")), ("day", _("on the day")), ("week", _("three days around it")),
            ("month", _("in its month")),
        ),
    )  # fmt: skip
    first_purchase = forms.BooleanField(label=_("On the first purchase only"), required=False)
    every_nth_visit = Number(label=_("Once every so many visits"))
    branches = Ticks(label=_("Branches"))
    channels = Ticks(label=_("Sold through"), choices=list(words.CHANNELS.items()))
    tenders = Ticks(label=_("Paid by"), choices=list(words.TENDERS.items()))
    group = forms.CharField(
        label=_("Group"), required=False, max_length=80, help_text=_("Of one group, only the best bonus counts.")
    )
    qualifies = forms.BooleanField(label=_("Counts towards the tier"), required=False)
    cap_purchase = Number(label=_("At most, points a purchase"))
    cap_day = Number(label=_("At most, points a day"))
    cap_period = Number(label=_("At most, points in a period"))
    cap_period_days = Number(label=_("Days of that period"))

    def offer(self, offer: Offer) -> None:
        self.initial["weekdays"] = [str(day) for day in self.initial.get("weekdays") or []]
        _offer_goods(self, offer, "")
        for name, pairs in (("tiers", offer.tiers), ("branches", offer.branches)):
            known = dict(pairs)
            gone = [(code, code) for code in self.initial.get(name) or [] if code not in known]
            cast(Ticks, self.fields[name]).choices = [*pairs, *gone]

    def settings(self) -> dict[str, Any]:
        found = super().settings()
        if "weekdays" in found:
            found["weekdays"] = [int(day) for day in found["weekdays"]]
        return found


class LadderForm(PartForm):
    rows = ((_("What counts"), ("measure", "window", "months")), (_("Reviews"), ("grace_days", "soft_landing")))

    measure = forms.ChoiceField(label=_("Members rise by"), choices=list(words.MEASURES.items()))
    window = forms.ChoiceField(
        label=_("Counted over"),
        choices=(
            ("rolling", _("the last months")),
            ("calendar_year", _("the calendar year")),
            ("membership_year", _("the member's own year")),
        ),
    )
    months = Number(label=_("How many months"))
    grace_days = Number(label=_("Days of grace before a review"))
    soft_landing = forms.BooleanField(label=_("Fall one tier at a time"), required=False)


class TierForm(PartForm):
    rows = ((_("The tier"), ("name", "threshold", "invitation_only", "multiplier")),
            (_("What it brings"), tuple(f"benefit_{kind}" for kind in BENEFITS)))  # fmt: skip
    kept = ("code", "colour")

    name = forms.CharField(label=_("Name of the tier"), required=False, max_length=200)
    threshold = Number(label=_("Begins at"))
    invitation_only = forms.BooleanField(label=_("By invitation only"), required=False)
    multiplier = Number(label=_("Points are multiplied by"))
    benefit_service = forms.CharField(label=_("Services"), required=False, max_length=4000)
    benefit_waived_fee = forms.CharField(label=_("Waived fees"), required=False, max_length=4000)
    benefit_voucher = forms.CharField(label=_("Vouchers"), required=False, max_length=4000)
    benefit_gift = forms.CharField(label=_("Gifts"), required=False, max_length=4000)

    def offer(self, offer: Offer) -> None:  # noqa: ARG002 (nothing to choose from)
        for kind in BENEFITS:
            each = self.fields[f"benefit_{kind}"]
            each.widget = forms.Textarea(attrs={"rows": 2})
            each.help_text = _("One a line.")
            if kind in ("voucher", "gift"):
                each.help_text = _("One a line; its code in brackets: Coffee [COFFEE].")
            self.initial[f"benefit_{kind}"] = "\n".join(
                f"{one.get('name', '')} [{one['refers_to']}]" if one.get("refers_to") else str(one.get("name", ""))
                for one in self.given.get("benefits") or []
                if one.get("kind", "service") == kind
            )

    def settings(self) -> dict[str, Any]:
        found = {name: value for name, value in super().settings().items() if not name.startswith("benefit_")}
        benefits = [
            _benefit(kind, line)
            for kind in BENEFITS
            for line in self.cleaned_data[f"benefit_{kind}"].splitlines()
            if line.strip()
        ]
        return found | ({"benefits": benefits} if benefits else {})


class EventForm(PartForm):
    rows = ((_("Points without a purchase"), ("name", "code", "points", "once")),)

    name = forms.CharField(label=_("What it is for"), required=False, max_length=200)
    code = forms.CharField(
        label=_("Code"), required=False, max_length=80, help_text=_("What apps and forms call it when it happens.")
    )
    points = Number(label=_("Points"))
    once = forms.ChoiceField(label=_("How often"), choices=list(words.ONCE.items()))


FORMS: dict[str, type[PartForm]] = {
    "earning": EarningForm,
    "limits": LimitsForm,
    "exclusions": ExclusionsForm,
    "expiry": ExpiryForm,
    "paying": PayingForm,
    "ladder": LadderForm,
    "bonuses": BonusForm,
    "tiers": TierForm,
    "events": EventForm,
}


def _offer_goods(form: PartForm, offer: Offer, prefix: str) -> None:
    for sort in ("categories", "brands", "products"):
        name = f"{prefix}{sort}"
        chosen = cast(QueryDict, form.data).getlist(name) if form.is_bound else form.initial.get(name) or []
        cast(Goods, form.fields[name]).choices = [(value, offer.goods.get(value, value)) for value in chosen]


def _benefit(kind: str, line: str) -> dict[str, str]:
    found = re.fullmatch(r"(.*?)\s*\[([^\]]*)\]\s*", line.strip())
    name, refers_to = found.groups() if found else (line.strip(), "")
    return {"kind": kind, "name": name} | ({"refers_to": refers_to} if refers_to else {})


# --- beside the builder ------------------------------------------------------------------------------------------


class StartForm(forms.Form):
    """The first programme: a name is enough."""

    name = forms.CharField(label=_("Name of the programme"), max_length=150)


class SettingsForm(forms.Form):
    """What is not a matter of versions."""

    name = forms.CharField(label=_("Name of the programme"), max_length=150)
    point_value = forms.DecimalField(
        label=_("What a point is worth"), max_digits=12, decimal_places=6, min_value=0,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "class": "num"}),
        help_text=_("In money: for the books, and for what simulations cost."),
    )  # fmt: skip
    four_eyes_above = forms.DecimalField(
        label=_("Adjustments by one person up to"), max_digits=18, decimal_places=2, min_value=0,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "class": "num"}),
        help_text=_("Above so many points a second person decides."),
    )  # fmt: skip


class PeriodForm(forms.Form):
    """The purchases to replay."""

    from_on = forms.DateField(label=_("From"), widget=Day)
    until_on = forms.DateField(label=_("To"), widget=Day)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = self.cleaned_data
        first, last = given.get("from_on"), given.get("until_on")
        if first and last and last < first:
            self.add_error("until_on", _("The last day comes before the first."))
        elif first and last and (last - first).days > 366:
            self.add_error("from_on", _("A simulation replays a year at most."))
        return given


class Moment(forms.DateTimeInput):
    """The browser's own calendar with a clock."""

    input_type = "datetime-local"


class PublishForm(forms.Form):
    """When the draft takes effect, and why."""

    when = forms.ChoiceField(
        label=_("Takes effect"),
        choices=(("now", _("now")), ("later", _("at a later moment"))),
        initial="now",
        widget=forms.RadioSelect,
    )
    moment = forms.CharField(label=_("Moment"), required=False, widget=Moment)
    note = forms.CharField(
        label=_("Note"), required=False, max_length=200, help_text=_("Why: whoever reads the versions later will ask.")
    )

    def valid_from(self, now: datetime) -> datetime | None:
        """The moment chosen; None, with the field's error, where it is none or has passed."""
        if self.cleaned_data["when"] == "now":
            return now
        try:
            chosen = datetime.fromisoformat(self.cleaned_data["moment"]).replace(tzinfo=house_zone())
        except ValueError:
            self.add_error("moment", _("Choose a day and an hour."))
            return None
        if chosen < now:
            self.add_error(
                "moment",
                _("This moment has passed. Past purchases keep the rules that they earned under: choose a later one."),
            )
            return None
        return chosen
