"""The features of look-alikes and responses in the reader's language."""

from __future__ import annotations

import re
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

Words = str | Promise

FEATURES: Final[dict[str, Words]] = {
    "age": gettext_lazy("Age"),
    "sex": gettext_lazy("Sex"),
    "occupation": gettext_lazy("Occupation"),
    "district": gettext_lazy("District"),
    "language": gettext_lazy("Language"),
    "first_visits": gettext_lazy("Visits in the first 30 days"),
    "first_spend": gettext_lazy("Spent in the first 30 days"),
    "first_basket": gettext_lazy("Spent per visit in the first 30 days"),
    "first_discount": gettext_lazy("Discounts in the first 30 days"),
    "first_department": gettext_lazy("Department bought most at first"),
}
BANDS: Final[dict[str, Words]] = {
    "not known": gettext_lazy("not known"),
    "other": gettext_lazy("other"),
    "female": gettext_lazy("female"),
    "male": gettext_lazy("male"),
}
_SIGN: Final = re.compile(r"(\w+): (.+?) \(([\d.]+) × the odds\)")
_UNDER: Final = re.compile(r"under ([\d.e+-]+)")
_RANGE: Final = re.compile(r"([\d.e+-]+) to under ([\d.e+-]+)")
_FROM: Final = re.compile(r"([\d.e+-]+) or more")


def band_words(band: str) -> str:
    """A band in the reader's language."""
    if found := _RANGE.fullmatch(band):
        return _("%(low)s to under %(high)s") % {"low": found[1], "high": found[2]}
    if found := _UNDER.fullmatch(band):
        return _("under %(high)s") % {"high": found[1]}
    if found := _FROM.fullmatch(band):
        return _("%(low)s or more") % {"low": found[1]}
    return str(BANDS.get(band, band))


def sign_words(reason: str) -> str:
    """The model's reason in the reader's language; as it is where it says something else."""
    signs = [
        _("%(feature)s: %(band)s (%(odds)s × the odds)")
        % {"feature": FEATURES.get(feature, feature), "band": band_words(band), "odds": odds}
        for feature, band, odds in _SIGN.findall(reason)
    ]
    return _("; ").join(signs) if signs else _("Nothing sets this one apart from the others.")
